package sessions

import "testing"

// Flights that are not acknowledged stay while all other identifiers come
// around, again and again.
func TestNoTwoFlightsHaveTheSamePacketIdentifier(t *testing.T) {
	b := newOutbox(&Engine{}, "dash")
	m := &Message{}
	l := &link{box: b, window: maxAwaiting, peer: newPeer(&Connect{Version: 4})}
	for i := range 200_000 {
		l.out = l.out[:0]
		l.dispatch(delivery{m: m, qos: 1})
		last := b.sent[len(b.sent)-1].id
		if last == 0 {
			t.Fatal("a packet identifier is 0")
		}
		if at := b.find(last); at != len(b.sent)-1 {
			t.Fatalf("message %d has the identifier %d of flight %d", i, last, at)
		}
		if i%20_000 > 10 { // else the client keeps it
			b.forget(len(b.sent) - 1)
		}
	}
}
