package socketio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// A socket is a client with a WebSocket.
type socket struct {
	t  *testing.T
	ws *websocket.Conn
}

func dial(t *testing.T, url string) *socket {
	t.Helper()
	ws, answer, err := websocket.Dial(t.Context(), strings.Replace(url, "http", "ws", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Body != nil {
		answer.Body.Close()
	}
	t.Cleanup(func() { _ = ws.CloseNow() }) // it may be closed
	return &socket{t, ws}
}

func (s *socket) say(packets ...string) {
	s.t.Helper()
	for _, p := range packets {
		if err := s.ws.Write(s.t.Context(), websocket.MessageText, []byte(p)); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *socket) hear() (string, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	_, text, err := s.ws.Read(ctx)
	return string(text), err
}

func (s *socket) expect(want string) {
	s.t.Helper()
	if got, err := s.hear(); err != nil || got != want {
		s.t.Fatalf("got %q, %v, want %q", got, err, want)
	}
}

func (s *site) socket(t *testing.T) *socket {
	t.Helper()
	c := dial(t, s.url+"&transport=websocket")
	if open, err := c.hear(); err != nil || !strings.HasPrefix(open, `0{"sid":"`) || !strings.Contains(open, `"upgrades":[]`) {
		t.Fatalf("the first packet is %s, %v", open, err)
	}
	c.say("40")
	c.expect(`40{"sid":"guest"}`)
	return c
}

func TestEventsGoOverWebSocket(t *testing.T) {
	c := newSite(t, Options{}).socket(t)
	c.say(`42["a",{"x":1}]`, `420["b"]`)
	c.expect(`42["a",{"x":1}]`)
	c.expect("430[0]")
	c.say(`451-["d",{"_placeholder":true,"num":0}]`)
	if err := c.ws.Write(t.Context(), websocket.MessageBinary, []byte{1, 2}); err != nil {
		t.Fatal(err)
	}
	c.expect(`42["binary"]`)
	if err := c.ws.Write(t.Context(), websocket.MessageBinary, []byte{1, 2}); err != nil {
		t.Fatal(err)
	}
	if text, err := c.hear(); err == nil {
		t.Errorf("binary data that was not announced is answered %s", text)
	}
}

func TestAPacketThatIsTooLongEndsAWebSocket(t *testing.T) {
	c := newSite(t, Options{}).socket(t)
	c.say(`42["a","` + strings.Repeat("x", 900) + `"]`)
	if text, err := c.hear(); err != nil || len(text) < 900 {
		t.Fatalf("got %s, %v", text, err)
	}
	c.say(`42["a","` + strings.Repeat("x", 1000) + `"]`)
	if text, err := c.hear(); websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
		t.Errorf("got %s, %v", text, err)
	}
}

// Whatever is told meanwhile comes once, in order.
func TestASessionMovesToAWebSocket(t *testing.T) {
	s := newSite(t, Options{})
	p := s.connected(t)
	const n = 200
	told := make(chan error, 1)
	go func() {
		var failed error
		for i := range n {
			text := AppendEvent(nil, "n", fmt.Append(nil, i))
			failed = errors.Join(failed, p.conn.Write(time.Now().Add(20*time.Second), slices.Values([][]byte{text})))
		}
		told <- failed
	}()
	var got []string
	hear := func(text string) {
		for packet := range packets([]byte(text)) {
			if packet[0] == typeMessage {
				got = append(got, string(packet))
			}
		}
	}
	hear(p.poll())
	c := dial(t, strings.Replace(p.url, "transport=polling", "transport=websocket", 1))
	c.say("2probe")
	c.expect("3probe")
	for text := p.poll(); text != "6"; text = p.poll() { // nothing waits any more
		hear(text)
	}
	c.say("5")
	for len(got) < n {
		text, err := c.hear()
		if err != nil {
			t.Fatal(err)
		}
		hear(text)
	}
	for i, text := range got {
		if want := fmt.Sprintf(`42["n",%d]`, i); text != want {
			t.Fatalf("event %d is %s", i, text)
		}
	}
	if err := <-told; err != nil {
		t.Error(err)
	}
	c.say(`42["a",1]`)
	c.expect(`42["a",1]`)
	if status, text := p.do("GET", ""); status != 400 || !strings.Contains(text, `"code":3`) {
		t.Errorf("a poll of a session that has moved: %d %s", status, text)
	}
	if !p.moved.Load() {
		t.Error("whoever is on the session does not know that it has moved")
	}
	c.say("41")
	p.ends(t)
}

func TestAWebSocketThatIsNotProvenLeavesTheSessionAsItWas(t *testing.T) {
	s := newSite(t, Options{})
	p := s.connected(t)
	url := strings.Replace(p.url, "transport=polling", "transport=websocket", 1)
	for _, first := range []string{"2", "5", "40", "2probe!"} {
		c := dial(t, url)
		c.say(first)
		if text, err := c.hear(); err == nil {
			t.Errorf("%s is answered %s", first, text)
		}
		p.is(func(c *Conn) bool { return !c.tried })
	}
	c := dial(t, url)
	c.say("2probe")
	c.expect("3probe")
	p.expect("6")
	c.say("4")
	if text, err := c.hear(); err == nil {
		t.Errorf("a message before the upgrade is answered %s", text)
	}
	p.is(func(c *Conn) bool { return !c.tried && !c.proven })
	p.post(`42["a",1]`)
	p.expect(`42["a",1]`)
}
