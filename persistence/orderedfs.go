package persistence

import (
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// An orderedFS syncs a directory before a marker is made in it. The name of a
// Pebble marker names another file of the directory, such as the current
// MANIFEST, and Pebble syncs the directory once for both: a crash before that
// may leave the marker alone, and a database that does not open.
type orderedFS struct{ vfs.FS }

func (f orderedFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(f.PathBase(name), "marker.") {
		if err := syncDirectory(f.FS, f.PathDir(name)); err != nil {
			return nil, err
		}
	}
	return f.FS.Create(name, category)
}

// Unwrap lets Pebble find the file system below.
func (f orderedFS) Unwrap() vfs.FS { return f.FS }
