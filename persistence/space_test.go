package persistence

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func TestWritesAreRefusedWhileTheDiskIsAlmostFull(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1000})
	s := openTest(t, "data", Options{FS: fs, MinFreeBytes: 1000})
	put(t, s, "1", "{}")
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 999})
	s.space.check()
	write := &Write{Key: Key{"fleet", "trucks", "1"}, Body: []byte("{}"), Time: time.Unix(1, 0)}
	for _, tt := range []struct {
		name string
		op   Op
		want error
	}{
		{"a write", Op{Write: write}, ErrDiskFull},
		{"a deletion", Op{Write: &Write{Key: write.Key}}, ErrDiskFull},
		{"a record", Op{Records: []Record{DeleteRetained("a"), PutRetained(Retained{Topic: "a"})}}, ErrDiskFull},
		{"deleting records", Op{Records: []Record{DeleteRetained("a"), DeleteSession("a"), DeleteSubscription("a", "b")}}, nil},
		{"a snapshot", Op{Snapshot: true}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := s.Append(t.Context(), &tt.op); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	if _, err := s.Get(write.Key); err != nil {
		t.Errorf("read: %v", err)
	}
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1000})
	s.space.check()
	put(t, s, "1", "{}")
}

func TestTheDiskIsCheckedAgainByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewMem()
		fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1})
		s, stop := open(t, "data", Options{FS: fs, MinFreeBytes: 2})
		defer stop()
		op := &Op{Write: &Write{Key: Key{"fleet", "trucks", "1"}, Body: []byte("{}")}}
		if err := s.Append(t.Context(), op); !errors.Is(err, ErrDiskFull) {
			t.Errorf("got %v, want %v", err, ErrDiskFull)
		}
		fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 2})
		time.Sleep(housekeepingInterval)
		synctest.Wait()
		put(t, s, "1", "{}")
	})
}

// A flood between two looks at the clock finds out, and so do the ops that have
// been appended by then.
func TestTheDiskIsCheckedAgainAfterSoManyBytes(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 32 << 20})
	s := openTest(t, "data", Options{FS: fs, MinFreeBytes: 16 << 20})
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1})
	const ops = 100
	results := make(chan error, ops)
	body := fmt.Appendf(nil, `{"pad":"%0200000d"}`, 0)
	for range ops { // 20 MB, which fit into the queue
		op := &Op{
			Write:     &Write{Key: Key{"fleet", "trucks", "1"}, Body: body},
			Committed: func(r *Result) { results <- r.Err },
		}
		if err := s.Append(t.Context(), op); err != nil {
			results <- err
		}
	}
	accepted := 0
	for range ops {
		switch err := <-results; {
		case err == nil:
			accepted++
		case !errors.Is(err, ErrDiskFull):
			t.Error(err)
		}
	}
	if accepted > ops/2 {
		t.Errorf("%d of %d writes were accepted on a full disk", accepted, ops)
	}
	if log, err := consistent(s); err != nil || len(log) != accepted {
		t.Errorf("%d writes were accepted, %d are in the log; %v", accepted, len(log), err)
	}
}
