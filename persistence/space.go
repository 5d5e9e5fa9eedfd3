package persistence

import (
	"log/slog"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// A freeSpace says whether the disk has room for writes. Pebble itself would
// hang on a full disk.
type freeSpace struct {
	files vfs.FS
	dir   string
	min   atomic.Uint64 // 0 switches it off
	log   *slog.Logger
	short atomic.Bool
	// written is how many bytes were since the last check.
	written atomic.Int64
}

// wrote notes that the committer wrote so many bytes. Between two looks at the
// clock a flood could write more than is to be left free.
func (f *freeSpace) wrote(bytes int) {
	if f.written.Add(int64(bytes)) > int64(f.min.Load()/16) {
		f.check()
	}
}

// check asks the file system. If that has no answer, the last one stands.
func (f *freeSpace) check() {
	min := f.min.Load()
	if min == 0 {
		if f.short.Swap(false) {
			f.log.Warn("writes are accepted again: free space is not looked at any more", "dir", f.dir)
		}
		return
	}
	f.written.Store(0)
	usage, err := f.files.GetDiskUsage(f.dir)
	if err != nil {
		f.log.Warn("free space is unknown", "dir", f.dir, "error", err)
		return
	}
	short := usage.AvailBytes < min
	if short == f.short.Swap(short) {
		return
	}
	if short {
		f.log.Warn("writes are refused: the disk is almost full", "dir", f.dir, "free", usage.AvailBytes, "min", min)
	} else {
		f.log.Warn("writes are accepted again", "dir", f.dir, "free", usage.AvailBytes, "min", min)
	}
}
