package persistence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// maxFaults bounds a report; further faults are counted.
const maxFaults = 1000

// A Report says what a store holds, and what is wrong with it.
type Report struct {
	// Node is the name of the store; empty if it cannot be read.
	Node string `json:"node"`
	// Last is the number of the last change, Trimmed that of the last one that is
	// not in the change log any more.
	Last    uint64 `json:"last"`
	Trimmed uint64 `json:"trimmed"`
	// Backup says that this is a backup, whose files were compared with its list.
	Backup bool `json:"backup"`
	// Records counts what is there, by kind.
	Records []RecordCount `json:"records"`
	// Faults are sentences; Withheld is how many more there are.
	Faults   []string `json:"faults"`
	Withheld int      `json:"withheld"`
}

// A RecordCount is how many records of a kind there are, and how long their
// values are together.
type RecordCount struct {
	Kind  string `json:"kind"`
	Count uint64 `json:"count"`
	Bytes uint64 `json:"bytes"`
}

// fault notes an error, on one line.
func (r *Report) fault(err error) {
	if len(r.Faults) == maxFaults {
		r.Withheld++
		return
	}
	text := strings.ReplaceAll(err.Error(), "\n<corruption detail carrier>", "") // Pebble's way to attach data
	r.Faults = append(r.Faults, strings.ReplaceAll(text, "\n", "; "))
}

// Check reads everything that is in the store as of now, as a restart would find
// it on the disk, and reports every fault. Its error says that it could not. It
// may run concurrently with everything; Close ends it.
func (s *Store) Check(ctx context.Context) (*Report, error) {
	r := &Report{Faults: []string{}}
	err := s.staged(func(_ *Backup, dir string) error {
		return r.checkDirectory(dir, s.opts, s.unless(ctx))
	})
	if err != nil {
		return nil, fmt.Errorf("persistence: check: %w", err)
	}
	return r, nil
}

// Check is [Store.Check] of the store, or the backup, in dir. It writes nothing.
// It returns ErrLocked if the store is open.
func Check(ctx context.Context, dir string, o Options) (*Report, error) {
	o = o.withDefaults()
	backup, err := isBackup(o.FS, dir)
	if err != nil {
		return nil, fmt.Errorf("persistence: %w", err)
	}
	r := &Report{Faults: []string{}, Backup: backup}
	if backup {
		r.checkFiles(dir, o.FS, ctx.Err)
		err = r.checkDirectory(dir, o, ctx.Err)
	} else {
		err = r.checkLocked(dir, o, ctx.Err)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Report) checkLocked(dir string, o Options, check func() error) error {
	if err := wantStore(o.FS, dir); err != nil {
		return err
	}
	lock, err := lockDirectory(o.FS, dir)
	if err != nil {
		return err
	}
	return errors.Join(r.checkDirectory(dir, o, check), lock.Close())
}

// checkFiles compares the files of a backup with its list.
func (r *Report) checkFiles(dir string, files vfs.FS, check func() error) {
	list, err := readList(files, dir)
	if err != nil {
		r.fault(err)
		return
	}
	names, err := files.List(dir)
	if err != nil {
		r.fault(err)
		return
	}
	slices.Sort(names)
	var found []BackupFile
	for _, name := range names {
		if name == listName || name == lockName {
			continue
		}
		f := BackupFile{Name: name}
		content, err := files.Open(files.PathJoin(dir, name))
		if err == nil {
			f.Bytes, f.SHA256, err = sumOf(io.Discard, &checkedReader{content, &fileCopy{check: check}})
			err = errors.Join(err, content.Close())
		}
		if err != nil {
			r.fault(fmt.Errorf("%s cannot be read: %w", name, err))
		}
		found = append(found, f)
	}
	for _, fault := range compare(list, found) {
		r.fault(fault)
	}
}

// checkDirectory checks the database in dir, to which nobody writes. What cannot
// be opened is a fault.
func (r *Report) checkDirectory(dir string, o Options, check func() error) error {
	o.FS = readOnlyFS{o.FS, check}
	// A reader needs little memory: every block is read once or twice.
	o.CacheBytes = min(o.CacheBytes, 8<<20)
	err := r.checkOpened(dir, o, check)
	if stopped := check(); stopped != nil {
		return stopped
	}
	if err != nil {
		r.fault(err)
	}
	return nil
}

func (r *Report) checkOpened(dir string, o Options, check func() error) error {
	if err := checkMarker(o.FS, dir); err != nil {
		return err
	}
	log := &pebbleLog{log: o.Log}
	if err := checkDamage(dir, o, nil, log); err != nil {
		return err
	}
	options := o.pebble(nil, log)
	options.ReadOnly = true
	db, err := pebble.Open(dir, options)
	if err != nil {
		return fmt.Errorf("persistence: open %s: %w", dir, err)
	}
	c := &checker{report: r, db: db, stopped: check, indexed: checkedIndexes{indexes: indexes{terms: o.Terms}}}
	c.run()
	return db.Close()
}

// A readOnlyFS reads until it has to stop. It takes no locks: whoever reads a
// store has locked it, and to a backup nobody writes.
type readOnlyFS struct {
	vfs.FS
	check func() error
}

func (f readOnlyFS) Open(name string, o ...vfs.OpenOption) (vfs.File, error) {
	file, err := f.FS.Open(name, o...)
	if err != nil {
		return nil, err
	}
	return readOnlyFile{file, f.check}, nil
}

func (f readOnlyFS) Create(name string, _ vfs.DiskWriteCategory) (vfs.File, error) {
	return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrPermission}
}

func (f readOnlyFS) Lock(string) (io.Closer, error) { return io.NopCloser(bytes.NewReader(nil)), nil }

// Unwrap lets Pebble find the file system below.
func (f readOnlyFS) Unwrap() vfs.FS { return f.FS }

type readOnlyFile struct {
	vfs.File
	check func() error
}

func (f readOnlyFile) Read(p []byte) (int, error) {
	if err := f.check(); err != nil {
		return 0, err
	}
	return f.File.Read(p)
}

func (f readOnlyFile) ReadAt(p []byte, at int64) (int, error) {
	if err := f.check(); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, at)
}
