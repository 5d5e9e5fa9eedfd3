package persistence

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// checkedStore has some of everything: changes 1 to 30 of 10 documents, of which
// the last one is a deletion.
func checkedStore(t *testing.T, fs vfs.FS) *Store {
	t.Helper()
	s := openTest(t, "data", Options{FS: fs})
	for i := range 29 {
		put(t, s, fmt.Sprint(i%10), fmt.Sprintf(`{"n":%d}`, i))
	}
	do(t, s, &Op{Write: &Write{Key: Key{"fleet", "trucks", "5"}}})
	do(t, s, &Op{Records: []Record{
		PutSession(Session{ClientID: "dash"}),
		PutSubscription(Subscription{ClientID: "dash", TopicFilter: "t", Seen: 30, HasSeen: true}),
		PutRetained(Retained{Topic: "lamp", Payload: []byte("on")}),
		PutReceived(Received{ClientID: "dash", ID: 7}),
		PutCollection(Collection{Index: "zoo"}),
		PutCredential(Credential{Kind: "key", ID: "a"}),
		PutPresence(Presence{ClientID: "dash"}),
		PutSeat(Seat{ClientID: "dash", Hash: "h"}),
		PutRoomName(RoomName{Index: "zoo", Collection: "cats", Name: "tame", Filter: []byte("{}")}),
	}})
	do(t, s, &Op{Queue: &Queue{Message: &Message{Topic: "one"}, Recipients: []Recipient{{ClientID: "dash", PacketID: 1}}}})
	do(t, s, &Op{Queue: &Queue{Message: &Message{Topic: "both"}, Recipients: []Recipient{{ClientID: "dash"}, {ClientID: "map"}}}})
	return s
}

func TestTheCheckCountsWhatThereIs(t *testing.T) {
	t.Parallel()
	s := checkedStore(t, vfs.NewMem())
	r, err := s.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Node != s.NodeID() || r.Last != 30 || r.Trimmed != 0 || r.Backup || len(r.Faults) > 0 || r.Withheld > 0 {
		t.Errorf("%+v", r)
	}
	counts := map[string]uint64{}
	for _, c := range r.Records {
		counts[c.Kind] = c.Count
	}
	want := map[string]uint64{
		"changes": 30, "documents": 9, "segments of the change log": 0, "meta records": 4, "users with documents": 1,
		"retained messages": 1, "sessions": 1, "subscriptions": 1,
		"messages for several sessions": 1, "messages that wait for a session": 3,
		"QoS 2 messages to a client": 1, "QoS 2 messages from a client": 1,
		"what expires": 0, "collections with ephemeral documents": 0,
		"named collections": 1, "indexes": 0, "entries of indexes": 0, "credentials": 1,
		"clients that are there, or were": 1,
		"members of rooms":                1,
		"names of rooms":                  1,
	}
	if !maps.Equal(counts, want) {
		t.Errorf("got %v, want %v", counts, want)
	}
}

// A damage is something that is wrong with a checkedStore, and what the check says
// of it.
type damage struct {
	name string
	make func(b *pebble.Batch)
	want []string
}

func trucks(id string) []byte { return appendDocumentKey(nil, Key{"fleet", "trucks", id}) }

func change(seq uint64) []byte { return appendSeqKey(nil, spaceChanges, seq) }

func TestTheCheckFindsEveryFault(t *testing.T) {
	t.Parallel()
	for _, tt := range slices.Concat(badRecords(), badLogs(), badNumbers()) {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := checkedStore(t, vfs.NewMem())
			b := s.db.NewBatch()
			tt.make(b)
			if err := b.Commit(pebble.Sync); err != nil {
				t.Fatal(err)
			}
			r, err := s.Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(r.Faults)
			if !slices.Equal(r.Faults, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(r.Faults, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// badRecords are records that no version writes.
func badRecords() []damage {
	return []damage{
		{"nothing", func(*pebble.Batch) {}, nil},
		{"records that cannot be read", func(b *pebble.Batch) {
			batchSet(b, trucks("5"), []byte("junk"))
			batchSet(b, []byte{spaceDocuments, 'x'}, nil)
			batchSet(b, nameKey(spaceSessions, "dash"), nil)
			batchSet(b, nameKey(spaceRetained, "lamp"), []byte{9})
			batchSet(b, nameKey(spaceSubscriptions, "dash"), nil)
			batchSet(b, []byte{spaceSegments, 1}, nil)
			batchSet(b, append(change(31), 0), nil)
			batchSet(b, appendSeqKey(nil, spaceBodies, 2), nil)
			batchSet(b, []byte{spaceBodies}, nil)
			batchSet(b, queuedKey(1, Recipient{ClientID: "dash"}), nil)
			batchSet(b, packetKey(spaceFlights, "dash", 1), nil)
			batchSet(b, packetKey(spaceReceived, "dash", 7), nil)
		}, []string{
			"change key 63000000000000001f00: malformed value",
			`document fleet/trucks/5: value of format 106, this version reads 4`,
			`document key "dx": malformed value`,
			`flight "odash\x00\x01\x00\x01": malformed value`,
			`message 1 for "dash": malformed value`,
			"message key 62: malformed value",
			"queued message 2: malformed value",
			`received "idash\x00\x01\x00\a": malformed value`,
			`retained message of "lamp": value of format 9, this version reads 4`,
			"segment 6701 of the change log: malformed value",
			`session "dash": malformed value`,
			`subscription key "udash": malformed value`,
		}},
		{"what no version knows", func(b *pebble.Batch) {
			batchSet(b, []byte{0xff, 1}, nil)
			batchSet(b, []byte("a"), nil)
			batchSet(b, nil, nil)
			batchSet(b, []byte("more"), nil)
		}, []string{
			`key "" is in no space that there is`, `key "\xff\x01" is in no space that there is`,
			`key "a" is in no space that there is`, `meta record "more" is none that there is`,
		}},
	}
}

// badLogs are changes and documents that contradict each other.
func badLogs() []damage {
	return []damage{
		{"changes that are missing", func(b *pebble.Batch) {
			batchDelete(b, change(3))
			batchDelete(b, change(15))
			batchDelete(b, change(16))
			batchDelete(b, change(29))
			batchDelete(b, change(30))
		}, []string{
			"change 13 of fleet/trucks/2 comes after change 3, which is missing or was not the last one",
			"change 25 of fleet/trucks/4 comes after change 15, which is missing or was not the last one",
			"change 26 of fleet/trucks/5 comes after change 16, which is missing or was not the last one",
			"change 3 is missing", "changes 15 to 16 are missing", "changes 29 to 30 are missing",
			"document fleet/trucks/5 is missing, which change 26 made",
			"document fleet/trucks/5 is missing, which change 6 made",
			"document fleet/trucks/8 is of change 29, which is missing or was not the last one",
		}},
		{"a document that is missing, one that is old, and one that is too many", func(b *pebble.Batch) {
			batchDelete(b, trucks("0"))
			batchSet(b, trucks("1"), encodeDocument(&Document{Seq: 12, Version: 2, Body: []byte(`{"n":11}`)}))
			batchSet(b, trucks("new"), encodeDocument(&Document{Seq: 31, Version: 1, Body: []byte(`{}`)}))
			batchSet(b, trucks("2"), encodeDocument(&Document{Seq: 23, Version: 3, Body: []byte(`{"n":0}`)}))
		}, []string{
			`"" keeps 9 documents of 175 bytes, and 9 of 180 were counted`,
			"document fleet/trucks/0 is missing, which change 21 made",
			"document fleet/trucks/1 is of change 12, which is missing or was not the last one",
			"document fleet/trucks/2 is not what change 23 of fleet/trucks/2 made",
			"document fleet/trucks/new is of change 31, and the last one is 30",
		}},
	}
}

// badNumbers are numbers that lead nowhere.
func badNumbers() []damage {
	return []damage{
		{"a message that is missing, and one that is too many", func(b *pebble.Batch) {
			batchDelete(b, appendSeqKey(nil, spaceBodies, 2))
			batchSet(b, appendSeqKey(nil, spaceBodies, 3), appendMessage([]byte{valueFormat}, &Message{}))
			batchSet(b, queuedKey(4, Recipient{ClientID: "dash"}), []byte{valueFormat, 0, 0, 0, 1})
		}, []string{
			`message 2 for "dash" is missing`, `message 2 for "map" is missing`,
			`message 4 for "dash": the last one is 2`, "nobody waits for message 3",
		}},
		{"numbers that nobody has given out", func(b *pebble.Batch) {
			batchSet(b, change(31), nil)
			r := PutSubscription(Subscription{ClientID: "dash", TopicFilter: "t", Seen: 31, HasSeen: true})
			batchSet(b, r.key, r.value)
			batchSet(b, appendSeqKey(nil, spaceSegments, 31), appendSegment([]byte{valueFormat}, segment{}))
		}, []string{
			"a segment of the change log begins at 31, which is not between 1 and 30",
			"change 31 is not between 1 and 30",
			`subscription of "dash" to "t": it is at change 31, and the last one is 30`,
		}},
	}
}

func TestTheFaultsOfAReportAreBounded(t *testing.T) {
	t.Parallel()
	s := openTest(t, "data", Options{FS: vfs.NewMem()})
	b := s.db.NewBatch()
	for i := range maxFaults + 5 {
		batchSet(b, nameKey('x', fmt.Sprint(i)), nil)
	}
	if err := b.Commit(pebble.Sync); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Check(t.Context()); err != nil || len(r.Faults) != maxFaults || r.Withheld != 5 {
		t.Errorf("%d faults, %d withheld, %v", len(r.Faults), r.Withheld, err)
	}
}

// Whatever a flipped bit does to a store, the check tells, or it does no harm.
func TestTheCheckFindsAFlippedBit(t *testing.T) {
	t.Parallel()
	fs := storeWithFiles(t)
	want := readAll(t, fs)
	names, err := fs.List("data")
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	found := 0
	for _, name := range names {
		data := readFile(t, fs, "data/"+name)
		for range min(10, len(data)) {
			damaged := slices.Clone(data)
			at := rng.IntN(len(data))
			damaged[at] ^= 1 << rng.IntN(8)
			copied := cloneData(t, fs)
			writeFile(t, copied, "data/"+name, damaged)
			r, err := Check(t.Context(), "data", Options{FS: copied})
			if err == nil && strings.Contains(strings.Join(r.Faults, ""), "\n") {
				t.Errorf("a fault has more than one line: %q", r.Faults)
			}
			if err != nil || len(r.Faults) > 0 {
				found++
				continue
			}
			if got, err := tryReadAll(t, copied); err != nil || len(got) < len(want) && !strings.HasSuffix(name, ".log") {
				t.Errorf("%s: byte %d of %d: the check finds nothing, and %d changes are there: %v", name, at, len(data), len(got), err)
			}
		}
	}
	if found == 0 {
		t.Error("nothing was found")
	}
}

func TestTheCheckWritesNothing(t *testing.T) {
	t.Parallel()
	fs := backedUp(t, 50)
	stored := cloneData(t, fs)
	if err := fs.Rename("data", "store"); err != nil {
		t.Fatal(err)
	}
	writeFile(t, fs, "store/"+lockName, nil) // by which a store is locked
	before := listing(t, fs, "/")
	wantSound(t, fs, "store")
	if r := wantSound(t, fs, "backup"); !r.Backup {
		t.Error("it does not say that this is a backup")
	}
	if after := listing(t, fs, "/"); after != before {
		t.Errorf("there was\n%s\nand now there is\n%s", before, after)
	}
	openTest(t, "data", Options{FS: stored})
	if _, err := Check(t.Context(), "data", Options{FS: stored}); !errors.Is(err, ErrLocked) {
		t.Errorf("a store that is open: %v", err)
	}
	if _, err := Check(t.Context(), "nothing", Options{FS: fs}); err == nil || !strings.Contains(err.Error(), "there is no store in nothing") {
		t.Errorf("no store: %v", err)
	}
	if after := listing(t, fs, "/"); after != before {
		t.Errorf("there was\n%s\nand now there is\n%s", before, after)
	}
}

// A countedContext ends when it was asked so many times.
type countedContext struct {
	context.Context
	left atomic.Int64
}

func (c *countedContext) Err() error {
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

func TestACheckIsGivenUpAtAnyRead(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s := checkedStore(t, fs)
	tables(t, s, 100)
	givenUp := 0
	for n := int64(0); ; n += 1 + n/20 {
		ctx := &countedContext{Context: t.Context()}
		ctx.left.Store(n)
		r, err := s.Check(ctx)
		if err == nil {
			if len(r.Faults) > 0 {
				t.Errorf("asked %d times: %q", n, r.Faults)
			}
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("asked %d times: %v", n, err)
		}
		givenUp++
	}
	if givenUp < 50 {
		t.Errorf("it was given up %d times only", givenUp)
	}
	names, err := fs.List("data")
	if err != nil || slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, stagingPrefix) }) {
		t.Errorf("left behind: %v, %v", names, err)
	}
}
