package presence

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// A world is an engine with a clock that a script moves, and a store.
type world struct {
	t      *testing.T
	engine *Engine
	store  *persistence.Store
	opts   Options
	now    time.Time
	told   strings.Builder
	names  map[string]string // the rooms that they point to
}

func newWorld(t *testing.T, o Options) *world {
	t.Helper()
	store, err := persistence.Open("data", persistence.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		for batch := range store.Tail() {
			for _, r := range batch {
				r.Apply()
			}
		}
	}()
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
		<-drained
	})
	w := &world{t: t, store: store, opts: o, now: time.Unix(1000, 0).UTC(), names: map[string]string{}}
	w.opts.Called = func(_ string, to topics.Filter) string { return w.room(to) }
	w.engine = New(w, w.opts)
	return w
}

// Tell writes down what clients are told.
func (w *world) Tell(topicFilter string, clients []string, m *Message) {
	slices.Sort(clients)
	fmt.Fprintf(&w.told, "%s: ", strings.Join(clients, ","))
	if m.User != "" {
		fmt.Fprintf(&w.told, "%s %s, %d are in", m.From, m.User, m.Count)
	} else {
		fmt.Fprint(&w.told, m.Topic)
	}
	if m.User != "" && m.Topic != topicFilter || m.Retain != (m.User == "") {
		w.t.Errorf("%+v by %s", m, topicFilter)
	}
	fmt.Fprintf(&w.told, "\n  %s\n", cmp.Or(string(m.Payload), "(empty)"))
}

// keep stores records, and returns when they are there.
func (w *world) keep(records ...persistence.Record) {
	done := make(chan struct{})
	err := w.store.Append(context.Background(), &persistence.Op{Records: records, Applied: func(*persistence.Result) { close(done) }})
	if err != nil {
		w.t.Fatal(err)
	}
	<-done
}

func (w *world) held(record persistence.Record, h *Hold) {
	w.engine.Flush(w.now)
	w.keep(record)
	w.engine.Release(h)
}

// settle does what is due, and returns what was told.
func (w *world) settle() string {
	for at, ok := w.engine.Next(); ok && !at.After(w.now); at, ok = w.engine.Next() {
		records := w.engine.Due(w.now)
		seats, held := w.engine.Unsaved()
		w.engine.Flush(w.now)
		w.keep(append(records, seats...)...)
		w.engine.Release(held)
		w.engine.Flush(w.now)
	}
	defer w.told.Reset()
	if w.told.Len() == 0 {
		return "nothing\n"
	}
	return w.told.String()
}

// TestScripts runs the scripts of testdata, in which clients are away for three
// seconds before anybody is told. Their commands are
//
//	connect client=C [user=U] [resumed] [passing]     metadata
//	disconnect client=C [why=TEXT]                    volatile data
//	join client=C         a topic filter, and below it volatile data
//	leave client=C [room=R]    the same; the room is one that the name pointed to
//	update client=C       metadata
//	first [client=C]      a topic filter of $presence; prints what it is told first
//	rename                a name, and below it the room that it points to, or nothing
//	wait seconds=N
//	crash
//
// What a command has told is printed; a room is named by the first letters of its
// collection.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) { //nolint:thelper // it is a subtest
		o := Options{Node: "node-1", Grace: 3 * time.Second, Keep: time.Minute, Clients: 5}
		if strings.Contains(path, "nograce") {
			o.Grace = 0
		}
		w := newWorld(t, o)
		datadriven.RunTest(t, path, w.run)
	})
}

func (w *world) run(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	var id, user, why string
	var seconds int
	d.MaybeScanArgs(t, "client", &id)
	d.MaybeScanArgs(t, "user", &user)
	d.MaybeScanArgs(t, "why", &why)
	d.MaybeScanArgs(t, "seconds", &seconds)
	text, data, _ := strings.Cut(d.Input, "\n")
	switch d.Cmd {
	case "connect":
		w.held(w.engine.Connected(Client{ID: id, User: user, Metadata: bytesOf(d.Input), Resumed: d.HasArg("resumed"), Passing: d.HasArg("passing")}, w.now))
	case "disconnect":
		if why == "" {
			why = "gone"
		}
		w.held(w.engine.Disconnected(id, Why{Text: why, Code: 7, HasCode: why != "gone", Ending: why == "shutdown"}, bytesOf(d.Input), w.now))
	case "join":
		to, hash := w.parse(text)
		w.engine.Join(id, to, hash, bytesOf(data), w.now)
	case "leave":
		to, hash := w.parse(text)
		d.MaybeScanArgs(t, "room", &hash)
		w.engine.Leave(id, to, hash, bytesOf(data), w.now)
	case "update":
		record, h, known := w.engine.Update(id, bytesOf(d.Input), w.now)
		if !known {
			return "not there\n"
		}
		w.held(record, h)
	case "first":
		to, hash := w.parse(text)
		for m := range w.engine.First(id, to, hash) {
			fmt.Fprintf(&w.told, "%s\n  %s\n", m.Topic, m.Payload)
		}
	case "rename":
		w.names[text] = data
		w.engine.Rename("fleet/trucks/@"+text, w.now)
	case "wait":
		w.now = w.now.Add(time.Duration(seconds) * time.Second)
	case "crash":
		w.restart()
	default:
		t.Fatalf("unknown command %s", d.Cmd)
	}
	return w.settle()
}

// restart makes an engine of what is in the store.
func (w *world) restart() {
	w.engine = New(w, w.opts)
	w.engine.Restore(all(w.t, w.store.Presences()), all(w.t, w.store.Seats()), w.now)
}

func all[T any](t *testing.T, stored iter.Seq2[T, error]) []T {
	t.Helper()
	var values []T
	for v, err := range stored {
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
	}
	return values
}

func (w *world) parse(text string) (topics.Filter, string) {
	to, err := topics.ParseFilter(text, topics.Limits{})
	if err != nil {
		w.t.Fatal(err)
	}
	return to, w.room(to)
}

// room returns the room that a topic filter is about, "" if that is a name that points to none.
func (w *world) room(to topics.Filter) string {
	if to.Room.Name != "" {
		return w.names[to.Room.Name]
	}
	return to.Collection
}

func bytesOf(text string) []byte {
	if text == "" {
		return nil
	}
	return []byte(text)
}
