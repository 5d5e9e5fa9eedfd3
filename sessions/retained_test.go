package sessions

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// FuzzRetained holds that a subscription is told of the retained messages that
// its topic filter matches, as they were when it was made, in order.
func FuzzRetained(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 4))
	for range 20 {
		b := make([]byte, 1+r.IntN(1000))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		e := retaining(t)
		p, simple := &picker{choices}, map[string]string{}
		for len(p.bytes) > 0 {
			m := &Message{Topic: p.topic(), Payload: make([]byte, p.pick(3))}
			if p.pick(4) == 0 { // has expired
				m.mortal = true
			}
			e.write(t, m)
			if simple[m.Topic] = string(m.Payload); len(m.Payload) == 0 || m.mortal {
				delete(simple, m.Topic)
			}
			topicFilter := p.topicFilter()
			var want []string
			for topic := range simple {
				if topics.Match(topicFilter, topic) {
					want = append(want, topic)
				}
			}
			slices.Sort(want)
			snap := e.store.Snapshot()
			e.write(t, &Message{Topic: "of/later", Payload: []byte("x")}) // which must not change what was asked
			var got []string
			for m, err := range e.retainedMessages(snap, topicFilter) {
				if err != nil {
					t.Fatal(err)
				}
				if got = append(got, m.Topic); string(m.Payload) != simple[m.Topic] {
					t.Fatalf("%s is %q, want %q", m.Topic, m.Payload, simple[m.Topic])
				}
			}
			snap.Close()
			e.write(t, &Message{Topic: "of/later"})
			if !slices.Equal(got, want) {
				t.Fatalf("%q: %q, want %q", topicFilter, got, want)
			}
		}
	})
}

// A retainer is an engine that has nothing but a store.
type retainer struct{ *Engine }

func retaining(t *testing.T) retainer {
	t.Helper()
	store, err := persistence.Open("data", persistence.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		for range store.Tail() {
		}
	}()
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
		<-drained
	})
	return retainer{&Engine{store: store}}
}

func (e retainer) write(t *testing.T, messages ...*Message) {
	t.Helper()
	op := &persistence.Op{}
	for _, m := range messages {
		op.Records = append(op.Records, m.record(e.store.Now()))
	}
	if err := e.submit(op); err != nil {
		t.Fatal(err)
	}
}

func TestRetainedMessagesOfManyPiecesComeOnceAndInOrder(t *testing.T) {
	e := retaining(t)
	var want []string
	for _, topic := range []string{"home", "home/", "home!", "homes/a", "garden"} {
		e.write(t, &Message{Topic: topic, Payload: []byte("x")})
	}
	for i := range 3*retainedPiece + 1 {
		topic := "home/" + strings.Repeat("x", i)
		e.write(t, &Message{Topic: topic, Payload: []byte("x"), QoS: 1})
		want = append(want, topic)
	}
	e.write(t, &Message{Topic: "home/y", Payload: make([]byte, 2*retainedPieceBytes)}, &Message{Topic: "home/z", Payload: []byte("z")})
	want = append(append([]string{"home"}, want...), "home/y", "home/z")
	snap := e.store.Snapshot()
	defer snap.Close()
	var got []string
	for m, err := range e.retainedMessages(snap, "home/#") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, m.Topic)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d messages, want %d", len(got), len(want))
	}
}

// The store's time counts for what it keeps, that of the machine for the message on
// its way: both tell the same lifetime.
func TestARetainedMessageKeepsWhatIsLeftOfItsLife(t *testing.T) {
	e := retaining(t)
	e.write(t, (&Message{Topic: "a", Payload: []byte("x"), mortal: true, life: time.Hour}).begin(time.Now()))
	snap := e.store.Snapshot()
	defer snap.Close()
	m, err := e.retainedMessage(snap, "a")
	if err != nil || m == nil || !m.mortal {
		t.Fatalf("got %+v, %v", m, err)
	}
	if left := time.Until(m.expires); left > time.Hour || left < 59*time.Minute {
		t.Errorf("%v are left, want an hour", left)
	}
}
