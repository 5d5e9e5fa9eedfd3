package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// A site is a server with clients that answer every event by themselves.
type site struct {
	*Server
	url     string
	limits  Limits
	leave   atomic.Bool
	full    atomic.Bool // sessions are closed while they begin
	mu      sync.Mutex
	clients []*guest
}

type guest struct {
	conn   *Conn
	site   *site
	moved  atomic.Bool
	closed chan struct{}
	block  chan struct{} // is closed when the event "block" may go on
}

func newSite(t *testing.T, o Options) *site {
	t.Helper()
	for _, d := range []*time.Duration{&o.PingInterval, &o.PingTimeout, &o.ReadTimeout, &o.WriteTimeout} {
		if *d == 0 {
			*d = time.Minute
		}
	}
	s := &site{Server: New(o), limits: Limits{PayloadBytes: 1000, SignInBytes: 100, ConnectTimeout: time.Minute}}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.Serve(w, r, s) }))
	t.Cleanup(func() {
		for _, g := range s.all() {
			g.conn.Close()
		}
		web.Close()
	})
	s.url = web.URL + "/socket.io/?EIO=4"
	return s
}

func (s *site) Upgrade(w http.ResponseWriter, r *http.Request) *websocket.Conn {
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return nil
	}
	return ws
}

func (s *site) Begin(c *Conn) (Client, Limits, error) {
	g := &guest{conn: c, site: s, closed: make(chan struct{}), block: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients = append(s.clients, g)
	if s.full.Load() {
		c.Close()
	}
	return g, s.limits, nil
}

func (s *site) all() []*guest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.clients)
}

// last returns who came last.
func (s *site) last() *guest { all := s.all(); return all[len(all)-1] }

func (g *guest) Connect(auth []byte) {
	if strings.Contains(string(auth), "nobody") {
		g.conn.Refuse(Refusal{"no", map[string]string{"code": "nobody"}})
		return
	}
	g.conn.Admit("guest")
}

func (g *guest) Event(e Event) {
	switch {
	case e.Binary:
		g.conn.Emit("binary")
	case e.Name == "block":
		<-g.block
	case e.Ack != nil:
		e.Ack(len(e.Args))
	case len(e.Args) > 0:
		g.conn.Emit(e.Name, e.Args[0])
	}
}

func (g *guest) Moved(*http.Request) { g.moved.Store(true) }
func (g *guest) Stays() bool         { return !g.site.leave.Load() }
func (g *guest) Closed()             { close(g.closed) }

// ends waits until the session is over.
func (g *guest) ends(t *testing.T) {
	t.Helper()
	select {
	case <-g.closed:
	case <-time.After(20 * time.Second):
		t.Fatal("the session does not end")
	}
}

// A poller is a client that polls.
type poller struct {
	t   *testing.T
	url string
	*guest
}

func (s *site) poller(t *testing.T) *poller {
	t.Helper()
	p := &poller{t: t, url: s.url + "&transport=polling"}
	open := p.poll()
	var told struct{ SID string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(open, "0")), &told); err != nil {
		t.Fatalf("the first packet is %s: %v", open, err)
	}
	p.url += "&sid=" + told.SID
	p.guest = s.last()
	return p
}

func (s *site) connected(t *testing.T) *poller {
	t.Helper()
	p := s.poller(t)
	p.post("40")
	p.expect(`40{"sid":"guest"}`)
	return p
}

func (p *poller) do(method, body string) (int, string) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.url, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func (p *poller) poll() string {
	p.t.Helper()
	status, text := p.do(http.MethodGet, "")
	if status != http.StatusOK {
		p.t.Fatalf("a poll is answered %d %s", status, text)
	}
	return text
}

func (p *poller) post(packets ...string) {
	p.t.Helper()
	if status, text := p.do(http.MethodPost, strings.Join(packets, "\x1e")); status != http.StatusOK || text != "ok" {
		p.t.Fatalf("a payload is answered %d %s", status, text)
	}
}

func (p *poller) expect(want string) {
	p.t.Helper()
	if got := p.poll(); got != want {
		p.t.Fatalf("got %q, want %q", got, want)
	}
}

// is waits until something holds of the session.
func (p *poller) is(holds func(c *Conn) bool) {
	p.t.Helper()
	c := p.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	for end := time.Now().Add(20 * time.Second); !holds(c); c.mu.Lock() {
		c.mu.Unlock()
		if time.Now().After(end) {
			c.mu.Lock()
			p.t.Fatal("waited in vain")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestEventsAndTheirAnswersGoOverPolling(t *testing.T) {
	p := newSite(t, Options{}).connected(t)
	p.post(`42["a",{"x":1}]`, `427["b",1,2]`, `42["c",null]`)
	p.expect("42[\"a\",{\"x\":1}]\x1e437[2]\x1e42[\"c\",null]")
	p.post(`451-["d",{"_placeholder":true,"num":0}]`, "bAQID", `42["e",1]`)
	p.expect("42[\"binary\"]\x1e42[\"e\",1]")
}

func TestWhoIsRefusedMayTryAgain(t *testing.T) {
	p := newSite(t, Options{}).poller(t)
	p.post(`40{"i":"nobody"}`)
	p.expect(`44{"message":"no","data":{"code":"nobody"}}`)
	p.post("40/admin,")
	p.expect(`44/admin,{"message":"Invalid namespace"}`)
	p.post(`40{"i":"somebody"}`)
	p.expect(`40{"sid":"guest"}`)
}

func TestWhatIsWrongEndsTheSession(t *testing.T) {
	s := newSite(t, Options{})
	for name, payload := range map[string]string{
		"a packet that is none": "9", "an empty one": "", "an open": "0", "a ping of the client's": "2", "an upgrade": "5", "the end": "1", "no JSON": `42["a"`,
		"leaving": "41", "coming in twice": "40", "another namespace": `42/x,["a",1]`, "an answer that is cut off": "43", "an attachment that was not announced": "bAQID",
		"text in place of an attachment": "451-[\"a\"]\x1e42[\"a\",1]",
	} {
		t.Run(name, func(t *testing.T) {
			p := s.connected(t)
			p.post(payload)
			p.ends(t)
		})
	}
}

func TestWhoeverIsNotInSaysNothing(t *testing.T) {
	s := newSite(t, Options{})
	p := s.poller(t)
	p.post(`42["a",1]`)
	p.ends(t)
	p = s.poller(t)
	if status, _ := p.do(http.MethodPost, "40"+`{"x":"`+strings.Repeat("x", 100)+`"}`); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a long CONNECT is answered %d", status)
	}
	p.ends(t)
	s.limits.ConnectTimeout = 10 * time.Millisecond
	s.poller(t).ends(t)
}

func TestTwoPollsEndTheSession(t *testing.T) {
	p := newSite(t, Options{}).connected(t)
	first := make(chan string, 1)
	go func() { first <- p.poll() }()
	p.is(func(c *Conn) bool { return c.polled })
	if status, text := p.do(http.MethodGet, ""); status != http.StatusBadRequest {
		t.Errorf("the second poll is answered %d %s", status, text)
	}
	p.ends(t)
	if text := <-first; text != "1" {
		t.Errorf("the first poll is answered %s", text)
	}
}

func TestTwoPayloadsEndTheSession(t *testing.T) {
	p := newSite(t, Options{}).connected(t)
	first := make(chan int, 1)
	go func() {
		status, _ := p.do(http.MethodPost, `42["block",1]`)
		first <- status
	}()
	p.is(func(c *Conn) bool { return c.posted })
	if status, text := p.do(http.MethodPost, `42["a",1]`); status != http.StatusBadRequest {
		t.Errorf("the second payload is answered %d %s", status, text)
	}
	close(p.block)
	p.ends(t)
	<-first
}

func TestAPollThatIsCutOffEndsTheSession(t *testing.T) {
	p := newSite(t, Options{}).connected(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
		if err == nil {
			if answer, err := http.DefaultClient.Do(r); err == nil {
				answer.Body.Close()
			}
		}
	}()
	p.is(func(c *Conn) bool { return c.polled })
	cancel()
	p.ends(t)
}

func TestAClientThatDoesNotPollIsSlow(t *testing.T) {
	p := newSite(t, Options{BufferBytes: 100}).connected(t)
	text := AppendEvent(nil, "a", []byte(`"`+strings.Repeat("x", 60)+`"`))
	each := slices.Values([][]byte{text})
	if err := p.conn.Write(time.Now().Add(20*time.Second), each); err != nil {
		t.Fatal(err)
	}
	if err := p.conn.Write(time.Now().Add(10*time.Millisecond), each); !errors.Is(err, ErrSlow) {
		t.Fatalf("what there is no room for: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- p.conn.Write(time.Now().Add(20*time.Second), each) }()
	p.expect(string(text)) // makes room
	if err := <-done; err != nil {
		t.Error(err)
	}
	p.expect(string(text))
	p.conn.Close()
	if err := p.conn.Write(time.Now().Add(time.Second), each); !errors.Is(err, ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}

func TestAClientIsToldWhyItEndsBeforeItDoes(t *testing.T) {
	p := newSite(t, Options{}).connected(t)
	p.conn.Disconnect()
	p.ends(t)
	p.expect("41")
	p.expect("1")
	if status, text := p.do(http.MethodGet, ""); status != http.StatusBadRequest || !strings.Contains(text, `{"code":1,"message":"Session ID unknown"}`) {
		t.Errorf("behind the end: %d %s", status, text)
	}
	silent := newSite(t, Options{WriteTimeout: 20 * time.Millisecond}).connected(t)
	silent.conn.Disconnect()
	silent.is(func(c *Conn) bool { return c.over }) // though nobody polls
}

func TestPingsFindOutWhoIsThere(t *testing.T) {
	s := newSite(t, Options{PingInterval: 20 * time.Millisecond, PingTimeout: 20 * time.Second})
	p := s.connected(t)
	for range 3 {
		p.expect("2")
		p.post("3")
	}
	s.leave.Store(true)
	for text := p.poll(); text != "41"; text = p.poll() {
		p.post("3")
	}
	gone := newSite(t, Options{PingInterval: 10 * time.Millisecond, PingTimeout: 10 * time.Millisecond}).poller(t)
	gone.ends(t)
}

func TestSessionsThatAreNotInEndWithTheServer(t *testing.T) {
	closing, stop := context.WithCancel(t.Context())
	s := newSite(t, Options{Closing: closing})
	in, out := s.connected(t), s.poller(t)
	stop()
	out.ends(t)
	in.post(`42["a",1]`)
	in.expect(`42["a",1]`)
	if polled, ws := s.Sessions(); polled != 1 || ws != 0 {
		t.Errorf("there are %d and %d sessions", polled, ws)
	}
}

// Where too many have yet to say who they are, the one that is closed may be the one that comes.
func TestASessionThatIsClosedWhileItBeginsEnds(t *testing.T) {
	s := newSite(t, Options{})
	s.full.Store(true)
	p := s.poller(t)
	p.ends(t)
	if status, text := p.do(http.MethodGet, ""); status != http.StatusBadRequest || !strings.Contains(text, "Session ID unknown") {
		t.Errorf("a poll is answered %d %s", status, text)
	}
	if polled, webSockets := s.Sessions(); polled != 0 || webSockets != 0 {
		t.Errorf("there are %d and %d sessions", polled, webSockets)
	}
	ws, _, err := websocket.Dial(t.Context(), strings.Replace(s.url, "http", "ws", 1)+"&transport=websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow() //nolint:errcheck // it is over by then
	for err == nil {
		_, _, err = ws.Read(t.Context())
	}
	s.last().ends(t)
	if polled, webSockets := s.Sessions(); polled != 0 || webSockets != 0 {
		t.Errorf("there are %d and %d sessions", polled, webSockets)
	}
}
