package persistence

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// The file of this name says what wrote the directory, so that an older
// program refuses a newer directory instead of misreading it.
const (
	markerName   = "AMBIT"
	markerPrefix = "ambit store, format "
)

// The formats of a store. It has the lowest that is right for what is in it, so that an older
// program can go on with what it understands.
const (
	plainFormat = 1
	// indexFormat is that of a store with search indexes: a program that does not know of
	// them would write documents past them.
	indexFormat = 2
	// storeFormat is the highest that this program reads.
	storeFormat = indexFormat
)

// lockDirectory makes dir if it is absent and locks it.
func lockDirectory(files vfs.FS, dir string) (*pebble.Lock, error) {
	if err := makeDirectory(files, dir); err != nil {
		return nil, fmt.Errorf("persistence: %w", err)
	}
	lock, err := pebble.LockDirectory(dir, files)
	// A path error is about the lock file itself. What remains is the lock.
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return nil, fmt.Errorf("persistence: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("persistence: %s: %w", dir, ErrLocked)
	}
	return lock, nil
}

// makeDirectory makes dir and its parents, and syncs every parent whose entry
// is new: a synced file in a directory that a crash takes away is lost, too.
func makeDirectory(files vfs.FS, dir string) error {
	if _, err := files.Stat(dir); err == nil {
		return nil
	}
	parent := files.PathDir(dir)
	if parent == dir {
		return nil
	}
	if err := makeDirectory(files, parent); err != nil {
		return err
	}
	if err := files.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return syncDirectory(files, parent)
}

func syncDirectory(files vfs.FS, dir string) error {
	d, err := files.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// wantStore fails, and touches nothing, if there is no store in dir.
func wantStore(files vfs.FS, dir string) error {
	_, err := files.Stat(files.PathJoin(dir, markerName))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("persistence: there is no store in %s", dir)
	}
	if err != nil {
		return fmt.Errorf("persistence: %w", err)
	}
	return nil
}

// checkMarker reads the marker of dir, and writes it in a directory that holds
// no database yet.
func checkMarker(files vfs.FS, dir string) error {
	format, err := readFormat(files, dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return writeMarker(files, dir)
	case err != nil:
		return err
	case format > storeFormat:
		return fmt.Errorf("persistence: %s was written by a newer version of Ambit (format %d, this one reads %d)", dir, format, storeFormat)
	}
	return nil
}

// readFormat returns the format that the marker of dir says.
func readFormat(files vfs.FS, dir string) (int, error) {
	f, err := files.Open(files.PathJoin(dir, markerName))
	if err != nil {
		return 0, fmt.Errorf("persistence: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, 1024))
	if err := errors.Join(err, f.Close()); err != nil {
		return 0, fmt.Errorf("persistence: read %s: %w", markerName, err)
	}
	number, ok := strings.CutPrefix(strings.TrimSpace(string(text)), markerPrefix)
	format, err := strconv.Atoi(number)
	if !ok || err != nil || format < plainFormat {
		return 0, fmt.Errorf("persistence: %s: the file %s is damaged", dir, markerName)
	}
	return format, nil
}

// setFormat has the marker of dir say a format.
func setFormat(files vfs.FS, dir string, format int) error {
	if now, err := readFormat(files, dir); now == format || err != nil {
		return err
	}
	return putMarker(files, dir, format)
}

// writeMarker makes the marker of a directory that has none.
func writeMarker(files vfs.FS, dir string) error {
	if desc, err := pebble.Peek(dir, files); err != nil {
		return fmt.Errorf("persistence: %w", err)
	} else if desc.Exists {
		return fmt.Errorf("persistence: %s holds a database but no file %s: it is not Ambit's, or damaged", dir, markerName)
	}
	return putMarker(files, dir, plainFormat)
}

// putMarker puts the marker in place whole or not at all.
func putMarker(files vfs.FS, dir string, format int) error {
	name := files.PathJoin(dir, markerName)
	f, err := files.Create(name+".new", vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("persistence: %w", err)
	}
	_, err = fmt.Fprintf(f, "%s%d\n", markerPrefix, format)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("persistence: write %s: %w", markerName, err)
	}
	if err := errors.Join(files.Rename(name+".new", name), syncDirectory(files, dir)); err != nil {
		return fmt.Errorf("persistence: write %s: %w", markerName, err)
	}
	return nil
}

// openDatabase opens the database of a locked directory. One that is new gets
// its node id and is opened a second time: Pebble writes the log of the very
// first opening in an older form, in which damage goes unnoticed.
func openDatabase(dir string, o Options, lock *pebble.Lock, log *pebbleLog) (*pebble.DB, string, error) {
	if err := checkDamage(dir, o, lock, log); err != nil {
		return nil, "", err
	}
	db, err := pebble.Open(dir, o.pebble(lock, log))
	if err != nil {
		return nil, "", fmt.Errorf("persistence: open %s: %w", dir, err)
	}
	node, err := getValue(db, metaNode())
	if err == nil {
		return db, string(node), nil
	}
	if errors.Is(err, ErrNotFound) {
		err = db.Set(metaNode(), []byte(newNodeID()), pebble.Sync)
	}
	if err := errors.Join(err, db.Close()); err != nil {
		return nil, "", fmt.Errorf("persistence: create %s: %w", dir, err)
	}
	return openDatabase(dir, o, lock, log)
}
