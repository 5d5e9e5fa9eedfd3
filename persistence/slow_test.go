package persistence

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// A disk that takes its time slows down whoever writes: what waits stays within
// the bound of the queue, syncs are shared by more, and nothing is lost.
func TestASlowDiskSlowsDownWhoWrites(t *testing.T) {
	t.Parallel()
	const (
		latency           = 3 * time.Millisecond
		queueOps, writers = 64, 300
	)
	var syncs atomic.Int64
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if isSync(op.Kind) && strings.HasSuffix(op.Path, ".log") {
			syncs.Add(1)
			time.Sleep(latency) // what the disk does
		}
		return nil
	}))
	s := openTest(t, "data", Options{FS: fs, QueueOps: queueOps})
	syncs.Store(0)
	var inside, most, acked atomic.Int64 // appended and not committed
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			for i := range 10 {
				op := &Op{Write: &Write{Key: Key{"fleet", "trucks", fmt.Sprint(w)}, Body: fmt.Appendf(nil, `{"n":%d}`, i)}}
				op.Committed = func(r *Result) {
					inside.Add(-1)
					acked.Add(count(r.Err == nil))
				}
				if err := s.Append(t.Context(), op); err != nil {
					t.Error(err)
				}
				now := inside.Add(1)
				for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
				}
			}
		})
	}
	wait.Wait()
	do(t, s, &Op{Records: []Record{PutSession(Session{ClientID: "last"})}})
	if n := acked.Load(); n != 10*writers {
		t.Errorf("%d of %d writes were acknowledged", n, 10*writers)
	}
	// One group is queued, one being built, one between and one being synced.
	if most.Load() > 5*queueOps {
		t.Errorf("%d ops were waiting for the disk; the queue holds %d", most.Load(), queueOps)
	}
	if shared := acked.Load() / syncs.Load(); shared < queueOps/4 {
		t.Errorf("%d writes share a sync", shared)
	}
	log, err := consistent(s)
	if err != nil || len(log) != 10*writers {
		t.Errorf("the log has %d of %d changes: %v", len(log), 10*writers, err)
	}
}
