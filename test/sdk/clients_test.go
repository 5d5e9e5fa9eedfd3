package sdk

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	ambit "github.com/ambitmq/ambit/client"
)

func TestScenariosWithTheGoClient(t *testing.T) { playAll(t, dialGo) }

func TestScenariosWithNode(t *testing.T) {
	build(t)
	for _, version := range []string{"4", "5"} {
		t.Run("MQTT "+version, func(t *testing.T) {
			c := startJS(t, version)
			playAll(t, c.dialer(func(b *broker) string {
				if version == "4" {
					return "mqtt://" + b.mqtt.address()
				}
				return "ws://" + b.http.address() + "/mqtt"
			}))
		})
	}
}

func TestScenariosWithChromium(t *testing.T) {
	build(t)
	chromium := need(t, "chromium")
	for _, version := range []string{"4", "5"} {
		t.Run("MQTT "+version, func(t *testing.T) {
			c := startJS(t, version, chromium)
			playAll(t, c.dialer(func(b *broker) string { return "ws://" + b.http.address() + "/mqtt" }))
		})
	}
}

// jsClient is the JavaScript client, in a process that runs test/driver.js for one
// scenario after the other.
type jsClient struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	done   chan jsLine // answers
	exited chan struct{}
	errs   lockedBuffer

	mu     sync.Mutex // guards what follows
	seen   *board
	closed bool // what is opened next is seen on another board
}

type jsLine struct {
	Done   bool
	Result any
	Error  string
	Name   string
	State  state
}

// startJS starts the process, which ends with the test.
func startJS(t *testing.T, args ...string) *jsClient {
	t.Helper()
	c := &jsClient{done: make(chan jsLine, 16), exited: make(chan struct{}), seen: newBoard()}
	c.cmd = exec.Command("node", append([]string{"test/driver.js"}, args...)...)
	c.cmd.Dir = js
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // to end it with all that it has started
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	errs, err := c.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	both.Go(func() { c.read(out) })
	both.Go(func() {
		for lines := bufio.NewScanner(errs); lines.Scan(); {
			c.errs.write(lines.Text())
		}
	})
	go func() {
		defer close(c.exited)
		both.Wait()
		_ = c.cmd.Wait() // it is killed, or says why
	}()
	t.Cleanup(func() {
		_ = c.stdin.Close() // has it end
		select {
		case <-c.exited:
		case <-time.After(patience):
			_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) // it may have ended by now
			<-c.exited
		}
		if t.Failed() {
			t.Logf("the client printed:\n%s", c.errs.String())
		}
	})
	return c
}

// dialer returns what connects to an address of a broker.
func (c *jsClient) dialer(url func(*broker) string) dialer {
	return func(t *testing.T, b *broker, clientID string) client {
		t.Helper()
		return c.open(t, url(b), clientID)
	}
}

// open connects a client, beside those that are open already.
func (c *jsClient) open(t *testing.T, url, clientID string) client {
	t.Helper()
	if err := c.openWith(url, clientID, nil); err != nil {
		t.Fatal(err)
	}
	return c
}

// openWith connects with options of the JavaScript client.
func (c *jsClient) openWith(url, clientID string, options map[string]any) error {
	c.mu.Lock()
	if c.closed {
		c.seen, c.closed = newBoard(), false
	}
	c.mu.Unlock()
	_, err := c.run(map[string]any{"do": "open", "by": clientID, "url": url, "options": options})
	return err
}

func (c *jsClient) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var l jsLine
		switch err := json.Unmarshal(lines.Bytes(), &l); {
		case err != nil:
			c.errs.write(lines.Text())
		case l.Done:
			c.done <- l
		default:
			c.board().set(l.Name, l.State)
		}
	}
}

func (c *jsClient) answer() (any, error) {
	select {
	case l := <-c.done:
		if l.Error != "" {
			return nil, errors.New(l.Error)
		}
		return l.Result, nil
	case <-c.exited:
		return nil, fmt.Errorf("the client has ended: %s", c.errs.String())
	case <-time.After(patience):
		return nil, errors.New("the client does not answer")
	}
}

func (c *jsClient) do(s step) (any, error) {
	command := map[string]any{"by": s.By, "index": index, "collection": collection}
	switch {
	case s.Observe != "":
		command["do"], command["name"] = "observe", s.Observe
		command["get"], command["mGet"], command["search"] = s.Get, s.MGet, s.Search
		if s.Size > 0 {
			command["size"] = s.Size
		}
		if s.Search == nil {
			command["search"] = map[string]any{}
		}
	case s.Subscribe != "":
		command["do"], command["name"], command["filter"], command["options"] = "subscribe", s.Subscribe, s.Filter, s.Options
	case s.Call != "":
		command["do"], command["name"] = "call", s.As
		command["controller"], command["method"], _ = strings.Cut(s.Call, ".")
		command["args"] = s.Args
	case s.Start != "":
		command["do"], command["name"] = "start", s.Start
	case s.Stop != "":
		command["do"], command["name"] = "stop", s.Stop
	case s.Next != "":
		command["do"], command["name"], command["times"] = "next", s.Next, s.Times
	case s.Publish != "":
		command["do"], command["topic"], command["options"] = "publish", s.Publish, s.Options
		command["payload"] = "{}"
	default:
		command["do"], command["request"] = "request", s.Request
	}
	if s.Detached != "" {
		command["detached"] = s.Detached
	}
	return c.run(command)
}

// run has a command done, by the client that it names or by the one without a name.
func (c *jsClient) run(command map[string]any) (any, error) {
	if command["by"] == nil {
		command["by"] = ""
	}
	text, err := json.Marshal(command)
	if err != nil {
		return nil, err
	}
	if _, err := c.stdin.Write(append(text, '\n')); err != nil {
		return nil, err
	}
	return c.answer()
}

func (c *jsClient) board() *board {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen
}

// close ends all its clients, and leaves the process for the next scenario.
func (c *jsClient) close() {
	_, _ = c.run(map[string]any{"do": "close"}) // what is open ends with the process otherwise
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
}

// goClient is the Go client.
type goClient struct {
	a    *ambit.Ambit
	seen *board

	mu       sync.Mutex // guards what follows
	observed map[string]*ambit.Observed
	subs     map[string]*ambit.Subscription
	told     map[string][]string
}

// reconnectWait is short, for tests lose connections.
const reconnectWait = 50 * time.Millisecond

func dialGo(t *testing.T, b *broker, clientID string) client {
	t.Helper()
	a, err := ambit.Connect(t.Context(), ambit.Options{Broker: b.mqtt.address(), ClientID: clientID, ReconnectWait: reconnectWait}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := newGoClient()
	c.a = a
	return c
}

func newGoClient() *goClient {
	return &goClient{
		seen:     newBoard(),
		observed: map[string]*ambit.Observed{}, subs: map[string]*ambit.Subscription{}, told: map[string][]string{},
	}
}

func (c *goClient) board() *board { return c.seen }
func (c *goClient) close()        { c.a.Close() }

func (c *goClient) do(s step) (any, error) {
	if name := s.Detached; name != "" {
		s.Detached = ""
		go func() {
			if _, err := c.do(s); err != nil {
				c.say(name, "fails")
				return
			}
			c.say(name, "done")
		}()
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	switch {
	case s.Observe != "":
		return nil, c.observe(ctx, s)
	case s.Subscribe != "":
		return c.subscribe(ctx, s)
	case s.Call != "":
		return c.call(ctx, s)
	case s.Start != "":
		return nil, c.observedAs(s.Start).Start(ctx)
	case s.Stop != "":
		if sub := c.subs[s.Stop]; sub != nil {
			sub.Unsubscribe()
			return nil, nil
		}
		c.observedAs(s.Stop).Stop()
		return nil, nil
	case s.Next != "":
		return c.next(ctx, s)
	case s.Publish != "":
		return nil, c.a.Publish(ctx, ambit.Message{Topic: s.Publish, QoS: 1})
	}
	return c.request(ctx, s.Request)
}

func (c *goClient) observedAs(name string) *ambit.Observed {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.observed[name]
}

func (c *goClient) next(ctx context.Context, s step) (more bool, err error) {
	o := c.observedAs(s.Next)
	var others sync.WaitGroup
	defer others.Wait()
	for range s.Times - 1 {
		others.Go(func() { _, _ = o.Next(ctx) }) // the last one says how it is
	}
	return o.Next(ctx)
}

// request makes a request that is written as JSON.
func (c *goClient) request(ctx context.Context, members map[string]any) (any, error) {
	r := ambit.Request{Options: map[string]any{}}
	for name, value := range members {
		text, _ := value.(string)
		switch name {
		case "controller":
			r.Controller = text
		case "action":
			r.Action = text
		case "body":
			r.Body = value
		default:
			r.Options[name] = value
		}
	}
	var result any
	err := c.a.Request(ctx, r, &result)
	return result, err
}

func (c *goClient) observe(ctx context.Context, s step) error {
	on := ambit.Observers{
		OnChange: func(id string, changes map[string]any) { c.say(s.Observe, "change "+id+" "+asText(changes)) },
		OnDelete: func(id string) { c.say(s.Observe, "delete "+id) },
		OnGap:    func(_, _ uint64) { c.say(s.Observe, "gap") },
		OnError:  func(err error) { c.say(s.Observe, "error "+err.Error()) },
		OnUpdate: func() { c.show(s.Observe) },
	}
	trucks := c.a.Collection(index, collection)
	var o *ambit.Observed
	switch {
	case s.Get != "":
		o = trucks.ObserveOne(s.Get, on)
	case s.MGet != nil:
		o = trucks.ObserveMany(s.MGet, on)
	default:
		search := ambit.Search{Sort: s.Search["sort"]}
		if query, ok := s.Search["query"]; ok {
			search.Query = query
		}
		size := s.Size
		if size == 0 {
			size = 10
		}
		o = trucks.Observe(search, size, on)
	}
	c.mu.Lock()
	c.observed[s.Observe] = o
	c.mu.Unlock()
	return o.Start(ctx)
}

func (c *goClient) subscribe(ctx context.Context, s step) (any, error) {
	o := ambit.SubscribeOptions{OnError: func(err error) { c.say(s.Subscribe, "error "+err.Error()) }}
	if since, ok := s.Options["since"].(float64); ok {
		o.Since, o.HasSince = uint64(since), true
	}
	if transitions, ok := s.Options["transitions"].([]any); ok {
		for _, transition := range transitions {
			o.Transitions = append(o.Transitions, transition.(string))
		}
	}
	o.Scope, _ = s.Options["scope"].(string)
	o.Users, _ = s.Options["users"].(string)
	sub, err := c.a.Collection(index, collection).Subscribe(ctx, s.Filter, o, func(n *ambit.Notification) { c.say(s.Subscribe, lineOf(n)) })
	if err != nil {
		return nil, err
	}
	c.subs[s.Subscribe] = sub
	return sub.Room, nil
}

func lineOf(n *ambit.Notification) string {
	switch n.Type {
	case "gap":
		return "gap"
	case "user":
		return fmt.Sprintf("user %s %d", n.User, n.Result.Count)
	}
	words := []string{n.Transition}
	if n.Transition == "" {
		words[0] = n.Action
	}
	if n.Result.ID != "" {
		words = append(words, n.Result.ID)
	}
	return strings.Join(append(words, asText(plain(n.Result.Source))), " ")
}

// say notes an event, and shows what is observed by then.
func (c *goClient) say(name, line string) {
	c.mu.Lock()
	c.told[name] = append(c.told[name], line)
	c.mu.Unlock()
	c.show(name)
}

func (c *goClient) show(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := state{Told: append([]string{}, c.told[name]...)}
	if o := c.observed[name]; o != nil {
		s.Total = o.Total()
		for _, d := range o.Hits() {
			hit := plain(d.Source)
			hit["_id"] = d.ID
			s.Hits = append(s.Hits, hit)
		}
	}
	c.seen.set(name, s)
}

// plain returns a document without its metadata.
func plain(source json.RawMessage) map[string]any {
	var members map[string]any
	_ = json.Unmarshal(source, &members) // the broker sends no others
	delete(members, "_kuzzle_info")
	return members
}

func asText(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}
