package integration

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// An event is one of a stream of events.
type event struct{ name, id, data string }

// An eventStream is the answer to GET /api/rooms/….
type eventStream struct {
	status int
	lines  *bufio.Scanner
}

// openEvents asks to be in a room of fleet/trucks, and goes on after an event if last is not "".
func openEvents(t *testing.T, b *broker, query url.Values, last string, as ...string) *eventStream {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+b.http+"/api/rooms/fleet/trucks?"+query.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	if len(as) == 2 {
		r.SetBasicAuth(as[0], as[1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return &eventStream{response.StatusCode, bufio.NewScanner(response.Body)}
}

// next returns the next event; ok is false at the end of the stream.
func (s *eventStream) next() (e event, ok bool) {
	for s.lines.Scan() {
		name, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch name {
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			e.data = value
		case "":
			if e.data != "" {
				return e, true
			}
		}
	}
	return e, false
}

// wants wants the next event to be a notification: "<id of the event> <transition> <document>".
func (s *eventStream) wants(t *testing.T, want string) {
	t.Helper()
	e, _ := s.next()
	n := parseTold(t, message{payload: []byte(e.data)})
	if got := strings.TrimSpace(fmt.Sprintf("%s %s %s", e.id, n.Transition, n.Result.ID)); got != want {
		t.Errorf("got %s (%+v), want %s", got, e, want)
	}
}

// begins wants the first event, which says up to where the client knows everything.
func (s *eventStream) begins(t *testing.T, id string) {
	t.Helper()
	if e, _ := s.next(); e.name != "subscribed" || e.id != id || !strings.HasPrefix(e.data, `{"room":"`) {
		t.Fatalf("status %d; the stream begins with %+v, want id %s", s.status, e, id)
	}
}

func fastOnes() url.Values { return url.Values{"filter": {`{"range":{"speed":{"gt":50}}}`}} }

func TestAStreamOfEventsGoesOnAfterKill(t *testing.T) {
	t.Parallel()
	b := startBroker(t, brokerOptions{})
	s := openEvents(t, b, fastOnes(), "")
	s.begins(t, "0")
	device := connect(t, b, connectOptions{})
	device.put(t, "fleet/trucks/1", "{\"speed\":\n60}")
	device.put(t, "fleet/trucks/2", `{"speed":10}`)
	s.wants(t, "1 enter 1")
	device.put(t, "fleet/trucks/1", `{"speed":20}`)
	b.kill()
	b = b.restart(t)
	connect(t, b, connectOptions{}).put(t, "fleet/trucks/2", `{"speed":80}`)
	s = openEvents(t, b, fastOnes(), "1")
	s.begins(t, "1")
	s.wants(t, "3 exit 1")
	s.wants(t, "4 enter 2")
}

// In the midst of a snapshot there is no change after which to go on: the documents of it come in
// the order of their ids.
func TestAStreamOfEventsTellsOfAGap(t *testing.T) {
	t.Parallel()
	b := startRestored(t)
	s := openEvents(t, b, fastOnes(), "3")
	s.begins(t, "3")
	notice, _ := s.next()
	first, _ := s.next()
	wantGap(t, 3, notice.data, first.data)
	if notice.id+first.id != "" {
		t.Errorf("the snapshot has ids: %+v, %+v", notice, first)
	}
	connect(t, b, connectOptions{}).put(t, "fleet/trucks/9", `{"speed":70}`)
	e, _ := s.next()
	n := parseTold(t, message{payload: []byte(e.data)})
	if n.Result.ID != "9" || e.id != fmt.Sprint(n.Seq) {
		t.Errorf("behind it comes %+v", e)
	}
}

func TestAStreamOfEventsIsOfWhoAsks(t *testing.T) {
	t.Parallel()
	c := startCompany(t)
	if s := openEvents(t, c.broker, fastOnes(), ""); s.status != http.StatusUnauthorized {
		t.Errorf("nobody is answered %d", s.status)
	}
	if s := openEvents(t, c.broker, fastOnes(), "", "anna", "wrong"); s.status != http.StatusUnauthorized {
		t.Errorf("a wrong password is answered %d", s.status)
	}
	s := openEvents(t, c.broker, fastOnes(), "", "anna", "secret")
	s.begins(t, "0")
	boss := c.connect("carl", false)
	boss.put(t, "fleet/trucks/1", `{"speed":60,"tenant":"other"}`)
	boss.put(t, "fleet/trucks/2", `{"speed":60,"tenant":"acme","phone":"123"}`)
	e, _ := s.next()
	if n := parseTold(t, message{payload: []byte(e.data)}); n.Result.ID != "2" || strings.Contains(e.data, "phone") {
		t.Errorf("anna is told %+v", e)
	}
	mustAmbit(t, "ban", "create", "--user", "anna", "--data", c.dir)
	e, _ = s.next()
	var why struct{ Status int }
	if err := json.Unmarshal([]byte(e.data), &why); err != nil || e.name != "end" || why.Status != http.StatusForbidden {
		t.Errorf("who is banned is told %+v", e)
	}
	if e, ok := s.next(); ok {
		t.Errorf("behind the end comes %+v", e)
	}
}

func TestWhatAStreamOfEventsIsRefused(t *testing.T) {
	t.Parallel()
	b := startBroker(t, brokerOptions{})
	for _, tt := range []struct{ name, query, last string }{
		{"a filter that is none", `filter={"rangex":{}}`, ""},
		{"a filter that is no JSON", "filter=speed>50", ""},
		{"an unknown parameter", "filtr={}", ""},
		{"a parameter twice", "filter={}&filter={}", ""},
		{"an unknown transition", "transition=sideways", ""},
		{"an unknown scope", "scope=near", ""},
		{"an id that is none", "", "x"},
		{"an id in the future", "", "99"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q, err := url.ParseQuery(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			if s := openEvents(t, b, q, tt.last); s.status != http.StatusBadRequest {
				t.Errorf("status %d", s.status)
			}
		})
	}
}
