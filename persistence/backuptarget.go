package persistence

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// A backupTarget is a directory in which a backup is made. The backup grows
// beside it and takes its place when it is whole.
type backupTarget struct {
	files              vfs.FS
	dir, fresh, former string
	lock               io.Closer
	replaces           bool                  // a backup that is there
	old                map[string]BackupFile // its files
	whole              bool
}

// openTarget looks whether a backup of node may be made in dir, mends what a
// crash has left, and keeps others from making one there.
func openTarget(files vfs.FS, dir, node string) (*backupTarget, error) {
	if base := files.PathBase(dir); base == "." || base == ".." {
		return nil, fmt.Errorf("%s: a directory is wanted by its name", dir)
	}
	dir = files.PathJoin(files.PathDir(dir), files.PathBase(dir)) // without a slash at its end
	t := &backupTarget{files: files, dir: dir, fresh: dir + ".ambit-new", former: dir + ".ambit-old"}
	if err := t.mayMake(node); err != nil {
		return nil, err
	}
	if err := makeDirectory(files, t.fresh); err != nil {
		return nil, err
	}
	var err error
	if t.lock, err = files.Lock(files.PathJoin(t.fresh, lockName)); err != nil {
		return nil, fmt.Errorf("another backup is being made there: %s: %w", t.fresh, err)
	}
	if err := t.begin(node); err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

// mayMake fails, and touches nothing, if there is something that is not ours.
func (t *backupTarget) mayMake(node string) error {
	for _, dir := range []string{t.fresh, t.former} {
		if err := checkOurs(t.files, dir); err != nil {
			return err
		}
	}
	_, err := t.present(node)
	return err
}

// present returns the backup that is there, nil for none.
func (t *backupTarget) present(node string) (*Backup, error) {
	names, err := t.files.List(t.dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(names) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	b, err := readList(t.files, t.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s is not empty, and not a backup", t.dir)
	case err != nil:
		return nil, fmt.Errorf("%s is not a backup that may be replaced: %w", t.dir, err)
	case b.Node != node:
		return nil, fmt.Errorf("%s is a backup of another node: of %s, and this one is %s", t.dir, b.Node, node)
	}
	listed := b.byName()
	for _, name := range names {
		if _, ok := listed[name]; !ok && name != listName && name != lockName {
			return nil, fmt.Errorf("%s holds %s, which is not part of the backup", t.dir, name)
		}
	}
	return b, nil
}

// begin finds what will be replaced, and clears what a crash has left.
func (t *backupTarget) begin(node string) error {
	_, err := t.files.Stat(t.dir)
	switch {
	case err == nil:
		err = removeOurs(t.files, t.former)
	case errors.Is(err, fs.ErrNotExist):
		err = t.recall()
	}
	if err != nil {
		return err
	}
	old, err := t.present(node)
	if err != nil {
		return err
	}
	if t.replaces, t.old = old != nil, old.byName(); !t.replaces {
		if err := t.files.Remove(t.dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s cannot be replaced; name a directory inside it: %w", t.dir, err)
		}
	}
	return emptyOurs(t.files, t.fresh)
}

// recall puts the former backup back if a crash came between the two steps of
// commit.
func (t *backupTarget) recall() error {
	whole, err := isBackup(t.files, t.former)
	if err != nil || !whole {
		return errors.Join(err, removeOurs(t.files, t.former))
	}
	return t.rename(t.former, t.dir)
}

// add adds a file of the staging directory and notes its sum. It reports whether
// that is a link to a table that is elsewhere, too.
func (t *backupTarget) add(c *fileCopy, staging string, f *BackupFile) (linked bool, err error) {
	from, to := t.files.PathJoin(staging, f.Name), t.files.PathJoin(t.fresh, f.Name)
	isTable := strings.HasSuffix(f.Name, ".sst") || strings.HasSuffix(f.Name, ".blob")
	if isTable && t.linkFormer(f, to) {
		c.advance(f.Bytes)
		return true, c.check()
	}
	if t.files.Link(from, to) != nil { // it is on another file system, most likely
		f.SHA256, err = c.copy(from, to)
		return false, err
	}
	f.SHA256, err = c.read(io.Discard, to)
	return isTable, err
}

// linkFormer takes a table from the backup that is replaced, if it has it. A
// table is never changed, and its number not used again.
func (t *backupTarget) linkFormer(f *BackupFile, to string) bool {
	former, ok := t.old[f.Name]
	if !ok || former.Bytes != f.Bytes || !former.Modified.Equal(f.Modified) {
		return false
	}
	name := t.files.PathJoin(t.dir, f.Name)
	info, err := t.files.Stat(name)
	if err != nil || info.Size() != f.Bytes || t.files.Link(name, to) != nil {
		return false
	}
	f.SHA256 = former.SHA256
	return true
}

// commit puts the backup in place. From the first rename to the second there is
// none; a crash there is mended by the next backup.
func (t *backupTarget) commit(b *Backup) error {
	list, err := encodeList(b)
	if err != nil {
		return err
	}
	err = writeSynced(t.files, t.files.PathJoin(t.fresh, listName), func(w io.Writer) error {
		_, err := w.Write(list)
		return err
	})
	if err != nil {
		return err
	}
	if err := syncDirectory(t.files, t.fresh); err != nil {
		return err
	}
	if t.replaces {
		if err := t.rename(t.dir, t.former); err != nil {
			return err
		}
	}
	if err := t.rename(t.fresh, t.dir); err != nil {
		if t.replaces {
			err = errors.Join(err, t.rename(t.former, t.dir))
		}
		return err
	}
	t.whole = true
	return nil
}

func (t *backupTarget) rename(from, to string) error {
	if err := t.files.Rename(from, to); err != nil {
		return err
	}
	return syncDirectory(t.files, t.files.PathDir(to))
}

// close ends it. Without commit, everything is as it was.
func (t *backupTarget) close() error {
	if !t.whole {
		return errors.Join(removeOurs(t.files, t.fresh), t.lock.Close())
	}
	return errors.Join(
		t.files.Remove(t.files.PathJoin(t.dir, lockName)),
		t.lock.Close(),
		removeOurs(t.files, t.former),
		syncDirectory(t.files, t.files.PathDir(t.dir)))
}

// checkOurs fails if dir, which may be absent, holds what no backup does.
func checkOurs(files vfs.FS, dir string) error {
	names, err := files.List(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, name := range names {
		if name != listName && name != lockName && !isBackupFile(name) {
			return fmt.Errorf("%s is in the way: it holds %s, which is not part of a backup", dir, name)
		}
	}
	return err
}

// emptyOurs removes the files of a backup, but for its lock, from dir, or fails
// if there is anything else.
func emptyOurs(files vfs.FS, dir string) error {
	if err := checkOurs(files, dir); err != nil {
		return err
	}
	names, err := files.List(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if slices.Contains(names, listName) { // first: the rest is no backup then
		names = append([]string{listName}, slices.DeleteFunc(names, func(name string) bool { return name == listName })...)
	}
	for _, name := range names {
		if name != lockName {
			err = errors.Join(err, files.Remove(files.PathJoin(dir, name)))
		}
	}
	return err
}

// removeOurs removes dir and the files of a backup in it, if it is there.
func removeOurs(files vfs.FS, dir string) error {
	if err := emptyOurs(files, dir); err != nil {
		return err
	}
	for _, name := range []string{files.PathJoin(dir, lockName), dir} {
		if err := files.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
