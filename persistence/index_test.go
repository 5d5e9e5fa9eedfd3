package persistence

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// fieldTerms are those of an index whose name is that of a field: its value as text,
// or of an array that of each element.
func fieldTerms(d *Document, names []string, add func(place int, term []byte)) {
	fields := map[string]any{}
	if json.Unmarshal(d.Body, &fields) != nil {
		return
	}
	for i, name := range names {
		switch v := fields[name].(type) {
		case nil:
		case []any:
			for _, e := range v {
				add(i, []byte(fmt.Sprint(e)))
			}
		default:
			add(i, []byte(fmt.Sprint(v)))
		}
	}
}

func truckIndex(name string) Index { return Index{Collection{"fleet", "trucks"}, name} }

func indexing(fs vfs.FS, names ...string) Options {
	o := Options{FS: fs, Terms: fieldTerms}
	for _, name := range names {
		o.Indexes = append(o.Indexes, truckIndex(name))
	}
	return o
}

// found returns the ids under which an index has terms from first to last, or "no".
func found(t *testing.T, s *Store, name, first, last, after string) string {
	t.Helper()
	snap := s.Snapshot()
	defer snap.Close()
	if ok, err := snap.HasIndex(truckIndex(name)); err != nil {
		t.Fatal(err)
	} else if !ok {
		return "no"
	}
	var ids []string
	for id, err := range snap.Found(truckIndex(name), [][2][]byte{{[]byte(first), []byte(last)}}, after) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return strings.Join(ids, " ")
}

// awaitIndex waits until an index is built.
func awaitIndex(t *testing.T, s *Store, name string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		do(t, s, &Op{}) // goes behind a step that is under way
		if found(t, s, name, "", "", "") != "no" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("index %s is not built", name)
		}
	}
}

func sound(t *testing.T, s *Store) {
	t.Helper()
	if r, err := s.Check(t.Context()); err != nil || len(r.Faults) > 0 {
		t.Errorf("the check finds %+v, %v", r, err)
	}
}

func TestAnIndexFollowsItsDocuments(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s, stop := open(t, "data", indexing(fs, "n", "list"))
	put(t, s, "1", `{"n":1,"list":["a","b","a"]}`)
	put(t, s, "2", `{"n":1,"list":["b"]}`)
	put(t, s, "3", `{"n":2}`)
	put(t, s, "3", `{"n":3}`)
	put(t, s, "4", `{"n":"1\u0000"}`)
	put(t, s, "5", `{"n":1}`)
	do(t, s, &Op{Write: &Write{Key: Key{"fleet", "trucks", "5"}, Time: time.Unix(1, 0)}})
	do(t, s, &Op{Write: &Write{Key: Key{"fleet", "buses", "1"}, Body: []byte(`{"n":1}`), Time: time.Unix(1, 0)}})
	check := func(s *Store) {
		t.Helper()
		for _, tt := range []struct{ name, first, last, after, want string }{
			{"n", "1", "1", "", "1 2"}, {"n", "1", "1", "1", "2"}, {"n", "2", "2", "", ""}, {"n", "1", "3", "", "1 2 4 3"},
			{"n", "1", "3", "2", "4 3"}, {"list", "b", "b", "", "1 2"}, {"list", "a", "b", "", "1 1 2"}, {"m", "1", "1", "", "no"},
		} {
			if got := found(t, s, tt.name, tt.first, tt.last, tt.after); got != tt.want {
				t.Errorf("%s from %s to %s: %q, want %q", tt.name, tt.first, tt.last, got, tt.want)
			}
		}
		sound(t, s)
	}
	check(s)
	stop()
	s, stop = open(t, "data", Options{FS: fs, Terms: fieldTerms, KeepIndexes: true})
	check(s)
	stop()
	s = openTest(t, "data", indexing(fs, "n", "list"))
	check(s)
}

// An index that is declared later is built beside the writes of others, and one that
// is declared no more is gone, with all that it had.
func TestAnIndexComesAndGoes(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	const documents = 3*maxBuildDocuments + 7
	s, stop := open(t, "data", indexing(fs))
	for i := range documents {
		put(t, s, fmt.Sprintf("%04d", i), `{"n":1}`)
	}
	stop()
	s, stop = open(t, "data", indexing(fs, "n"))
	put(t, s, "0000", `{"n":2}`)
	put(t, s, "0770", `{"n":2}`)
	do(t, s, &Op{Write: &Write{Key: Key{"fleet", "trucks", "0769"}, Time: time.Unix(1, 0)}})
	awaitIndex(t, s, "n")
	if got := strings.Count(found(t, s, "n", "1", "1", ""), " ") + 1; got != documents-3 {
		t.Errorf("%d documents are found, of %d", got, documents-3)
	}
	if got := found(t, s, "n", "2", "2", ""); got != "0000 0770" {
		t.Errorf("found %q", got)
	}
	sound(t, s)
	stop()
	s, stop = open(t, "data", indexing(fs, "m"))
	if got := found(t, s, "n", "1", "1", ""); got != "no" {
		t.Errorf("found %q", got)
	}
	awaitIndex(t, s, "m")
	if keys, err := keysBetween(s.db, []byte{spaceTerms}, spaceEnd(spaceTerms)); err != nil || len(keys) > 0 {
		t.Errorf("%d entries are left, %v", len(keys), err)
	}
	stop()
	s = openTest(t, "data", indexing(fs, "n"))
	awaitIndex(t, s, "n")
	sound(t, s)
}

// Wherever a crash comes, while an index is built or later, what is there is right,
// and it is built to its end after it.
func TestAnIndexSurvivesACrash(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 3))
	fs := vfs.NewCrashableMem()
	s, stop := open(t, "data", Options{FS: fs})
	for i := range 12 * maxBuildDocuments {
		w := &Write{Key: Key{"fleet", "trucks", fmt.Sprint("x", i)}, Body: []byte(`{"n":1,"m":2}`), Time: time.Unix(1, 0)}
		if err := s.Append(t.Context(), &Op{Write: w}); err != nil {
			t.Fatal(err)
		}
	}
	do(t, s, &Op{})
	stop()
	halfway := 0
	crashes := 8
	if testing.Short() {
		crashes = 3
	}
	for i := range crashes {
		o := indexing(fs, []string{"n", "m"}[i/4:]...) // after four crashes n goes
		s, stop := open(t, "data", o)
		for range rng.IntN(6) {
			committed := make(chan *Result, 1)
			op := randomOp(rng, fmt.Sprint(i), func(r *Result) { committed <- r })
			if err := s.Append(t.Context(), op); err != nil {
				t.Fatal(err)
			}
			<-committed
		}
		left := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
		stop()
		fs = left
		if r, err := Check(t.Context(), "data", indexing(fs)); err != nil || len(r.Faults) > 0 {
			t.Fatalf("after crash %d the check finds %+v, %v", i, r, err)
		}
		for _, x := range indexesIn(t, fs) {
			if !x.complete && x.built != "" {
				halfway++
			}
		}
		if i == 3 {
			_, stop = open(t, "data", indexing(fs, "m"))
			stop()
			s, stop = open(t, "data", indexing(fs, "n", "m"))
			awaitIndex(t, s, "n")
			awaitIndex(t, s, "m")
			sound(t, s)
			stop()
		}
	}
	t.Logf("%d times an index was half built", halfway)
	if halfway == 0 {
		t.Error("no crash came while an index was built")
	}
	s = openTest(t, "data", indexing(fs, "m"))
	awaitIndex(t, s, "m")
	sound(t, s)
}

// indexesIn returns what a crash has left of indexes.
func indexesIn(t *testing.T, fs vfs.FS) []*openIndex {
	t.Helper()
	o := Options{FS: readOnlyFS{fs, t.Context().Err}}.withDefaults()
	options := o.pebble(nil, &pebbleLog{log: o.Log})
	options.ReadOnly = true
	db, err := pebble.Open("data", options)
	if err != nil {
		t.Fatal(err)
	}
	all, err := readIndexes(db)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAnIndexHasEphemeralDocuments(t *testing.T) {
	t.Parallel()
	s := openTest(t, "data", indexing(vfs.NewMem(), "n"))
	write := func(id, body string, ephemeral bool) {
		t.Helper()
		do(t, s, &Op{Write: &Write{Key: Key{"fleet", "trucks", id}, Body: []byte(body), Time: time.Unix(1, 0), Ephemeral: ephemeral}})
	}
	write("1", `{"n":1}`, true)
	write("2", `{"n":1}`, false)
	write("3", `{"n":1}`, true)
	write("4", `{"n":2}`, true)
	if got := found(t, s, "n", "1", "2", ""); got != "1 2 3 4" {
		t.Errorf("found %q", got)
	}
	write("1", `{"n":1}`, false)
	write("2", `{"n":1}`, true)
	write("3", `{"n":2}`, true)
	do(t, s, &Op{Write: &Write{Key: Key{"fleet", "trucks", "4"}, Time: time.Unix(1, 0)}})
	if got := found(t, s, "n", "1", "1", ""); got != "1 2" {
		t.Errorf("found %q", got)
	}
	if got := found(t, s, "n", "2", "2", "1"); got != "3" {
		t.Errorf("found %q", got)
	}
	if keys, err := keysBetween(s.db, []byte{spaceTerms}, spaceEnd(spaceTerms)); err != nil || len(keys) != 1 {
		t.Errorf("%d entries are on disk, %v", len(keys), err)
	}
	sound(t, s)
}

// A document whose collection is not ephemeral any more is on disk at once.
func TestADocumentLeavesTheMemory(t *testing.T) {
	t.Parallel()
	s := openTest(t, "data", Options{FS: vfs.NewMem()})
	w := ephemeral("live", "1", `{"n":1}`)
	do(t, s, &Op{Write: w})
	w = ephemeral("live", "1", `{"n":2}`)
	w.Ephemeral = false
	do(t, s, &Op{Write: w})
	snap := s.Snapshot()
	defer snap.Close()
	for d, err := range snap.Documents(w.Key.Index, w.Key.Collection, "") {
		if err != nil || string(d.Body) != `{"n":2}` {
			t.Errorf("%s, %v", d.Body, err)
		}
	}
}

func TestTheCheckComparesIndexes(t *testing.T) {
	t.Parallel()
	s := openTest(t, "data", indexing(vfs.NewMem(), "n"))
	put(t, s, "1", `{"n":1}`)
	put(t, s, "2", `{"n":2}`)
	sound(t, s)
	for _, key := range [][]byte{entryKey(1, []byte("1"), "1")} {
		if err := s.db.Delete(key, pebble.Sync); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range [][]byte{entryKey(1, []byte("3"), "2"), entryKey(1, []byte("1"), "9"), entryKey(7, []byte("1"), "1"), {spaceTerms, 1}, append(entriesOf(1), 5)} {
		if err := s.db.Set(key, []byte{valueFormat}, pebble.Sync); err != nil {
			t.Fatal(err)
		}
	}
	r, err := s.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(r.Faults)
	want := []string{
		"document fleet/trucks/1 is not in the index n of fleet/trucks as it should be",
		"document fleet/trucks/2 is in the index n of fleet/trucks as it is not",
		"document fleet/trucks/9 is in the index n of fleet/trucks, and is not there",
		"entry 7400000001" + "05: malformed value",
		"entry 740000000731000131 is of no index that there is",
		"entry 7401 is of no index that there is",
	}
	if !slices.Equal(r.Faults, want) {
		t.Errorf("the check finds\n%s\nwant\n%s", strings.Join(r.Faults, "\n"), strings.Join(want, "\n"))
	}
}

func TestABackupHasIndexes(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s := openTest(t, "data", indexing(fs, "n"))
	put(t, s, "1", `{"n":1}`)
	put(t, s, "2", `{"n":2}`)
	if _, err := s.Backup(t.Context(), "backup", nil); err != nil {
		t.Fatal(err)
	}
	if r, err := Check(t.Context(), "backup", indexing(fs)); err != nil || len(r.Faults) > 0 {
		t.Errorf("the check finds %+v, %v", r, err)
	}
	if _, err := Restore(t.Context(), "backup", "restored", Options{FS: fs}); err != nil {
		t.Fatal(err)
	}
	restored := openTest(t, "restored", indexing(fs, "n"))
	if got := found(t, restored, "n", "1", "1", ""); got != "1" {
		t.Errorf("found %q", got)
	}
	sound(t, restored)
}

func TestNamedDocumentsAreThoseThatAreThere(t *testing.T) {
	t.Parallel()
	s := openTest(t, "data", Options{FS: vfs.NewMem()})
	for i := range 10 {
		do(t, s, &Op{Write: &Write{Key: Key{"fleet", "trucks", fmt.Sprint(i)}, Body: []byte("{}"), Time: time.Unix(1, 0), Ephemeral: i%3 == 0}})
	}
	snap := s.Snapshot()
	defer snap.Close()
	var got []string
	for d, err := range snap.Named("fleet", "trucks", []string{"", "1", "2", "25", "3", "5", "6", "99"}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, d.Key.ID)
	}
	if want := []string{"1", "2", "3", "5", "6"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
