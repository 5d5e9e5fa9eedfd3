package persistence

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Restore makes a store of a backup in dir, which must be empty or absent. Every
// file is compared with the list of the backup, and the store is opened once. If
// anything is wrong, dir is left empty.
//
// Numbers after the last change of the backup may have been given out by the
// node that it is of. So the store goes on with numbers that nobody can know, its
// change log is empty, and whoever comes back with an older number is told of a
// gap, and then what there is.
func Restore(ctx context.Context, backup, dir string, o Options) (*Backup, error) {
	o = o.withDefaults()
	list, err := readList(o.FS, backup)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("persistence: %s is not a backup: %w", backup, err)
	}
	if err != nil {
		return nil, fmt.Errorf("persistence: the backup %s cannot be restored: %w", backup, err)
	}
	return restore(ctx, dir, o, func(r *restoration) error {
		for _, f := range list.Files {
			file, err := o.FS.Open(o.FS.PathJoin(backup, f.Name))
			if err != nil {
				return err
			}
			if err := errors.Join(r.add(f.Name, file), file.Close()); err != nil {
				return err
			}
		}
		r.list = list
		return nil
	})
}

// RestoreTar is [Restore] of what [Store.WriteBackup] has written.
func RestoreTar(ctx context.Context, backup io.Reader, dir string, o Options) (*Backup, error) {
	return restore(ctx, dir, o.withDefaults(), func(r *restoration) error {
		for t := tar.NewReader(backup); ; {
			h, err := t.Next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("the tar is cut or damaged: %w", err)
			}
			if err := r.addEntry(h, t); err != nil {
				return err
			}
		}
	})
}

// A restoration is a backup that is being copied into a directory.
type restoration struct {
	files vfs.FS
	dir   string
	check func() error
	found []BackupFile // without the list
	seen  map[string]bool
	list  *Backup
}

func restore(ctx context.Context, dir string, o Options, fill func(*restoration) error) (*Backup, error) {
	r := &restoration{files: o.FS, dir: dir, check: ctx.Err, seen: map[string]bool{}}
	lock, err := lockEmpty(o.FS, dir)
	if err != nil {
		return nil, err
	}
	if err := r.run(o, lock, fill); err != nil {
		err = fmt.Errorf("persistence: the backup cannot be restored: %w", err)
		return nil, errors.Join(err, emptyOurs(o.FS, dir), o.FS.Remove(o.FS.PathJoin(dir, lockName)), lock.Close())
	}
	return r.list, lock.Close()
}

// lockEmpty locks a directory, which it makes if it is absent.
func lockEmpty(files vfs.FS, dir string) (*pebble.Lock, error) {
	names, err := files.List(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("persistence: %w", err)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == lockName })
	if len(names) > 0 {
		return nil, fmt.Errorf("persistence: %s is not empty: a backup is restored to a directory of its own", dir)
	}
	return lockDirectory(files, dir)
}

// run copies the files and makes them a store. As long as there is a file BACKUP
// the directory is no store.
func (r *restoration) run(o Options, lock *pebble.Lock, fill func(*restoration) error) error {
	if _, err := r.write(listName, strings.NewReader(beingRestored)); err != nil {
		return err
	}
	if err := syncDirectory(r.files, r.dir); err != nil {
		return err
	}
	if err := fill(r); err != nil {
		return err
	}
	if faults := compare(r.list, r.found); len(faults) > 0 {
		return errors.Join(faults...)
	}
	if err := syncDirectory(r.files, r.dir); err != nil {
		return err
	}
	if err := checkMarker(r.files, r.dir); err != nil {
		return err
	}
	if err := moveOn(r.dir, o, lock, time.Now()); err != nil {
		return err
	}
	return errors.Join(r.files.Remove(r.files.PathJoin(r.dir, listName)), syncDirectory(r.files, r.dir))
}

// addEntry adds what a tar has.
func (r *restoration) addEntry(h *tar.Header, content io.Reader) error {
	if h.Typeflag != tar.TypeReg {
		return fmt.Errorf("the tar holds %q, which is not a regular file", h.Name)
	}
	name := strings.TrimPrefix(h.Name, "./")
	if name != listName {
		return r.add(name, content)
	}
	text, err := io.ReadAll(io.LimitReader(content, maxListBytes))
	if err != nil {
		return fmt.Errorf("the tar is cut or damaged: %w", err)
	}
	if r.list != nil {
		return fmt.Errorf("the tar holds %s twice", listName)
	}
	r.list, err = decodeList(text)
	return err
}

// add copies a file of the backup.
func (r *restoration) add(name string, content io.Reader) error {
	if !isBackupFile(name) {
		return fmt.Errorf("%q is no file of a backup", name)
	}
	if r.seen[name] {
		return fmt.Errorf("%s is there twice", name)
	}
	r.seen[name] = true
	f, err := r.write(name, content)
	r.found = append(r.found, f)
	return err
}

func (r *restoration) write(name string, content io.Reader) (f BackupFile, err error) {
	f.Name = name
	c := &fileCopy{check: r.check}
	err = writeSynced(r.files, r.files.PathJoin(r.dir, name), func(w io.Writer) (err error) {
		f.Bytes, f.SHA256, err = sumOf(w, &checkedReader{content, c})
		return err
	})
	if err != nil {
		return f, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// compare returns how the files that were found differ from the list.
func compare(list *Backup, found []BackupFile) (faults []error) {
	if list == nil {
		return []error{fmt.Errorf("the file %s is missing: it is not whole", listName)}
	}
	listed := list.byName()
	for _, f := range found {
		want, ok := listed[f.Name]
		delete(listed, f.Name)
		switch {
		case !ok:
			faults = append(faults, fmt.Errorf("%s is not part of the backup", f.Name))
		case f.Bytes != want.Bytes:
			faults = append(faults, fmt.Errorf("%s is damaged: it has %d bytes and had %d", f.Name, f.Bytes, want.Bytes))
		case f.SHA256 != want.SHA256:
			faults = append(faults, fmt.Errorf("%s is damaged: its bytes are not those that were written", f.Name))
		}
	}
	for _, f := range list.Files {
		if _, missing := listed[f.Name]; missing {
			faults = append(faults, fmt.Errorf("%s is missing", f.Name))
		}
	}
	return faults
}

// moveOn makes a restored store one that goes on with numbers of its own.
func moveOn(dir string, o Options, lock *pebble.Lock, now time.Time) error {
	db, _, err := openDatabase(dir, o, lock, &pebbleLog{log: o.Log})
	if err != nil {
		return err
	}
	state, err := readLogState(db)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	last := lastAfterRestore(state.last, now)
	log := changeLog{last: last, trimmed: last, open: segment{first: last + 1}, queued: state.queued}
	b := db.NewBatch()
	batchDeleteRange(b, []byte{spaceChanges}, spaceEnd(spaceChanges))
	batchDeleteRange(b, []byte{spaceSegments}, spaceEnd(spaceSegments))
	batchSet(b, metaLog(), appendLogState(nil, &log))
	return errors.Join(b.Commit(pebble.Sync), db.Close())
}

// lastAfterRestore returns the number that a restored store goes on after: one
// that no life of its node, before or after the backup, can have given out. These
// are behind the clock's microseconds, since they began at 0, or there, and no
// node gives out a million a second. It fits into the integers of a double, which is what
// JavaScript has, until the year 2255.
func lastAfterRestore(last uint64, now time.Time) uint64 {
	if micros := now.UnixMicro(); micros > int64(last) {
		return uint64(micros)
	}
	return last + 1<<32 // the clock is wrong
}
