package persistence

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// A directory of this name, with a number behind it, holds links to the files of
// the store as of one moment, while they are copied or read. It is removed when
// that is done, and after a crash when the store is opened.
const stagingPrefix = "staging-"

// A BackupProgress says how far a backup has come.
type BackupProgress struct {
	// Bytes of Total are done.
	Bytes, Total int64
}

// A BackupResult says what a backup is made of.
type BackupResult struct {
	Node  string    `json:"node"`
	Seq   uint64    `json:"seq"`
	Made  time.Time `json:"made"`
	Files int       `json:"files"`
	Bytes int64     `json:"bytes"`
	// LinkedBytes is what takes no room of its own: tables that are hard links to
	// those of the former backup, or of the store.
	LinkedBytes int64 `json:"linked_bytes"`
}

// Backup makes a backup in dir, or makes the one of this node that is there a
// backup of now. Everything that was acknowledged before is in it. It is whole
// or, after a crash, not there; what it replaces goes when it is whole. A
// directory that holds anything else is refused and left alone.
//
// The files are hard links to the store's where they can be. Else they are
// copied, but for those that the former backup has. told, which may be nil, is
// told of the progress. It may run concurrently with everything; Close ends it.
func (s *Store) Backup(ctx context.Context, dir string, told func(BackupProgress)) (BackupResult, error) {
	target, err := openTarget(s.opts.FS, dir, s.node)
	if err != nil {
		return BackupResult{}, fmt.Errorf("persistence: backup: %w", err)
	}
	var r BackupResult
	err = s.staged(func(b *Backup, from string) error {
		c := &fileCopy{files: s.opts.FS, check: s.unless(ctx), told: told}
		c.progress.Total = b.Bytes()
		for i := range b.Files {
			linked, err := target.add(c, from, &b.Files[i])
			if err != nil {
				return err
			}
			if linked {
				r.LinkedBytes += b.Files[i].Bytes
			}
		}
		r = resultOf(b, r.LinkedBytes)
		return target.commit(b)
	})
	if err := errors.Join(err, target.close()); err != nil {
		return BackupResult{}, fmt.Errorf("persistence: backup to %s: %w", dir, err)
	}
	return r, nil
}

// WriteBackup writes a backup to w, as a tar whose last entry is the list of the
// others. It is as [Store.Backup] else.
func (s *Store) WriteBackup(ctx context.Context, w io.Writer) (BackupResult, error) {
	var r BackupResult
	err := s.staged(func(b *Backup, from string) error {
		t := tar.NewWriter(w)
		c := &fileCopy{files: s.opts.FS, check: s.unless(ctx)}
		for i := range b.Files {
			f := &b.Files[i]
			err := t.WriteHeader(&tar.Header{Name: f.Name, Size: f.Bytes, Mode: 0o600, ModTime: f.Modified})
			if err != nil {
				return err
			}
			if f.SHA256, err = c.read(t, s.opts.FS.PathJoin(from, f.Name)); err != nil {
				return err
			}
		}
		list, err := encodeList(b)
		if err != nil {
			return err
		}
		if err := t.WriteHeader(&tar.Header{Name: listName, Size: int64(len(list)), Mode: 0o600, ModTime: b.Made}); err != nil {
			return err
		}
		_, err = t.Write(list)
		r = resultOf(b, 0)
		return errors.Join(err, t.Close())
	})
	if err != nil {
		return BackupResult{}, fmt.Errorf("persistence: backup: %w", err)
	}
	return r, nil
}

func resultOf(b *Backup, linked int64) BackupResult {
	return BackupResult{Node: b.Node, Seq: b.Seq, Made: b.Made, Files: len(b.Files), Bytes: b.Bytes(), LinkedBytes: linked}
}

// unless returns what stops a long operation: ctx, and the closing of the store.
func (s *Store) unless(ctx context.Context) func() error {
	return func() error {
		if s.reads.ending() {
			return ErrClosed
		}
		return ctx.Err()
	}
}

// staged calls f with a directory that holds the files of the store as of now,
// and what they are; their sums are f's to find. It is gone afterwards.
func (s *Store) staged(f func(b *Backup, dir string) error) (err error) {
	if err := s.reads.enter(); err != nil {
		return err
	}
	defer s.reads.leave()
	files, b := s.opts.FS, &Backup{Node: s.node, Made: time.Now().UTC().Round(0)}
	state, err := readLogState(s.db)
	if err != nil {
		return err
	}
	b.Seq = state.last
	dir := files.PathJoin(s.dir, fmt.Sprintf("%s%d", stagingPrefix, s.stagings.Add(1)))
	defer func() { err = errors.Join(err, files.RemoveAll(dir)) }()
	if err := s.db.Checkpoint(dir, pebble.WithFlushedWAL()); err != nil {
		return err
	}
	if err := vfs.LinkOrCopy(files, files.PathJoin(s.dir, markerName), files.PathJoin(dir, markerName)); err != nil {
		return err
	}
	names, err := files.List(dir)
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		info, err := files.Stat(files.PathJoin(dir, name))
		if err != nil {
			return err
		}
		b.Files = append(b.Files, BackupFile{Name: name, Bytes: info.Size(), Modified: info.ModTime().UTC()})
	}
	return f(b, dir)
}

// removeStagings removes what a crash has left of them.
func removeStagings(files vfs.FS, dir string) error {
	names, err := files.List(dir)
	if err != nil {
		return fmt.Errorf("persistence: %w", err)
	}
	for _, name := range names {
		if !strings.HasPrefix(name, stagingPrefix) {
			continue
		}
		if err := files.RemoveAll(files.PathJoin(dir, name)); err != nil {
			return fmt.Errorf("persistence: %w", err)
		}
	}
	return nil
}

// A fileCopy copies files one by one, and sums up what it reads.
type fileCopy struct {
	files    vfs.FS
	check    func() error
	told     func(BackupProgress) // may be nil
	progress BackupProgress
}

// advance counts bytes that were done.
func (c *fileCopy) advance(n int64) {
	c.progress.Bytes += n
	if c.told != nil {
		c.told(c.progress)
	}
}

// read reads a file into w and returns its sum.
func (c *fileCopy) read(w io.Writer, name string) (sum string, err error) {
	f, err := c.files.Open(name)
	if err != nil {
		return "", err
	}
	_, sum, err = sumOf(w, &checkedReader{f, c})
	return sum, errors.Join(err, f.Close())
}

// copy copies a file and returns its sum.
func (c *fileCopy) copy(from, to string) (sum string, err error) {
	return sum, writeSynced(c.files, to, func(w io.Writer) error {
		sum, err = c.read(w, from)
		return err
	})
}

// writeSynced makes a file of what write writes, and syncs it.
func writeSynced(files vfs.FS, name string, write func(io.Writer) error) error {
	f, err := files.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Sync(), f.Close())
}

// A checkedReader stops when its copy has to.
type checkedReader struct {
	io.Reader
	copy *fileCopy
}

func (r *checkedReader) Read(p []byte) (int, error) {
	if err := r.copy.check(); err != nil {
		return 0, err
	}
	n, err := r.Reader.Read(p)
	r.copy.advance(int64(n))
	return n, err
}
