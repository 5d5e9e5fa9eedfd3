package persistencetest

import (
	"context"
	"errors"
	"sync"

	"github.com/ambitmq/ambit/persistence"
)

func changeLogAgrees(f *fixture) {
	var told []*persistence.Change
	for i := range 50 {
		id := string(rune('a' + i%3))
		r := f.put(id, i)
		if i%7 == 6 {
			told = append(told, r.Change)
			r = f.remove(id)
		}
		told = append(told, r.Change)
	}
	logged := all(f, f.Changes(0))
	f.equal("number of changes", len(logged), len(told))
	for i := range min(len(logged), len(told)) {
		f.equal("change", logged[i], told[i])
		f.equal("seq", logged[i].Seq, uint64(i+1))
	}
}

func changeLogAfter(f *fixture) {
	for i := range 5 {
		f.put("1", i)
	}
	snap := f.Snapshot()
	defer snap.Close()
	f.put("1", 5)
	f.equal("seq of the snapshot", snap.Seq(), uint64(5))
	for after, want := range []int{5, 4, 3, 2, 1, 0, 0, 0} {
		changes := all(f, snap.Changes(uint64(after)))
		f.equal("number of changes", len(changes), want)
		if want > 0 {
			f.equal("first", changes[0].Seq, uint64(after+1))
		}
	}
	f.equal("after the greatest number", len(all(f, f.Changes(^uint64(0)))), 0)
}

func snapshotOfOp(f *fixture) {
	const n = 100
	snapshots := make(chan *persistence.Result, 2*n)
	for i := range n {
		f.append(&persistence.Op{Write: write("1", i)})
		f.append(&persistence.Op{Snapshot: true, Committed: func(r *persistence.Result) { snapshots <- r }})
		f.append(&persistence.Op{
			Write: write("2", i), Snapshot: i%2 == 0,
			Committed: func(r *persistence.Result) {
				if r.Snapshot != nil {
					snapshots <- r
				}
			},
		})
	}
	f.put("last", 0)
	close(snapshots)
	for r := range snapshots {
		f.equal("seq of the snapshot", r.Snapshot.Seq(), r.Seq)
		changes := all(f, r.Snapshot.Changes(r.Seq-1))
		f.equal("changes", len(changes), 1)
		f.equal("last change", changes[0].Seq, r.Seq)
		d, err := r.Snapshot.Get(changes[0].Key)
		if err != nil {
			f.t.Fatal(err)
		}
		f.equal("document", d, changes[0].After)
		r.Snapshot.Close()
	}
}

func snapshotStays(f *fixture) {
	for _, id := range []string{"a", "b", "c"} {
		f.put(id, 1)
	}
	snap := f.do(&persistence.Op{Snapshot: true}).Snapshot
	defer snap.Close()
	var once sync.Once
	for d, err := range snap.Documents("fleet", "trucks", "") {
		if err != nil {
			f.t.Fatal(err)
		}
		once.Do(func() {
			f.put("a", 2)
			f.remove("b")
			f.put("d", 2)
		})
		f.equal("version", d.Version, uint64(1))
	}
	f.equal("ids", ids(f, snap, "trucks", ""), []string{"a", "b", "c"})
	f.equal("seq", snap.Seq(), uint64(3))
	if _, err := snap.Get(truck("d")); !errors.Is(err, persistence.ErrNotFound) {
		f.t.Errorf("document that came after: got %v, want ErrNotFound", err)
	}
}

func snapshotClosed(f *fixture) {
	f.put("a", 1)
	snap := f.Snapshot()
	snap.Close()
	snap.Close()
	f.closed(snap)
	f.equal("seq", snap.Seq(), uint64(1))
}

// closed expects every read of snap to fail.
func (f *fixture) closed(snap *persistence.Snapshot) {
	f.t.Helper()
	_, err := snap.Get(truck("a"))
	for what, err := range map[string]error{
		"get":         err,
		"documents":   failure(snap.Documents("fleet", "trucks", "")),
		"collections": failure(snap.Collections()),
		"changes":     failure(snap.Changes(0)),
	} {
		if !errors.Is(err, persistence.ErrClosed) {
			f.t.Errorf("%s: got %v, want ErrClosed", what, err)
		}
	}
}

func manyVersions(f *fixture) {
	const n = 100
	results := make(chan *persistence.Result, n)
	for i := range n {
		f.append(&persistence.Op{Write: write("1", i), Committed: func(r *persistence.Result) { results <- r }})
	}
	var before *persistence.Document
	for i := range n {
		r := <-results
		f.equal("version", r.Change.After.Version, uint64(i+1))
		f.equal("before", r.Change.Before, before)
		before = r.Change.After
	}
	f.document(*before)
}

func order(f *fixture) {
	const appenders, each = 8, 500
	var committed []*persistence.Result // by the committer alone
	var wait sync.WaitGroup
	for a := range appenders {
		wait.Go(func() {
			for i := range each {
				w := write(string(rune('a'+a)), i)
				op := &persistence.Op{Write: w, Committed: func(r *persistence.Result) { committed = append(committed, r) }}
				if err := f.Append(context.Background(), op); err != nil {
					f.t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	f.put("last", 0)
	f.close()
	f.equal("number of results", len(f.tail), appenders*each+1)
	version := map[string]uint64{}
	for i, r := range committed {
		if f.tail[i] != r {
			f.t.Fatalf("result %d: the tail differs from the calls", i)
		}
		f.equal("seq", r.Seq, uint64(i+1))
		id := r.Change.Key.ID
		version[id]++
		f.equal("version", r.Change.After.Version, version[id])
		f.equal("body", string(r.Change.After.Body), string(body(int(version[id]-1))))
	}
}
