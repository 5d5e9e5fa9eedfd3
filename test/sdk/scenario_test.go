package sdk

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const index, collection = "fleet", "trucks"

// A scenario is a file of client/testdata.
type scenario struct {
	// About says what it shows; Settings are those of the broker.
	About    string
	Settings string
	Steps    []step
}

// A step does one thing, by the client that is tested or to its world, or says what
// the client sees by now.
type step struct {
	// Write writes documents, by somebody else; null deletes one. Ask makes another
	// request, by somebody else.
	Write map[string]json.RawMessage
	Ask   map[string]any
	// Cut cuts the connection of the client, and Mend lets it connect again. Kill kills
	// the broker, and Restart starts it again.
	Cut, Mend, Kill, Restart bool

	// Observe names what is observed from here on: the document Get, the documents MGet,
	// or else what Search finds, in pages of Size.
	Observe string
	Get     string
	MGet    []string
	Search  map[string]any
	Size    int
	// Subscribe names a subscription to a filter.
	Subscribe string
	Filter    json.RawMessage
	Options   map[string]any
	// Start, Stop and Next name what is observed; More says what Next returns.
	// Times is how often Next is called at once, if it is not once.
	Start, Stop, Next string
	More              bool
	Times             int
	// By names the client that does it, or sees it: another one for each name, which is its
	// client identifier. Without one it is a client whose identifier is made up.
	By string
	// Call calls a method of presence or channel with Args, as that of JavaScript has them. If it
	// takes a function, what that is told is seen under the name As, until Stop.
	Call string
	Args []any
	As   string
	// Publish is a topic, on which a message is published at QoS 1.
	Publish string
	// Request is made by the client, and Result is a part of its result. Fails is what the
	// error of this step says.
	Request map[string]any
	Result  any
	Fails   string
	// Eventually has it done again until the result is that.
	Eventually bool
	// Detached, a name, has nobody wait for it: how it ends is seen under that name.
	Detached string

	// Sees names what is observed, and Hits, Total and Told what is seen of it in the
	// end: Told are the events since the last such step. Hears are some of them, in any order;
	// those up to the last of them are gone then.
	Sees  string
	Hits  []map[string]any
	Total *int
	Told  []string
	Hears []string

	// Rooms says in how many rooms the client is, and Subscriptions how many it has.
	Rooms, Subscriptions *int
}

// A client is one that is tested.
type client interface {
	// do runs what a step asks of the client, and returns its result.
	do(s step) (any, error)
	board() *board
	close()
}

// A state is what a client sees of something that it observes.
type state struct {
	Hits  []map[string]any
	Total int
	Told  []string
}

// A board has the states that a client told of, by their names.
type board struct {
	mu      sync.Mutex // guards what follows
	states  map[string]state
	changed chan struct{} // closed, and replaced, with every change
}

func newBoard() *board { return &board{states: map[string]state{}, changed: make(chan struct{})} }

func (b *board) set(name string, s state) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.states[name] = s
	close(b.changed)
	b.changed = make(chan struct{})
}

// await waits until a state is as is says.
func (b *board) await(name string, is func(state) bool) (state, bool) {
	timeout := time.After(patience)
	for {
		b.mu.Lock()
		s, changed := b.states[name], b.changed
		b.mu.Unlock()
		if is(s) {
			return s, true
		}
		select {
		case <-changed:
		case <-timeout:
			return s, false
		}
	}
}

// A dialer connects a client with a client identifier, or "" for one that is made up.
type dialer func(t *testing.T, b *broker, clientID string) client

// A play is a scenario with clients of one kind.
type play struct {
	t       *testing.T
	broker  *broker
	dial    dialer
	clients map[string]client
	told    map[string]int // how many events were seen, by name
}

func newPlay(t *testing.T, b *broker, dial dialer) *play {
	t.Helper()
	p := &play{t: t, broker: b, dial: dial, clients: map[string]client{}, told: map[string]int{}}
	t.Cleanup(func() {
		for _, c := range p.clients {
			c.close()
		}
	})
	return p
}

// client returns that of a name, which connects when it is first asked for.
func (p *play) client(name string) client {
	p.t.Helper()
	if p.clients[name] == nil {
		p.clients[name] = p.dial(p.t, p.broker, name)
	}
	return p.clients[name]
}

// playAll plays every scenario with a kind of client.
func playAll(t *testing.T, dial dialer) {
	t.Helper()
	files, err := filepath.Glob("../../client/testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var s scenario
			decoder := json.NewDecoder(strings.NewReader(string(text)))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&s); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			p := newPlay(t, startBroker(t, s.Settings), dial)
			for i, step := range s.Steps {
				if err := p.step(step); err != nil {
					t.Fatalf("step %d of %q: %v", i+1, s.About, err)
				}
			}
		})
	}
}

func (p *play) step(s step) error {
	switch {
	case s.Write != nil:
		return p.write(s.Write)
	case s.Ask != nil:
		_, err := p.broker.ask(s.Ask["controller"].(string), s.Ask["action"].(string), s.Ask)
		return err
	case s.Cut:
		p.broker.mqtt.cut()
		p.broker.http.cut()
	case s.Mend:
		p.broker.mqtt.mend()
		p.broker.http.mend()
	case s.Kill:
		p.broker.kill()
	case s.Restart:
		p.broker.start(p.t)
	case s.Hears != nil:
		return p.hears(s)
	case s.Sees != "":
		return p.sees(s)
	case s.Rooms != nil:
		return p.rooms(*s.Rooms)
	case s.Subscriptions != nil:
		return p.subscriptions(*s.Subscriptions)
	default:
		return p.act(s)
	}
	return nil
}

func (p *play) write(docs map[string]json.RawMessage) error {
	for id, body := range docs {
		request, action := map[string]any{"index": index, "collection": collection, "_id": id}, "delete"
		if string(body) != "null" {
			request["body"], action = body, "createOrReplace"
		}
		if _, err := p.broker.ask("document", action, request); err != nil {
			return err
		}
	}
	return nil
}

// act has the client do something, and compares the result.
func (p *play) act(s step) error {
	result, err := p.client(s.By).do(s)
	for end := time.Now().Add(patience); s.Eventually && !contains(result, s.Result) && time.Now().Before(end); {
		result, err = p.client(s.By).do(s)
	}
	switch {
	case s.Fails != "" && err == nil:
		return fmt.Errorf("it should fail: %s", s.Fails)
	case s.Fails != "" && strings.Contains(err.Error(), s.Fails):
		return nil
	case err != nil:
		return err
	case s.Next != "" && result != s.More:
		return fmt.Errorf("next is %v", result)
	case s.Result != nil && !contains(result, s.Result):
		return fmt.Errorf("the result is %v, want %v", result, s.Result)
	}
	return nil
}

// contains says whether a JSON value has all members of another.
func contains(whole, part any) bool {
	if elements, ok := part.([]any); ok {
		list, ok := whole.([]any)
		return ok && slices.EqualFunc(list, elements, contains)
	}
	members, ok := part.(map[string]any)
	if !ok {
		return reflect.DeepEqual(whole, part)
	}
	object, ok := whole.(map[string]any)
	for name, member := range members {
		ok = ok && contains(object[name], member)
	}
	return ok
}

// sees waits until the client sees what it should.
func (p *play) sees(s step) error {
	from := p.told[s.Sees]
	got, ok := p.client(s.By).board().await(s.Sees, func(is state) bool {
		return (s.Hits == nil || len(is.Hits) == len(s.Hits) && (len(s.Hits) == 0 || reflect.DeepEqual(is.Hits, s.Hits))) &&
			(s.Total == nil || is.Total == *s.Total) &&
			(s.Told == nil || len(is.Told) >= from && strings.Join(is.Told[from:], "\n") == strings.Join(s.Told, "\n"))
	})
	p.told[s.Sees] = len(got.Told)
	if !ok {
		return fmt.Errorf("of %q it sees %+v\nsince the last look it was told %q", s.Sees, got, got.Told[min(from, len(got.Told)):])
	}
	return nil
}

// hears waits until the client has been told something, in whichever order.
func (p *play) hears(s step) error {
	from := p.told[s.Sees]
	last := 0
	got, ok := p.client(s.By).board().await(s.Sees, func(is state) bool {
		for _, line := range s.Hears {
			at := slices.Index(is.Told[min(from, len(is.Told)):], line)
			if at < 0 {
				return false
			}
			last = max(last, at)
		}
		return true
	})
	if !ok {
		return fmt.Errorf("by %q it hears %q", s.Sees, got.Told[min(from, len(got.Told)):])
	}
	p.told[s.Sees] = from + last + 1
	return nil
}

// rooms compares the number of rooms that are there, of which the client is the only
// member.
func (p *play) rooms(want int) error {
	list, err := p.broker.ask("realtime", "list", map[string]any{})
	if err != nil {
		return err
	}
	var all map[string]map[string]map[string]int
	if err := json.Unmarshal(list, &all); err != nil {
		return err
	}
	if got := len(all[index][collection]); got != want {
		return fmt.Errorf("there are %d rooms, want %d: %s", got, want, list)
	}
	return nil
}

// subscriptions compares the number of subscriptions of the client.
func (p *play) subscriptions(want int) error {
	out, err := exec.Command(program, "client", "list", "--json", "--data", p.broker.data()).Output()
	if err != nil {
		return fmt.Errorf("ambit client list: %w", err)
	}
	var c struct{ Subscriptions int }
	if err := json.Unmarshal(out, &c); err != nil {
		return fmt.Errorf("not one client: %w: %s", err, out)
	}
	if c.Subscriptions != want {
		return fmt.Errorf("it has %d subscriptions, want %d: %s", c.Subscriptions, want, out)
	}
	return nil
}
