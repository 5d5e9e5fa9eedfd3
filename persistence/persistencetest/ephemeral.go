package persistencetest

import (
	"github.com/ambitmq/ambit/persistence"
)

// ephemeral mixes documents that are in memory with others, in one collection and
// beside it.
func ephemeral(f *fixture) {
	var told []*persistence.Change
	put := func(id string, n int, ephemeral bool) {
		w := write(id, n)
		w.Ephemeral = ephemeral
		told = append(told, f.do(&persistence.Op{Write: w}).Change)
	}
	for i, id := range []string{"d", "a", "c", "b", "a", "e", "c", "b"} {
		put(id, i, i%2 == 0)
	}
	told = append(told, f.remove("e").Change)
	live := &persistence.Write{Key: persistence.Key{Index: "fleet", Collection: "live", ID: "1"}, Body: body(1), Time: at(1), Ephemeral: true}
	told = append(told, f.do(&persistence.Op{Write: live}).Change)
	op := f.do(&persistence.Op{Snapshot: true})
	before := op.Snapshot
	defer before.Close()
	put("a", 9, false) // from memory to the disk
	put("b", 9, true)  // and the reverse
	snap := f.Snapshot()
	defer snap.Close()

	f.equal("ids", ids(f, snap, "trucks", ""), []string{"a", "b", "c", "d"})
	f.equal("ids after b", ids(f, snap, "trucks", "b"), []string{"c", "d"})
	f.equal("collections", all(f, snap.Collections()), []persistence.Collection{{Index: "fleet", Name: "live"}, {Index: "fleet", Name: "trucks"}})
	for i, c := range all(f, snap.Changes(0)) {
		f.equal("change", c, told[i])
		f.equal("seq", c.Seq, uint64(i+1))
	}
	f.equal("changes", len(all(f, snap.Changes(0))), len(told))
	f.equal("changes before", len(all(f, before.Changes(3))), len(told)-2-3)
	f.equal("lost", snap.Lost("fleet", "trucks"), uint64(0))
	for _, d := range all(f, snap.Documents("fleet", "trucks", "")) {
		f.document(*d)
		got, err := before.Get(d.Key)
		f.equal("error", err, nil)
		f.equal("version before", got.Version >= d.Version-1, true)
	}
	f.document(*told[len(told)-3].After)

	f.restart()
	f.equal("ids after reopening", idsNow(f), []string{"a"})
	f.absent(live.Key)
	after := f.Snapshot()
	defer after.Close()
	last := told[len(told)-1].Seq
	f.equal("something is lost", after.Lost("fleet", "trucks") > last && after.Lost("fleet", "live") > last, true)
	f.equal("of another collection nothing is", after.Lost("fleet", "boats"), uint64(0))
	if r := f.put("a", 10); r.Seq <= after.Lost("fleet", "trucks") || r.Change.After.Version != 4 {
		f.t.Errorf("the next change has seq %d and makes version %d", r.Seq, r.Change.After.Version)
	}
	lost := after.Lost("fleet", "trucks")
	f.restart()
	again := f.Snapshot()
	defer again.Close()
	f.equal("lost after a life without ephemeral changes", again.Lost("fleet", "trucks"), lost)
}

func idsNow(f *fixture) []string {
	snap := f.Snapshot()
	defer snap.Close()
	return ids(f, snap, "trucks", "")
}
