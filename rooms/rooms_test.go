package rooms

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// recorder writes down what it is given to publish.
type recorder struct {
	strings.Builder
	messages map[string]*Message // the last ones, by topic filter
}

func (r *recorder) Publish(topicFilter string, members []string, m *Message) {
	if r.messages != nil {
		r.messages[topicFilter] = m
	}
	fmt.Fprintf(&r.Builder, "%s: ", strings.Join(members, ","))
	if m.Seq == 0 {
		fmt.Fprint(&r.Builder, "ephemeral")
	} else {
		fmt.Fprintf(&r.Builder, "%s %s v%d seq=%d", m.ID, m.Transition, m.Version, m.Seq)
	}
	if m.Retain {
		fmt.Fprint(&r.Builder, " retain")
	}
	if m.Topic != topicFilter {
		fmt.Fprintf(&r.Builder, "\n  on %s", m.Topic)
	}
	if len(m.Payload) == 0 {
		fmt.Fprint(&r.Builder, "\n  (empty)\n")
		return
	}
	fmt.Fprintf(&r.Builder, "\n  %s\n", m.Payload)
}

// world is what a script of testdata acts on: an engine, and the documents as
// the store would keep them.
type world struct {
	t      *testing.T
	out    recorder
	engine *Engine
	docs   map[string]*persistence.Document
	names  map[string]string // of rooms, by hash
	seq    uint64
	joined map[string]joined
	rule   string // under which filters are joined, if it is not ""
	hidden []string
	update []string // the fields that the next change names, if it is an update
}

type joined struct {
	to     topics.Filter
	hash   string
	replay *Replay // is asked about each change, too
}

// TestRooms runs the scripts of testdata. Their commands are
//
//	join member=M        a topic filter
//	rule [hide=PATH,…]   the access rule under which filters are joined from then on
//	leave member=M       a topic filter
//	pause member=M       a topic filter
//	put id=ID            a body
//	update id=ID         the fields that an update names, and below them a body
//	delete id=ID
//	tell [id=ID]         the body of an ephemeral message
//	name name=N          a filter
//	unname name=N
func TestRooms(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) { //nolint:thelper // it is a subtest
		w := &world{t: t, docs: map[string]*persistence.Document{}, names: map[string]string{}, joined: map[string]joined{}}
		w.out.messages = map[string]*Message{}
		w.engine = New("node-1", &w.out, Options{})
		datadriven.RunTest(t, path, w.run)
	})
}

func (w *world) run(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	arg := func(key string) (value string) {
		d.ScanArgs(t, key, &value)
		return value
	}
	switch d.Cmd {
	case "join":
		return w.join(arg("member"), d.Input)
	case "rule":
		w.rule, w.hidden = d.Input, nil
		if d.HasArg("hide") {
			w.hidden = strings.Split(arg("hide"), ",")
		}
		return ""
	case "leave":
		j := w.joined[d.Input]
		return fmt.Sprintf("was in: %v\nrooms: %d\n", w.engine.Leave(arg("member"), j.to, j.hash), w.engine.Len())
	case "pause":
		j := w.joined[d.Input]
		w.engine.Pause(arg("member"), j.to, j.hash)
		return fmt.Sprintf("rooms: %d\n", w.engine.Len())
	case "put":
		return w.change(arg("id"), []byte(d.Input))
	case "update":
		fields, body, _ := strings.Cut(d.Input, "\n")
		w.update = strings.Fields(fields)
		defer func() { w.update = nil }()
		return w.change(arg("id"), []byte(body))
	case "delete":
		return w.change(arg("id"), nil)
	case "name":
		f, err := filter.Parse([]byte(d.Input))
		if err != nil {
			return err.Error() + "\n"
		}
		return w.name(arg("name"), f)
	case "unname":
		return w.name(arg("name"), nil)
	case "tell":
		m := &Ephemeral{Index: "fleet", Collection: "trucks", Body: []byte(d.Input), Time: time.UnixMilli(1000)}
		d.MaybeScanArgs(t, "id", &m.ID)
		m.Origin = persistence.Origin{ClientID: "truck", User: "ada", Protocol: "mqtt", RequestID: "r1", Volatile: []byte(`{"trip":7}`)}
		return w.tell(m)
	}
	t.Fatalf("unknown command %s", d.Cmd)
	return ""
}

func (w *world) parse(text string) (*filter.Filter, error) {
	f, err := filter.Parse([]byte(text))
	if err != nil || w.rule == "" {
		return f, err
	}
	rule, err := filter.Parse([]byte(w.rule))
	if err != nil {
		return nil, err
	}
	return f.Under(rule, w.hidden)
}

func (w *world) join(member, text string) string {
	to, err := topics.ParseFilter(text, topics.Limits{})
	if err != nil {
		return err.Error() + "\n"
	}
	var f *filter.Filter
	if n, ok := w.engine.Named(to.Index, to.Collection, to.Room.Name); ok {
		f = n.Filter
	} else if to.Room.Name != "" {
		return "no such name\n"
	} else if to.Room.Hash != "" {
		var ok bool
		if f, ok = w.engine.Filter(to.Index, to.Collection, to.Room.Hash); !ok {
			return "no such room\n"
		}
	} else if f, err = w.parse(to.Room.Filter); err != nil {
		return err.Error() + "\n"
	}
	if err := Check(to, f); err != nil {
		return err.Error() + "\n"
	}
	hash, err := w.engine.Join(member, to, f, w)
	if err != nil {
		return err.Error() + "\n"
	}
	if w.names[hash] == "" {
		w.names[hash] = fmt.Sprintf("room-%d", len(w.names)+1)
	}
	r := w.engine.Replay(to, View{Filter: f})
	if r.neighbours, err = r.positions(w); err != nil {
		w.t.Fatal(err)
	}
	w.joined[text] = joined{to, hash, r}
	return fmt.Sprintf("%s\nrooms: %d\n", w.names[hash], w.engine.Len())
}

// Get makes the world the Documents of its engine.
func (w *world) Get(k persistence.Key) (*persistence.Document, error) {
	if doc := w.docs[k.ID]; doc != nil {
		return doc, nil
	}
	return nil, persistence.ErrNotFound
}

// change does what the store would, and shows what the engine publishes.
func (w *world) change(id string, body []byte) string {
	w.seq++
	now := time.UnixMilli(int64(1000 * w.seq)).UTC()
	key := persistence.Key{Index: "fleet", Collection: "trucks", ID: id}
	before := w.docs[id]
	c := &persistence.Change{
		Seq: w.seq, Key: key, Time: now, Before: before, Action: persistence.Delete,
		Origin: persistence.Origin{ClientID: "truck", Protocol: "mqtt", Volatile: []byte(`{"trip":7}`)},
	}
	c.Origin.Update, c.Origin.Fields = w.update != nil, w.update
	if body != nil {
		c.Action = persistence.Create
		c.After = &persistence.Document{Key: key, Body: body, Version: 1, Seq: w.seq, CreatedAt: now}
		if before != nil {
			c.Action = persistence.Replace
			c.After.Version, c.After.CreatedAt, c.After.UpdatedAt = before.Version+1, before.CreatedAt, now
		}
	}
	w.docs[id] = c.After
	w.out.Reset()
	if err := w.engine.Apply(c); err != nil {
		w.t.Fatal(err)
	}
	w.checkReplays(c)
	return w.told()
}

func (w *world) tell(m *Ephemeral) string {
	w.out.Reset()
	if err := w.engine.Tell(m); err != nil {
		w.t.Fatal(err)
	}
	clear(w.out.messages) // the change log does not tell it again
	return w.told()
}

// told shows what was published.
func (w *world) told() string {
	text := w.out.String()
	for hash, name := range w.names {
		text = strings.ReplaceAll(text, hash, name)
	}
	if text == "" {
		return "nothing\n"
	}
	return text
}

// checkReplays compares what replays make of a change with what was published.
func (w *world) checkReplays(c *persistence.Change) {
	w.t.Helper()
	for text, j := range w.joined {
		m, err := j.replay.message(c)
		if err != nil {
			w.t.Fatal(err)
		}
		if _, ok := w.engine.Filter(j.to.Index, j.to.Collection, j.hash); !ok {
			continue
		}
		live := w.out.messages[text]
		if !reflect.DeepEqual(m, live) && w.engine.has(j) {
			w.t.Errorf("%s: change %d was told as %+v, and is replayed as %+v", text, c.Seq, live, m)
		}
	}
	clear(w.out.messages)
}

// has says whether anybody is told of a room by a topic filter.
func (e *Engine) has(j joined) bool {
	r := e.collections[collectionName{j.to.Index, j.to.Collection}].rooms[j.hash]
	i, ok := r.find(j.to.Text)
	return ok && len(r.outlets[i].members) > 0
}

func TestSourceHasTheBodyAndItsMetadata(t *testing.T) {
	created, updated := time.UnixMilli(1000), time.UnixMilli(2000)
	for _, tt := range []struct {
		name string
		doc  persistence.Document
		want string
	}{
		{"new", persistence.Document{Body: []byte(`{"a":1}`), CreatedAt: created},
			`{"a":1,"_kuzzle_info":{"author":"-1","createdAt":1000,"updatedAt":null,"updater":null}}`},
		{"updated by users", persistence.Document{Body: []byte(`{"a":1}`), Author: "ann", Updater: `b"b`, CreatedAt: created, UpdatedAt: updated},
			`{"a":1,"_kuzzle_info":{"author":"ann","createdAt":1000,"updatedAt":2000,"updater":"b\"b"}}`},
		{"empty", persistence.Document{Body: []byte(" { } "), CreatedAt: created},
			`{"_kuzzle_info":{"author":"-1","createdAt":1000,"updatedAt":null,"updater":null}}`},
		{"numbers and spaces stay as they are", persistence.Document{Body: []byte("{\"a\": 1.0e2 }\n"), CreatedAt: created},
			`{"a": 1.0e2,"_kuzzle_info":{"author":"-1","createdAt":1000,"updatedAt":null,"updater":null}}`},
		{"metadata that came back is dropped", persistence.Document{Body: []byte(`{"a":[1, 2],"_kuzzle_info":{"author":"x"},"b":"_kuzzle_info"}`), CreatedAt: created},
			`{"a":[1, 2],"b":"_kuzzle_info","_kuzzle_info":{"author":"-1","createdAt":1000,"updatedAt":null,"updater":null}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(AppendSource(nil, &tt.doc)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
