package persistence

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

func ephemeral(collection, id, body string) *Write {
	w := &Write{Key: Key{"fleet", collection, id}, Time: time.Unix(1, 0), Ephemeral: true}
	if body != "" {
		w.Body = []byte(body)
	}
	return w
}

// seqs returns the sequence numbers of the changes after one.
func seqs(t *testing.T, s *Snapshot, after uint64) (all []uint64) {
	t.Helper()
	for c, err := range s.Changes(after) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c.Seq)
	}
	return all
}

// A stalling disk does not sync until it is released.
type stalling struct {
	stalled           atomic.Bool
	reached, released chan struct{}
}

func (s *stalling) sync(op errorfs.Op) error {
	if (op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData) && s.stalled.Load() {
		tell(s.reached)
		<-s.released
	}
	return nil
}

// A write of an ephemeral document is told of though the disk does not sync.
func TestEphemeralDocumentsDoNotWaitForASync(t *testing.T) {
	t.Parallel()
	disk := &stalling{reached: make(chan struct{}, 1), released: make(chan struct{})}
	s, stop := open(t, "data", Options{FS: errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(disk.sync))})
	do(t, s, &Op{Write: ephemeral("live", "0", "{}")}) // the first one says on disk that there are any
	disk.stalled.Store(true)
	for i := range 10 {
		do(t, s, &Op{Write: ephemeral("live", fmt.Sprint(i), "{}")})
	}
	told := make(chan struct{})
	op := &Op{Write: &Write{Key: Key{"fleet", "trucks", "1"}, Body: []byte("{}")}, Committed: func(*Result) { close(told) }}
	if err := s.Append(t.Context(), op); err != nil {
		t.Fatal(err)
	}
	<-disk.reached
	select {
	case <-told:
		t.Error("a document on disk is told of before it is synced")
	default:
	}
	disk.stalled.Store(false)
	close(disk.released)
	<-told
	stop()
}

// After any crash no seq is given out again that was told of, and whoever knows of an
// ephemeral change learns that something is lost.
func TestSeqsOfEphemeralChangesAreNotUsedAgainAfterACrash(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(4, 0))
	fs := vfs.NewCrashableMem()
	told := uint64(0)
	for life := range 10 {
		s, stop := open(t, "data", Options{FS: fs})
		snap := s.Snapshot()
		if lost := snap.Lost("fleet", "live"); life > 0 && (lost <= told || lost > snap.Seq()) {
			t.Errorf("life %d: %d is lost, want more than %d, up to %d", life, lost, told, snap.Seq())
		}
		if lost := snap.Lost("fleet", "trucks"); lost != 0 {
			t.Errorf("%d is lost of a collection on disk", lost)
		}
		for _, err := range snap.Documents("fleet", "live", "") {
			t.Errorf("an ephemeral document is there after a crash, %v", err)
		}
		snap.Close()
		for i := range rng.IntN(50) {
			w := ephemeral("live", fmt.Sprint(i%7), "{}")
			if rng.IntN(10) == 0 {
				w = &Write{Key: Key{"fleet", "trucks", fmt.Sprint(i)}, Body: []byte("{}")}
			}
			r := do(t, s, &Op{Write: w})
			if r.Seq <= told {
				t.Fatalf("life %d: seq %d, and %d was told of", life, r.Seq, told)
			}
			told = r.Seq
		}
		crashed := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
		stop()
		fs = crashed
	}
}

// The log on disk is complete though numbers are missing in it, and not if a change is.
func TestTheChangeLogWithEphemeralChangesIsComplete(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s, stop := open(t, "data", Options{FS: fs})
	for i := range 30 {
		w := ephemeral("live", fmt.Sprint(i), "{}")
		if i%3 == 1 {
			w = &Write{Key: Key{"fleet", "trucks", fmt.Sprint(i)}, Body: []byte("{}")}
		}
		do(t, s, &Op{Write: w})
	}
	stop()
	s, stop = open(t, "data", Options{FS: fs})
	defer stop()
	do(t, s, &Op{Write: &Write{Key: Key{"fleet", "trucks", "x"}, Body: []byte("{}")}})
	if err := complete(s.db); err != nil {
		t.Errorf("the log is complete: %v", err)
	}
	snap := s.Snapshot()
	all := seqs(t, snap, 0)
	snap.Close()
	if len(all) != 11 || all[0] != 2 || all[1] != 5 {
		t.Fatalf("changes on disk: %d", all)
	}
	for _, seq := range []uint64{all[0], all[5], all[10]} {
		key := appendSeqKey(nil, spaceChanges, seq)
		value, err := getValue(s.db, key)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(s.db.Delete(key, nil)); err != nil {
			t.Fatal(err)
		}
		if err := complete(s.db); err == nil {
			t.Errorf("change %d is missing, and nobody has noticed", seq)
		}
		if err := s.db.Set(key, value, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheLogOfEphemeralChangesKeepsItsSizeAndAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, stop := open(t, "data", Options{FS: vfs.NewMem(), EphemeralLogBytes: 10_000, LogAge: time.Hour})
		defer stop()
		put(t, s, "1", "{}")
		for i := range 100 {
			do(t, s, &Op{Write: ephemeral("live", fmt.Sprint(i), "{}")})
		}
		do(t, s, &Op{Write: ephemeral("other", "1", "{}")})
		snap := s.Snapshot()
		all := seqs(t, snap, 0)
		if n := len(all); n < 10 || n > 30 || all[0] != 1 || all[n-1] != 102 {
			t.Errorf("changes: %d", all)
		}
		if lost := snap.Lost("fleet", "live"); lost != all[1]-1 {
			t.Errorf("%d is lost, the log goes on with %d", lost, all[1])
		}
		if lost := snap.Lost("fleet", "other"); lost != 0 {
			t.Errorf("%d is lost of another collection", lost)
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		later := s.Snapshot()
		if all := seqs(t, later, 102); len(all) > 0 || later.Lost("fleet", "other") != 102 {
			t.Errorf("two hours later: changes %d, lost %d", all, later.Lost("fleet", "other"))
		}
		later.Close()
		if again := seqs(t, snap, 0); !reflect.DeepEqual(all[1:], again[1:]) {
			t.Errorf("the snapshot has changes %d now, and had %d", again, all)
		}
		snap.Close()
	})
}

func TestEphemeralDocumentsExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, stop := open(t, "data", Options{FS: vfs.NewMem()})
		defer stop()
		for i := range 2*maxDue + 1 {
			w := ephemeral("live", fmt.Sprint(i), "{}")
			w.Expires = s.Now().Add(time.Duration(1+i%2) * time.Minute)
			do(t, s, &Op{Write: w})
		}
		w := ephemeral("live", "0", "{}")
		do(t, s, &Op{Write: w}) // for ever after all
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		documents, changes, err := contents(s)
		if err != nil || len(documents) != 1 {
			t.Errorf("%d documents are there, %v", len(documents), err)
		}
		equalStrings(t, "changes", changesOf(changes, "1"), "create", "delete")
		equalStrings(t, "changes", changesOf(changes, "0"), "create", "replace")
		equalStrings(t, "the index on disk", entries(t, s.db))
		if n := s.memory.Load().documents.Len(); n != 1 {
			t.Errorf("%d documents are in memory", n)
		}
	})
}

func TestMemoryForEphemeralDocumentsIsBounded(t *testing.T) {
	t.Parallel()
	s := openTest(t, "data", Options{FS: vfs.NewMem(), EphemeralBytes: 10_000})
	n, full := 0, error(nil)
	for ; full == nil && n < 100; n++ {
		full = tryWrite(t, s, ephemeral("live", fmt.Sprint(n), "{}"))
	}
	if !errors.Is(full, ErrMemoryFull) || n < 10 {
		t.Fatalf("after %d documents: %v", n, full)
	}
	for _, w := range []*Write{
		ephemeral("live", "1", "{}"), // not larger than before
		ephemeral("live", "2", ""),
		{Key: Key{"fleet", "live", "new"}, Body: []byte("{}")},
		ephemeral("live", "3", "{}"),
	} {
		if err := tryWrite(t, s, w); err != nil {
			t.Errorf("%s: %v", w.Key, err)
		}
	}
}

func tryWrite(t *testing.T, s *Store, w *Write) error {
	t.Helper()
	results := make(chan error, 1)
	if err := s.Append(t.Context(), &Op{Write: w, Committed: func(r *Result) { results <- r.Err }}); err != nil {
		t.Fatal(err)
	}
	return <-results
}

// A snapshot has documents and changes of memory and disk as of the same change, while
// both are written.
func TestSnapshotsHaveMemoryAndDiskAsOfOneChange(t *testing.T) {
	t.Parallel()
	s := openTest(t, "data", Options{FS: vfs.NewMem()})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 3000 {
			w := ephemeral("live", fmt.Sprint(i%10), "{}")
			w.Ephemeral = i%2 == 0
			if err := s.Append(t.Context(), &Op{Write: w}); err != nil {
				t.Error(err)
			}
		}
	}()
	for more := true; more; {
		select {
		case <-done:
			more = false
		default:
		}
		snap := s.Snapshot()
		all := seqs(t, snap, 0)
		if n := uint64(len(all)); n != snap.Seq() || n > 0 && all[n-1] != n {
			t.Fatalf("a snapshot as of change %d has %d changes", snap.Seq(), n)
		}
		last := uint64(0)
		for d, err := range snap.Documents("fleet", "live", "") {
			if err != nil {
				t.Fatal(err)
			}
			last = max(last, d.Seq)
		}
		if last != snap.Seq() {
			t.Fatalf("a snapshot as of change %d has documents up to %d", snap.Seq(), last)
		}
		snap.Close()
	}
}
