package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ambitmq/ambit/channels"
	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
	"github.com/ambitmq/ambit/topics"
)

// A world is a router with its store and rooms. It writes down what subscribers
// are told. Whoever drains the tail writes to it, and what was answered is read.
type world struct {
	t      *testing.T
	store  *persistence.Store
	rooms  *rooms.Engine
	router *Router
	told   strings.Builder
	// presence knows who joined.
	presence attendance
	values   map[string]string                     // that scripts keep
	joined   map[string]map[string][]topics.Filter // by room and client
}

// newWorldWith is newWorld with settings of its store.
func newWorldWith(t *testing.T, so persistence.Options, o Options) *world {
	t.Helper()
	so.FS = vfs.NewMem()
	store, err := persistence.Open("data", so)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: store, values: map[string]string{}}
	w.rooms = rooms.New("node-1", w, rooms.Options{})
	w.presence = newAttendance()
	o.Presence = w.presence
	w.joined = map[string]map[string][]topics.Filter{}
	o.Channels = channels.New(w, channels.Options{Node: "node-1", PerClient: 2, Bytes: 5000})
	w.router = New(store, w.rooms, w, o)
	applied := make(chan struct{})
	go func() {
		defer close(applied)
		for batch := range store.Tail() {
			for _, r := range batch {
				w.apply(r)
			}
		}
	}()
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
		<-applied
	})
	return w
}

func (w *world) apply(r *persistence.Result) {
	if r.Change != nil {
		if err := w.rooms.Apply(r.Change); err != nil {
			w.t.Error(err)
		}
	}
	r.Apply()
}

func (w *world) Publish(topicFilter string, members []string, m *rooms.Message) {
	fmt.Fprintf(&w.told, "%s on %s\n  %s\n", strings.Join(members, ","), topicFilter, m.Payload)
}

func (w *world) Announce(op *persistence.Op, topic string, payload []byte, from string) {
	applied := op.Applied
	op.Applied = func(r *persistence.Result) {
		if r.Change != nil && r.Change.After != nil {
			payload = r.Change.After.Body
		}
		if r.Err == nil && (op.Write == nil || r.Change != nil) {
			if len(payload) == 0 {
				payload = []byte("(empty)")
			}
			fmt.Fprintf(&w.told, "on %s, from %q\n  %s\n", topic, from, payload)
		}
		applied(r)
	}
}

func (w *world) GoOver(_ rooms.Name, members []rooms.Membership, r *persistence.Result) {
	for _, m := range members {
		fmt.Fprintf(&w.told, "%s on %s goes over\n", m.Member, m.TopicFilter)
	}
	r.Snapshot.Close()
}

// ask asks as a client over MQTT.
func (w *world) ask(text string) Response { return w.askAs("dash", text) }

// askAs asks as another one, or over HTTP as "".
func (w *world) askAs(client, text string) Response {
	from := Caller{Name: "dash", ClientID: client, User: "ada", Protocol: "mqtt"}
	if client == "" {
		from.Protocol = "http"
	}
	return w.router.Serve(w.t.Context(), from, "", "", []byte(text))
}

// LeaveRoom has a client leave a room, as its session would.
func (w *world) LeaveRoom(client, hash string) (bool, error) {
	room, ok := w.rooms.Find(hash)
	if !ok || w.joined[hash] == nil {
		return false, nil
	}
	for _, to := range w.joined[hash][client] {
		w.rooms.Leave(client, to, room.Hash)
	}
	left := len(w.joined[hash][client]) > 0
	delete(w.joined[hash], client)
	return left, nil
}

// TellUser writes down what a user is told.
func (w *world) TellUser(user string, e UserEvent) <-chan error {
	fmt.Fprintf(&w.told, "user %s: %s of a %s by %q over %s\n", user, e.Event, e.What, e.ClientID, e.Protocol)
	return nil
}

// Tell writes down what is told in a channel.
func (w *world) Tell(_ context.Context, m *channels.Message) (<-chan error, error) {
	told := make(chan error, 1)
	told <- nil
	to := "all"
	if !m.Echo {
		to = "all but " + m.From
	}
	fmt.Fprintf(&w.told, "%s in %q, to %s\n  %s\n", m.Event, m.Channel, to, m.Payload)
	return told, nil
}

// TestScripts runs the scripts of testdata. Their commands are
//
//	request [quiet]      a request; its answer, and unless it is quiet what was told of it;
//	  [client=M]         by another client than dash, or over HTTP with M as -
//	keep name=N          the last answer's scrollId or cursor, which stands for $N from then on
//	join member=M        a topic filter
//	configure name=N     a filter of fleet/trucks
//
// Times, names of nodes and random ids are left out.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) { //nolint:thelper // it is a subtest
		w := newWorld(t, Options{AutoCreate: !strings.Contains(path, "declared"), Collections: map[string]Collection{"fleet/trucks": {}}, ScanDocuments: 20, RoomNames: 3, Version: "1.0"})
		var last Response
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			t.Helper()
			switch d.Cmd {
			case "request":
				w.told.Reset()
				client := "dash"
				if d.HasArg("client") {
					d.ScanArgs(t, "client", &client)
				}
				last = w.askAs(strings.Trim(client, "-"), w.expand(d.Input))
				if d.HasArg("quiet") {
					w.told.Reset()
				}
				return scrub(readable(last) + w.told.String())
			case "keep":
				var name string
				d.ScanArgs(t, "name", &name)
				w.values[name] = cursorIn(t, last)
				return ""
			case "join":
				var member string
				d.ScanArgs(t, "member", &member)
				return w.join(member, d.Input)
			case "configure":
				var name string
				d.ScanArgs(t, "name", &name)
				return w.configure(name, d.Input)
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

func (w *world) expand(text string) string {
	for name, value := range w.values {
		text = strings.ReplaceAll(text, "$"+name, value)
	}
	return text
}

func cursorIn(t *testing.T, r Response) string {
	t.Helper()
	var answer struct {
		Result struct{ Cursor, ScrollID string }
	}
	if err := json.Unmarshal(r.Body, &answer); err != nil || answer.Result.Cursor+answer.Result.ScrollID == "" {
		t.Fatalf("no cursor in %s: %v", r.Body, err)
	}
	return cmp.Or(answer.Result.ScrollID, answer.Result.Cursor)
}

func (w *world) join(member, text string) string {
	to, err := topics.ParseFilter(text, topics.Limits{})
	if err != nil {
		return err.Error() + "\n"
	}
	text = to.Room.Filter
	if n, ok := w.rooms.Named(to.Index, to.Collection, to.Room.Name); ok {
		text = n.Filter.String()
	}
	f, err := filter.Parse([]byte(text))
	if err != nil {
		return err.Error() + "\n"
	}
	hash, err := w.rooms.Join(member, to, f, w.store)
	if err != nil {
		return err.Error() + "\n"
	}
	w.presence.join(member, to, hash)
	if w.joined[hash] == nil {
		w.joined[hash] = map[string][]topics.Filter{}
	}
	w.joined[hash][member] = append(w.joined[hash][member], to)
	return hash + "\n"
}

// configure has a name point to a filter, as a setting does.
func (w *world) configure(name, text string) string {
	f, err := filter.Parse([]byte(text))
	if err == nil {
		err = w.rooms.SetName(rooms.Name{Index: "fleet", Collection: "trucks", Name: name, Filter: f, Configured: true}, w.store)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return "ok\n"
}

// readable returns what differs from one answer to another.
func readable(r Response) string {
	var e struct {
		Status                                int
		Error, Result                         json.RawMessage
		Index, Collection, Controller, Action *string
	}
	if err := json.Unmarshal(r.Body, &e); err != nil {
		return err.Error()
	}
	if string(e.Error) == "null" {
		return fmt.Sprintf("%d %s\n", e.Status, e.Result)
	}
	return fmt.Sprintf("%d %s\n", e.Status, e.Error)
}

var (
	times  = regexp.MustCompile(`"(createdAt|updatedAt|timestamp|since|now|uptime)":[0-9.e-]+`)
	nodes  = regexp.MustCompile(`"node":"[^"]*"`)
	random = regexp.MustCompile(`"(_id|requestId)":"[a-zA-Z0-9]{26}"`)
	opaque = regexp.MustCompile(`"cursor":"[^"]*"`)
)

func scrub(text string) string {
	text = times.ReplaceAllString(text, `"$1":0`)
	text = nodes.ReplaceAllString(text, `"node":""`)
	text = opaque.ReplaceAllString(text, `"cursor":"…"`)
	return random.ReplaceAllString(text, `"$1":"…"`)
}

func TestAnEnvelopeIsKuzzles(t *testing.T) {
	w := newWorld(t, Options{AutoCreate: true})
	r := w.ask(`{"requestId":"r1","controller":"document","action":"exists","index":"fleet","collection":"trucks","_id":"1","volatile":{"a":1}}`)
	want := `{"requestId":"r1","status":200,"error":null,"controller":"document","action":"exists","index":"fleet","collection":"trucks",` +
		`"volatile":{"a":1},"headers":{},"result":false,"node":"` + w.store.NodeID() + `"}`
	if r.Status != 200 || string(r.Body) != want {
		t.Errorf("%d %s\nwant %s", r.Status, r.Body, want)
	}
}

func TestWhatCannotBeReadIsAnswered(t *testing.T) {
	w := newWorld(t, Options{AutoCreate: true})
	for _, text := range []string{"", "null", "[]", "{", `{"a":1,"a":2}`, `{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "}", "\xff"} {
		r := w.ask(text)
		var e struct {
			RequestID string
			Error     Error
		}
		if err := json.Unmarshal(r.Body, &e); err != nil || r.Status != 400 || e.Error.ID != "network.mqtt.unexpected_error" || e.RequestID == "" {
			t.Errorf("%q: %s", text, r.Body)
		}
	}
}

func TestAnAnswerIsNotLongerThanItMayBe(t *testing.T) {
	w := newWorld(t, Options{AutoCreate: true})
	w.ask(`{"controller":"document","action":"create","index":"a","collection":"b","_id":"1","body":{"text":"` + strings.Repeat("x", 5000) + `"}}`)
	r := w.router.Serve(t.Context(), Caller{MaxBytes: 2000}, "document", "get", []byte(`{"index":"a","collection":"b","_id":"1"}`))
	if r.Status != 413 || len(r.Body) > 2000 || !bytes.Contains(r.Body, []byte("api.process.answer_too_large")) {
		t.Errorf("%d %s", r.Status, r.Body)
	}
}

func TestARequestThatTakesTooLongIsAnswered(t *testing.T) {
	w := newWorld(t, Options{AutoCreate: true, Timeout: time.Nanosecond})
	for text, status := range map[string]int{
		`{"controller":"document","action":"search","index":"a","collection":"b"}`:             504,
		`{"controller":"document","action":"create","index":"a","collection":"b","body":{}}`:   504,
		`{"controller":"document","action":"mGet","index":"a","collection":"b","ids":["1"]}`:   504,
		`{"controller":"realtime","action":"publish","index":"a","collection":"b","body":{}}`:  504,
		`{"controller":"collection","action":"create","index":"a","collection":"b"}`:           504,
		`{"controller":"realtime","action":"validate","index":"a","collection":"b","body":{}}`: 200, // takes no time
	} {
		if r := w.ask(text); r.Status != status || status == 504 && !bytes.Contains(r.Body, []byte("api.process.timeout")) {
			t.Errorf("%s\n%d %s", text, r.Status, r.Body)
		}
	}
}

func TestANodeThatEndsSaysSo(t *testing.T) {
	w := newWorld(t, Options{AutoCreate: true})
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		`{"controller":"document","action":"search","index":"a","collection":"b"}`,
		`{"controller":"document","action":"get","index":"a","collection":"b","_id":"1"}`,
		`{"controller":"document","action":"create","index":"a","collection":"b","body":{}}`,
		`{"controller":"index","action":"list"}`,
		`{"controller":"server","action":"healthCheck"}`,
	} {
		if r := w.ask(text); r.Status != 503 {
			t.Errorf("%s\n%d %s", text, r.Status, r.Body)
		}
	}
}

// A collection's settings hold for what is written by requests, too.
func TestWhatIsWrittenExpiresAndIsEphemeral(t *testing.T) {
	w := newWorld(t, Options{AutoCreate: true, Collections: map[string]Collection{"a/ttl": {TTL: time.Hour}, "a/memory": {Ephemeral: true}}})
	for _, name := range []string{"ttl", "memory", "other"} {
		for _, action := range []string{`"create","body":{}`, `"update","body":{"a":1}`} {
			if r := w.ask(`{"controller":"document","index":"a","collection":"` + name + `","_id":"1","action":` + action + `}`); r.Status != 200 {
				t.Fatalf("%s", r.Body)
			}
		}
		doc, err := w.store.Get(persistence.Key{Index: "a", Collection: name, ID: "1"})
		if err != nil {
			t.Fatal(err)
		}
		if left := doc.Expires.Sub(w.store.Now()); (name == "ttl") != (left > 50*time.Minute && left <= time.Hour) || name != "ttl" && !doc.Expires.IsZero() {
			t.Errorf("a document of %s expires at %v", name, doc.Expires)
		}
		if r := w.ask(`{"controller":"document","index":"a","collection":"` + name + `","action":"count"}`); !bytes.Contains(r.Body, []byte(`"count":1,`)) {
			t.Errorf("%s: %s", name, r.Body)
		}
	}
	report, err := w.store.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range report.Records { // on the disk
		if r.Kind == "documents" && r.Count != 2 {
			t.Errorf("%d documents are on the disk, want 2", r.Count)
		}
	}
}
