package persistence

import (
	"fmt"
	"io"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// openTest opens a store whose tail is read, and closes it with the test.
func openTest(t *testing.T, dir string, o Options) *Store {
	t.Helper()
	s, stop := open(t, dir, o)
	t.Cleanup(stop)
	return s
}

// open opens a store whose tail is read. Stop closes it.
func open(t *testing.T, dir string, o Options) (s *Store, stop func()) {
	t.Helper()
	s, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	drained := drain(s)
	return s, func() {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		<-drained
	}
}

func drain(s *Store) (drained chan struct{}) {
	drained = make(chan struct{})
	go func() {
		defer close(drained)
		for results := range s.Tail() {
			for _, r := range results {
				r.Apply()
			}
		}
	}()
	return drained
}

// do appends op and returns its result once it was committed.
func do(t *testing.T, s *Store, op *Op) *Result {
	t.Helper()
	committed := make(chan *Result, 1)
	op.Committed = func(r *Result) { committed <- r }
	if err := s.Append(t.Context(), op); err != nil {
		t.Fatal(err)
	}
	r := <-committed
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	return r
}

func put(t *testing.T, s *Store, id string, body string) *Result {
	t.Helper()
	return do(t, s, &Op{Write: &Write{Key: Key{"fleet", "trucks", id}, Body: []byte(body), Time: time.Unix(1, 0)}})
}

// contents returns all documents, and all changes that the log still has.
func contents(s *Store) (documents map[Key]*Document, changes []*Change, err error) {
	snap := s.Snapshot()
	defer snap.Close()
	documents = map[Key]*Document{}
	for c, err := range snap.Collections() {
		if err != nil {
			return nil, nil, err
		}
		for d, err := range snap.Documents(c.Index, c.Name, "") {
			if err != nil {
				return nil, nil, err
			}
			documents[d.Key] = d
		}
	}
	for c, err := range snap.Changes(snap.state.trimmed) {
		if err != nil {
			return nil, nil, err
		}
		changes = append(changes, c)
	}
	return documents, changes, nil
}

// consistent checks that the documents are what the whole change log made of
// none, and returns that log.
func consistent(s *Store) ([]*Change, error) {
	documents, changes, err := contents(s)
	if err != nil {
		return nil, err
	}
	if err := holdingsAgree(s, documents); err != nil {
		return nil, err
	}
	replayed := map[Key]*Document{}
	for i, c := range changes {
		if c.Seq != uint64(i+1) {
			return nil, fmt.Errorf("change %d has seq %d", i+1, c.Seq)
		}
		if before := replayed[c.Key]; !reflect.DeepEqual(before, c.Before) {
			return nil, fmt.Errorf("change %d: before is %+v, the log made %+v", c.Seq, c.Before, before)
		}
		replayed[c.Key] = c.After
		if c.Action == Delete {
			delete(replayed, c.Key)
		}
	}
	if !reflect.DeepEqual(documents, replayed) {
		return nil, fmt.Errorf("%d documents differ from the %d that the change log made", len(documents), len(replayed))
	}
	return changes, nil
}

// An ackLog holds the results that were told of, as a client would.
type ackLog struct {
	mu      sync.Mutex // guards results
	added   *sync.Cond
	results []*Result // since the last wait
	crashed []*Result // before it
}

func newAckLog() *ackLog {
	l := &ackLog{}
	l.added = sync.NewCond(&l.mu)
	return l
}

func (l *ackLog) add(r *Result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.results = append(l.results, r)
	l.added.Broadcast()
}

// wait waits for n results and moves what there is then to crashed. Results
// that come later do not count: a crash is about to happen.
func (l *ackLog) wait(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.results = nil
	for len(l.results) < n {
		l.added.Wait()
	}
	l.crashed = append(l.crashed, l.results...)
}

// lost returns how many of the acknowledged changes are not in the log as they
// were told of.
func lost(acked []*Result, log []*Change) int {
	n := 0
	for _, r := range acked {
		switch {
		case r.Change == nil:
		case r.Change.Seq > uint64(len(log)), !reflect.DeepEqual(log[r.Change.Seq-1], r.Change):
			n++
		}
	}
	return n
}

// cloneData copies the directory data to a new file system, as a kill of the
// process would leave it.
func cloneData(t *testing.T, fs vfs.FS) *vfs.MemFS {
	t.Helper()
	clone := vfs.NewMem()
	if ok, err := vfs.Clone(fs, clone, "data", "data"); err != nil || !ok {
		t.Fatalf("clone: %v, %v", ok, err)
	}
	return clone
}

func readFile(t *testing.T, fs vfs.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func writeFile(t *testing.T, fs vfs.FS, name string, data []byte) {
	t.Helper()
	f, err := fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		t.Fatal(err)
	}
}
