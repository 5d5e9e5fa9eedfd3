package persistencetest

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ambitmq/ambit/persistence"
)

func documentLifeCycle(f *fixture) {
	berlin := at(1).Local().Location()
	first := &persistence.Write{
		Key: truck("42"), Body: []byte(`{"speed": 50}`), Retained: true, Time: at(1).In(berlin),
		Origin: persistence.Origin{ClientID: "c1", User: "ada", Protocol: "mqtt", RequestID: "r1", Volatile: []byte(`{"v":1}`)},
	}
	created := persistence.Document{
		Key: truck("42"), Body: []byte(`{"speed": 50}`), Version: 1, Seq: 1, Retained: true, Author: "ada", CreatedAt: at(1),
	}
	r := f.do(&persistence.Op{Write: first})
	f.equal("seq", r.Seq, uint64(1))
	f.equal("creation", r.Change, &persistence.Change{
		Seq: 1, Key: truck("42"), Action: persistence.Create, After: &created, Time: at(1), Origin: first.Origin,
	})
	f.document(created)

	second := &persistence.Write{Key: truck("42"), Body: []byte(`{"speed": 51}`), Time: at(2), Origin: persistence.Origin{User: "bob"}}
	replaced := persistence.Document{
		Key: truck("42"), Body: []byte(`{"speed": 51}`), Version: 2, Seq: 2, Retained: true,
		Author: "ada", Updater: "bob", CreatedAt: at(1), UpdatedAt: at(2),
	}
	r = f.do(&persistence.Op{Write: second})
	f.equal("replacement", r.Change, &persistence.Change{
		Seq: 2, Key: truck("42"), Action: persistence.Replace, Before: &created, After: &replaced, Time: at(2), Origin: second.Origin,
	})
	f.document(replaced)

	r = f.do(&persistence.Op{Write: &persistence.Write{Key: truck("42"), Time: at(3)}})
	f.equal("deletion", r.Change, &persistence.Change{
		Seq: 3, Key: truck("42"), Action: persistence.Delete, Before: &replaced, Time: at(3),
	})
	f.absent(truck("42"))

	again := f.put("42", 4).Change.After
	f.equal("version of a document that is created again", again.Version, uint64(1))
	f.equal("its time of creation", again.CreatedAt, at(4))
}

// document expects want to be stored.
func (f *fixture) document(want persistence.Document) {
	f.t.Helper()
	got, err := f.Get(want.Key)
	if err != nil {
		f.t.Fatal(err)
	}
	f.equal("document", got, &want)
}

func (f *fixture) absent(k persistence.Key) {
	f.t.Helper()
	if d, err := f.Get(k); !errors.Is(err, persistence.ErrNotFound) {
		f.t.Errorf("%s: got %v, %v, want ErrNotFound", k, d, err)
	}
}

func deleteAbsent(f *fixture) {
	f.put("1", 1)
	r := f.remove("2")
	f.equal("seq", r.Seq, uint64(1))
	if r.Change != nil {
		f.t.Errorf("got change %s, want none", show(r.Change))
	}
	f.equal("changes", len(all(f, f.Changes(0))), 1)
}

func sameBody(f *fixture) {
	f.put("1", 1)
	r := f.put("1", 1)
	f.equal("action", r.Change.Action, persistence.Replace)
	f.equal("version", r.Change.After.Version, uint64(2))
}

func emptyBody(f *fixture) {
	f.do(&persistence.Op{Write: &persistence.Write{Key: truck("1"), Body: []byte{}, Time: at(1)}})
	f.document(persistence.Document{Key: truck("1"), Body: []byte{}, Version: 1, Seq: 1, CreatedAt: at(1)})
}

// alike are keys that a careless encoding would take for each other.
func alike() []persistence.Key {
	var keys []persistence.Key
	parts := []string{"", "\x00", "\x00\x00", "\x00\x01", "\x00\xff", "\x01", "\x02", "\xff", "/", "a", "a\x00", "a\x00b", "a/b", "ä"}
	for _, index := range parts {
		for _, collection := range parts {
			for _, id := range parts {
				keys = append(keys, persistence.Key{Index: index, Collection: collection, ID: id})
			}
		}
	}
	return keys
}

func keysThatLookAlike(f *fixture) {
	keys := alike()
	for i, k := range keys {
		f.append(&persistence.Op{Write: &persistence.Write{Key: k, Body: body(i), Time: at(i)}})
	}
	f.put("last", 0)
	for i, k := range keys {
		d, err := f.Get(k)
		if err != nil {
			f.t.Fatalf("%q: %v", k, err)
		}
		if string(d.Body) != string(body(i)) || d.Version != 1 || d.Key != k {
			f.t.Fatalf("%q: got %s", k, show(d))
		}
	}
	snap := f.Snapshot()
	defer snap.Close()
	var listed []persistence.Key
	for _, c := range all(f, snap.Collections()) {
		for _, d := range all(f, snap.Documents(c.Index, c.Name, "")) {
			listed = append(listed, d.Key)
		}
	}
	f.equal("number of documents in all collections", len(listed), len(keys)+1)
}

func documentsInOrder(f *fixture) {
	for i, id := range []string{"b", "a", "c", "a\x00", "a\x00b", "ab", "\xff", "10", "9"} {
		f.put(id, i)
	}
	other := truck("a")
	other.Collection = "truck"
	f.do(&persistence.Op{Write: &persistence.Write{Key: other, Body: body(1), Time: at(1)}})
	f.remove("c")
	snap := f.Snapshot()
	defer snap.Close()
	f.equal("all", ids(f, snap, "trucks", ""), []string{"10", "9", "a", "a\x00", "a\x00b", "ab", "b", "\xff"})
	f.equal("after a", ids(f, snap, "trucks", "a"), []string{"a\x00", "a\x00b", "ab", "b", "\xff"})
	f.equal("after an id that is not there", ids(f, snap, "trucks", "aa"), []string{"ab", "b", "\xff"})
	f.equal("after the last", ids(f, snap, "trucks", "\xff"), []string(nil))
	f.equal("of another collection", ids(f, snap, "truck", ""), []string{"a"})
	f.equal("of no collection", ids(f, snap, "trucksx", ""), []string(nil))
	for d, err := range snap.Documents("fleet", "trucks", "") {
		f.equal("first", d.Key.ID, "10")
		f.equal("error", err, nil)
		break
	}
}

func collections(f *fixture) {
	for i, c := range []persistence.Collection{{Index: "b", Name: "x"}, {Index: "a", Name: "y"}, {Index: "a", Name: "x"}, {Index: "a\x00", Name: ""}} {
		for _, id := range []string{"1", "2", "3"} {
			k := persistence.Key{Index: c.Index, Collection: c.Name, ID: id}
			f.do(&persistence.Op{Write: &persistence.Write{Key: k, Body: body(i), Time: at(i)}})
		}
	}
	for _, id := range []string{"1", "2", "3"} {
		f.do(&persistence.Op{Write: &persistence.Write{Key: persistence.Key{Index: "b", Collection: "x", ID: id}, Time: at(9)}})
	}
	snap := f.Snapshot()
	defer snap.Close()
	f.equal("collections", all(f, snap.Collections()),
		[]persistence.Collection{{Index: "a", Name: "x"}, {Index: "a", Name: "y"}, {Index: "a\x00", Name: ""}})
}

// editedInPlace appends to a document as of each write, and refuses one write,
// while others are under way.
func editedInPlace(f *fixture) {
	const writes = 100
	refused := errors.New("refused")
	results := make(chan *persistence.Result, writes)
	for i := range writes {
		w := &persistence.Write{Key: truck("1"), Time: at(1), Edit: func(before *persistence.Document) ([]byte, error) {
			switch {
			case i == writes/2:
				return nil, refused
			case before == nil:
				return []byte("x"), nil
			}
			return append(slices.Clone(before.Body), 'x'), nil
		}}
		f.append(&persistence.Op{Write: w, Applied: func(r *persistence.Result) { results <- r }, Records: []persistence.Record{
			persistence.PutRetained(persistence.Retained{Topic: strconv.Itoa(i), Payload: []byte("m")}),
		}})
	}
	for i := range writes {
		if r := <-results; errors.Is(r.Err, refused) != (i == writes/2) {
			f.t.Errorf("write %d: error %v", i, r.Err)
		}
	}
	d, err := f.Get(truck("1"))
	if err != nil {
		f.t.Fatal(err)
	}
	f.equal("body", string(d.Body), strings.Repeat("x", writes-1))
	f.equal("version", d.Version, uint64(writes-1))
	f.equal("records", len(all(f, f.RetainedMessages())), writes-1)
	f.do(&persistence.Op{Write: &persistence.Write{Key: truck("1"), Time: at(2), Edit: func(*persistence.Document) ([]byte, error) { return nil, nil }}})
	f.absent(truck("1"))
}

// expires writes documents that expire at once. They are deleted in the order of
// when they do, each by a change that the tail carries.
func expires(f *fixture) {
	for i, id := range []string{"b", "a", "c"} {
		w := write(id, i)
		if w.Expires = f.Now().Add(time.Duration(-i) * time.Minute); id == "c" {
			w.Expires = f.Now().Add(time.Hour)
		}
		f.do(&persistence.Op{Write: w})
	}
	c, err := f.Get(truck("c"))
	if err != nil {
		f.t.Fatal(err)
	}
	f.equal("the time zone of the expiry", c.Expires.Location(), time.UTC)
	deadline := time.After(time.Minute)
	for {
		deleted := []string{}
		for _, change := range all(f, f.Changes(3)) {
			f.equal("action", change.Action, persistence.Delete)
			f.equal("origin", change.Origin, persistence.Origin{Protocol: persistence.ExpiryProtocol})
			deleted = append(deleted, change.Key.ID)
		}
		if len(deleted) == 2 {
			f.equal("deleted", deleted, []string{"a", "b"})
			break
		}
		select {
		case <-f.told:
		case <-deadline:
			f.t.Fatalf("after a minute, %q are deleted", deleted)
		}
	}
	f.absent(truck("a"))
	f.document(*c)
}
