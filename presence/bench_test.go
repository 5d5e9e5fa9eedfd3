package presence

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ambitmq/ambit/topics"
)

// A tally counts what is told.
type tally struct{ messages, bytes, most int }

func (t *tally) Tell(_ string, clients []string, m *Message) {
	t.messages += len(clients)
	t.bytes += len(clients) * len(m.Payload)
	t.most = max(t.most, len(m.Payload))
}

func parsed(t testing.TB, text string) topics.Filter {
	t.Helper()
	to, err := topics.ParseFilter(text, topics.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// joinMany has clients connect and join a room, a millisecond after each other, and all that
// is due done meanwhile.
func joinMany(t testing.TB, out Outlet, clients int) *Engine {
	t.Helper()
	e, now := New(out, Options{Grace: time.Second}), time.Unix(1000, 0)
	room, watcher := parsed(t, "fleet/trucks/?{}"), parsed(t, "$presence/rooms/fleet/trucks/?{}")
	for i := range clients {
		id := fmt.Sprintf("client-%05d", i)
		_, h := e.Connected(Client{ID: id, Metadata: []byte(`{"type":"van"}`)}, now)
		e.Release(h)
		if i == 0 {
			e.Join(id, watcher, "h", nil, now)
		}
		e.Join(id, room, "h", nil, now)
		now = now.Add(time.Millisecond)
		e.Due(now)
		_, h = e.Unsaved()
		e.Release(h)
		e.Flush(now)
	}
	e.Flush(now.Add(time.Second))
	return e
}

func TestManyWhoJoinAreFewMessages(t *testing.T) {
	var told tally
	e := joinMany(t, &told, 10_000)
	if told.messages > 42 || told.most > maxMembersBytes+100 {
		t.Errorf("%d messages, the longest has %d bytes", told.messages, told.most)
	}
	for m := range e.First("", parsed(t, "$presence/rooms/fleet/trucks/?{}"), "h") {
		text := string(m.Payload)
		if !strings.HasPrefix(text, `{"count":10000,"members":[{"clientId":"client-00000",`) || !strings.HasSuffix(text, `],"truncated":true}`) ||
			strings.Count(text, "clientId") != maxMembers {
			t.Errorf("%d bytes: %.80s", len(text), text)
		}
	}
	if members, total := e.Members("h", 9999, 10); total != 10_000 || len(members) != 1 || members[0].ClientID != "client-09999" {
		t.Errorf("%v of %d", members, total)
	}
}

// BenchmarkJoin is what it costs that a client connects and joins a room of so many, one
// of whom is told who is in it. It must not grow with the room.
func BenchmarkJoin(b *testing.B) {
	for _, clients := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			for b.Loop() {
				joinMany(b, &tally{}, clients)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*clients), "ns/join")
		})
	}
}
