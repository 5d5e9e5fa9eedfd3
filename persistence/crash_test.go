package persistence

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// A crash keeps what was synced and a random part of what was not.

func TestWhatWasAcknowledgedSurvivesACrash(t *testing.T) {
	t.Parallel()
	stores := 40
	if testing.Short() {
		stores = 4
	}
	acked, missing := crashes(t, stores, Options{})
	if missing > 0 {
		t.Errorf("%d of %d acknowledged changes are lost", missing, acked)
	}
	if acked == 0 {
		t.Error("nothing was acknowledged, so nothing was tested")
	}
}

// Without syncs the test above must find a loss, or it could not fail at all.
func TestACrashLosesWhatWasNotSynced(t *testing.T) {
	t.Parallel()
	acked, missing := crashes(t, 1, Options{noSync: true})
	if missing == 0 {
		t.Errorf("none of %d changes that were not synced is lost: the test of crashes tests nothing", acked)
	}
}

func TestATrimmedChangeLogSurvivesACrash(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 0))
	fs := vfs.NewCrashableMem()
	acks := newAckLog()
	var trimmed uint64
	for range 10 {
		o := Options{FS: fs, LogBytes: 256 << 10, QueueOps: 100}
		fs = crash(t, o, acks, rng)
		o.FS = fs
		s, stop := open(t, "data", o)
		snap := s.Snapshot()
		if snap.state.trimmed < trimmed {
			t.Errorf("the log was trimmed up to %d and is now up to %d", trimmed, snap.state.trimmed)
		}
		trimmed = snap.state.trimmed
		wantFirst, wantLast := trimmed+1, snap.Seq()
		if trimmed == snap.Seq() {
			wantFirst, wantLast = 0, 0 // one group was larger than the whole log may be
		}
		if first, last := logged(t, snap.Changes, trimmed); first != wantFirst || last != wantLast {
			t.Errorf("the log has changes %d to %d, want %d to %d", first, last, wantFirst, wantLast)
		}
		for _, c := range lastChanges(acks.crashed) {
			if c.Seq > snap.Seq() {
				t.Errorf("change %d is lost: the last is %d", c.Seq, snap.Seq())
			}
			d, err := snap.Get(c.Key)
			if err == nil && d.Seq < c.Seq {
				t.Errorf("%s is as of change %d, change %d is lost", c.Key, d.Seq, c.Seq)
			}
		}
		snap.Close()
		if r, err := s.Check(t.Context()); err != nil || len(r.Faults) > 0 {
			t.Errorf("the check finds %+v, %v", r, err)
		}
		stop()
	}
	if trimmed == 0 {
		t.Error("nothing was trimmed, so nothing was tested")
	}
}

// lastChanges returns the last of the acknowledged changes of every key.
func lastChanges(acked []*Result) map[Key]*Change {
	last := map[Key]*Change{}
	for _, r := range acked {
		if r.Change != nil {
			last[r.Change.Key] = r.Change
		}
	}
	return last
}

// crashes writes to stores that crash at random moments and go on from what
// is left. It returns how many changes were acknowledged before the crashes,
// and how many of these were missing after one.
func crashes(t *testing.T, stores int, o Options) (acked, missing int) {
	t.Helper()
	const crashesOfEach = 5
	o.QueueOps = 100 // short groups: a crash shall find some that are synced
	for seed := range uint64(stores) {
		rng := rand.New(rand.NewPCG(seed, 0))
		fs := vfs.NewCrashableMem()
		acks := newAckLog()
		for range crashesOfEach {
			o.FS = fs
			fs = crash(t, o, acks, rng)
			missing += recovered(t, fs, acks.crashed)
		}
		acked += len(acks.crashed)
	}
	t.Logf("%d crashes, %d acknowledged changes, %d lost", stores*crashesOfEach, acked, missing)
	return acked, missing
}

// crash lets several appenders write and delete at random, and returns what
// is left of the file system when they are interrupted by a crash.
func crash(t *testing.T, o Options, acks *ackLog, rng *rand.Rand) (left *vfs.MemFS) {
	t.Helper()
	s, stop := open(t, "data", o)
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for a := range 4 {
		unique := fmt.Sprintf("%d-%d", rng.Uint64(), a)
		own := rand.New(rand.NewPCG(rng.Uint64(), 0))
		wait.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				op := randomOp(own, fmt.Sprintf("%s-%d", unique, i), acks.add)
				if err := s.Append(ctx, op); err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			}
		})
	}
	acks.wait(1 + rng.IntN(600)) // first, or what is acknowledged meanwhile would count
	left = o.FS.(*vfs.MemFS).CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
	cancel()
	wait.Wait()
	stop()
	return left
}

// recovered opens a store that has crashed and returns how many of the
// acknowledged changes it lacks.
func recovered(t *testing.T, fs vfs.FS, acked []*Result) int {
	t.Helper()
	s, stop := open(t, "data", Options{FS: fs})
	defer stop()
	log, err := consistent(s)
	if err != nil {
		t.Fatal(err)
	}
	if got := put(t, s, "new", "{}").Seq; got != uint64(len(log)+1) {
		t.Fatalf("seq after %d changes: got %d", len(log), got)
	}
	return lost(acked, log)
}

// randomOp writes, deletes, or asks for a snapshot, which splits a group.
func randomOp(rng *rand.Rand, unique string, committed func(*Result)) *Op {
	op := &Op{Committed: committed}
	w := &Write{Key: Key{"fleet", "trucks", fmt.Sprint(rng.IntN(50))}, Time: time.Unix(int64(rng.IntN(1e9)), 0)}
	switch n := rng.IntN(100); {
	case n < 75:
		w.Body = fmt.Appendf(nil, `{"n":%q,"pad":"%0*d"}`, unique, rng.IntN(2000), 0)
		op.Write = w
	case n < 90:
		op.Write = w
	case n < 95:
		op.Records = []Record{DeleteSession(unique), PutSession(Session{ClientID: unique})}
	default:
		op.Snapshot = true
		op.Committed = func(r *Result) {
			r.Snapshot.Close()
			committed(r)
		}
	}
	return op
}

func TestAStoreOpensAfterACrashAtAnyFileOperation(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 0))
	fs := vfs.NewCrashableMem()
	var mu sync.Mutex // guards clones
	var clones []*vfs.MemFS
	crashing := errorfs.Wrap(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
		mu.Lock()
		defer mu.Unlock()
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			for _, percent := range []int{0, 20, 50, 80, 100} {
				clones = append(clones, fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rng}))
			}
		}
		return nil
	}))
	for range 2 { // the second time with a log to recover
		s, stop := open(t, "some/where/data", Options{FS: crashing})
		put(t, s, "1", "{}")
		stop()
	}
	t.Logf("%d crashes", len(clones))
	for i, clone := range clones {
		s, err := Open("some/where/data", Options{FS: clone})
		if err != nil {
			t.Fatalf("crash %d of %d: %v", i, len(clones), err)
		}
		drained := drain(s)
		if _, err := consistent(s); err != nil {
			t.Errorf("crash %d of %d: %v", i, len(clones), err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		<-drained
	}
}
