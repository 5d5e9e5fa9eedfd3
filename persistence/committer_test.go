package persistence

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// A stalledFS holds up every sync of the log until released.
type stalledFS struct {
	vfs.FS
	stalled atomic.Bool
	syncs   atomic.Int64
	release chan struct{}
}

func newStalledFS() *stalledFS {
	s := &stalledFS{release: make(chan struct{})}
	s.FS = errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if isSync(op.Kind) && s.stalled.Load() {
			s.syncs.Add(1)
			<-s.release
		}
		return nil
	}))
	return s
}

func TestWritesOfOneDocumentWhileTheDiskIsSlowHaveEveryVersion(t *testing.T) {
	t.Parallel()
	fs := newStalledFS()
	s := openTest(t, "data", Options{FS: fs})
	fs.stalled.Store(true)
	const n = 100
	results := make(chan *Result, n)
	for i := range n {
		w := &Write{Key: Key{"fleet", "trucks", "1"}, Body: fmt.Appendf(nil, "%d", i)}
		if err := s.Append(t.Context(), &Op{Write: w, Committed: func(r *Result) { results <- r }}); err != nil {
			t.Fatal(err)
		}
	}
	if len(results) > 0 {
		t.Error("an op was committed before its sync")
	}
	close(fs.release)
	for i := range n {
		if r := <-results; r.Change.After.Version != uint64(i+1) {
			t.Fatalf("write %d: got version %d", i+1, r.Change.After.Version)
		}
	}
	if got := fs.syncs.Load(); got > 10 {
		t.Errorf("%d writes took %d syncs, want few", n, got)
	}
}

func TestOpsThatWriteNothingNeedNoSync(t *testing.T) {
	t.Parallel()
	fs := newStalledFS()
	s := openTest(t, "data", Options{FS: fs})
	put(t, s, "1", "{}")
	fs.stalled.Store(true)
	r := do(t, s, &Op{Snapshot: true})
	r.Snapshot.Close()
	do(t, s, &Op{Write: &Write{Key: Key{"fleet", "trucks", "absent"}}})
	do(t, s, &Op{})
	if got := fs.syncs.Load(); got != 0 {
		t.Errorf("got %d syncs, want none", got)
	}
	close(fs.release)
}

// Without a reader of the tail the store takes in what its bounds allow, and no more.
func TestAppendBlocksBehindATailThatIsNotRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const queueOps = 10
		s, err := Open("data", Options{FS: vfs.NewMem(), QueueOps: queueOps})
		if err != nil {
			t.Fatal(err)
		}
		appended, committed := 0, 0
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for {
				w := &Write{Key: Key{"fleet", "trucks", "1"}, Body: []byte("{}")}
				if err := s.Append(ctx, &Op{Write: w, Committed: func(*Result) { committed++ }}); err != nil {
					if !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
					return
				}
				appended++
			}
		}()
		synctest.Wait()
		// Full: the queue, what is built, what is at the tail, what is in the tail.
		if most := 4 * queueOps; appended > most {
			t.Errorf("%d ops were appended, want %d at most", appended, most)
		}
		cancel()
		synctest.Wait()
		drained := drain(s)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		<-drained
		if appended != committed {
			t.Errorf("%d ops were appended, %d committed", appended, committed)
		}
	})
}

func TestADocumentThatCannotBeReadFailsItsWriteAlone(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s := openTest(t, "data", Options{FS: fs})
	put(t, s, "1", "{}")
	if err := s.db.Set(appendDocumentKey(nil, Key{"fleet", "trucks", "2"}), []byte{99}, nil); err != nil {
		t.Fatal(err)
	}
	results := make(chan *Result, 1)
	op := &Op{
		Write:     &Write{Key: Key{"fleet", "trucks", "2"}, Body: []byte("{}")},
		Records:   []Record{PutSession(Session{ClientID: "a"})},
		Snapshot:  true,
		Committed: func(r *Result) { results <- r },
	}
	if err := s.Append(t.Context(), op); err != nil {
		t.Fatal(err)
	}
	r := <-results
	if want := fmt.Sprintf("persistence: document fleet/trucks/2: value of format 99, this version reads %d", valueFormat); r.Err == nil || r.Err.Error() != want {
		t.Errorf("got error %v, want %s", r.Err, want)
	}
	if r.Change != nil || r.Snapshot != nil || r.Seq != 1 {
		t.Errorf("got %+v, want nothing but the error and seq 1", r)
	}
	for session, err := range s.Sessions() {
		t.Errorf("the failed op left session %v, %v", session, err)
	}
	if got := put(t, s, "1", "{}").Seq; got != 2 {
		t.Errorf("the next write has seq %d, want 2", got)
	}
}
