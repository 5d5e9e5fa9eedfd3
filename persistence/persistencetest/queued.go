package persistencetest

import (
	"fmt"
	"slices"

	"github.com/ambitmq/ambit/persistence"
)

// note is the n-th message, with everything that a message can have.
func note(n int) *persistence.Message {
	return &persistence.Message{
		Topic: fmt.Sprintf("notes/%d", n), From: "c9", Payload: body(n), QoS: 2, Retain: true,
		Properties: []byte{38, 0, 1, 'k', 0, 1, 'v'}, Expiry: at(n),
	}
}

// to is the queue of a session.
func to(clientID string, life uint64) persistence.Recipient {
	return persistence.Recipient{ClientID: clientID, Life: life, QoS: 1, Retain: true, Identifiers: []byte{11, 7}}
}

// queue has a message wait for sessions, and returns its number.
func (f *fixture) queue(m *persistence.Message, to ...persistence.Recipient) uint64 {
	f.t.Helper()
	return f.do(&persistence.Op{Queue: &persistence.Queue{Message: m, Recipients: to}}).Queued
}

func (f *fixture) expectQueued(what string, want ...persistence.Queued) {
	f.t.Helper()
	f.equal("number of messages "+what, len(all(f, f.Queued())), len(want))
	for i, q := range all(f, f.Queued()) {
		f.equal(what+": recipient", q.Recipient, want[i].Recipient)
		f.equal(what+": number", q.Number, want[i].Number)
		f.equal(what+": message", *q.Message, *want[i].Message)
	}
}

func queuedMessages(f *fixture) {
	plain := &persistence.Message{Topic: "t"}
	first := persistence.Queued{Recipient: to("b", 2), Message: note(1)}
	second := persistence.Queued{Recipient: persistence.Recipient{ClientID: "b", Life: 2}, Message: plain}
	third := persistence.Queued{Recipient: to("a\x00", 1), Message: note(3)}
	first.Number = f.queue(first.Message, first.Recipient)
	second.Number = f.queue(second.Message, second.Recipient)
	third.Number = f.queue(third.Message, third.Recipient)
	f.expectQueued("by session", third, first, second)
	f.restart()
	f.expectQueued("after reopening", third, first, second)
	if number := f.queue(note(4), to("c", 1)); number <= third.Number {
		f.t.Errorf("number %d after reopening, it was %d before", number, third.Number)
	}
	f.records(persistence.Dequeue(first.Number, first.Recipient), persistence.Dequeue(third.Number+1, to("c", 1)))
	f.expectQueued("that are left", third, second)
}

func messagesOfWrites(f *fixture) {
	queue := func(w *persistence.Write, recipients ...persistence.Recipient) uint64 {
		return f.do(&persistence.Op{Write: w, Queue: &persistence.Queue{Message: &persistence.Message{Topic: "t"}, OfWrite: true, Recipients: recipients}}).Queued
	}
	edited := &persistence.Write{Key: truck("1"), Time: at(1), Edit: func(*persistence.Document) ([]byte, error) { return []byte("{}"), nil }}
	one := queue(edited, to("a", 1))
	two := queue(&persistence.Write{Key: truck("1"), Time: at(2)}, to("a", 1), to("b", 1))
	if none := queue(&persistence.Write{Key: truck("1"), Time: at(3)}, to("a", 1)); none != 0 {
		f.t.Errorf("a write that changed nothing has queued the message %d", none)
	}
	body, nothing := &persistence.Message{Topic: "t", Payload: []byte("{}")}, &persistence.Message{Topic: "t"}
	f.expectQueued("of writes", persistence.Queued{Recipient: to("a", 1), Number: one, Message: body},
		persistence.Queued{Recipient: to("a", 1), Number: two, Message: nothing}, persistence.Queued{Recipient: to("b", 1), Number: two, Message: nothing})
}

func sharedMessages(f *fixture) {
	recipients := []persistence.Recipient{to("a", 1), to("a", 1), to("c", 1)}
	recipients[1].Copy = 1
	number := f.queue(note(1), recipients...)
	other := f.queue(note(2), recipients[:2]...)
	want := func(left ...int) (q []persistence.Queued) {
		for i, number := range []uint64{number, number, other, other, number} {
			if recipient := []int{0, 1, 0, 1, 2}[i]; number == other || slices.Contains(left, recipient) {
				q = append(q, persistence.Queued{Recipient: recipients[recipient], Number: number, Message: note(1 + i/2%2)})
			}
		}
		return q
	}
	f.expectQueued("for three", want(0, 1, 2)...)
	queued := all(f, f.Queued())
	if queued[0].Message != queued[1].Message {
		f.t.Error("a message that waits for several is there twice")
	}
	f.records(persistence.Dequeue(number, recipients[1]))
	f.expectQueued("for two", want(0, 2)...)
	f.restart()
	f.records(persistence.Dequeue(number, recipients[0]))
	f.expectQueued("for one", want(2)...)
	f.restart()
	f.records(persistence.Dequeue(number, recipients[2]))
	f.expectQueued("for nobody", want()...)
}

func flights(f *fixture) {
	put := []persistence.Flight{
		{ClientID: "a", ID: 2, Number: 7, Copy: 3}, {ClientID: "a", ID: 300, Released: true}, {ClientID: "b", ID: 1, Number: 1 << 40},
	}
	received := []persistence.Received{{ClientID: "a", ID: 1}, {ClientID: "a", ID: 65535}, {ClientID: "b", ID: 1}}
	for i := range put {
		f.records(persistence.PutFlight(put[i]), persistence.PutReceived(received[i]))
	}
	f.equal("flights", all(f, f.Flights()), put)
	f.equal("received", all(f, f.Received()), received)
	f.restart()
	f.equal("flights after reopening", all(f, f.Flights()), put)
	f.equal("received after reopening", all(f, f.Received()), received)
	own := to("c", 1)
	own.PacketID = 9
	put = append(put[:2:2], persistence.Flight{ClientID: "c", ID: 9, Number: f.queue(note(1), own)})
	put[0].Released = true
	f.records(persistence.PutFlight(put[0]), persistence.DeleteFlight("b", 1), persistence.DeleteReceived(received[1]))
	f.equal("flights that are left", all(f, f.Flights()), put)
	f.equal("received that are left", all(f, f.Received()), []persistence.Received{received[0], received[2]})
}

func deleteSessionMessages(f *fixture) {
	number := f.queue(note(1), to("a", 1), to("b", 1))
	f.queue(note(2), to("a", 1))
	f.records(
		persistence.PutFlight(persistence.Flight{ClientID: "a", ID: 1}), persistence.PutReceived(persistence.Received{ClientID: "a", ID: 1}),
		persistence.PutFlight(persistence.Flight{ClientID: "ab", ID: 1}), persistence.PutReceived(persistence.Received{ClientID: "ab", ID: 1}),
	)
	f.records(persistence.DeleteSession("a"))
	f.expectQueued("of other sessions", persistence.Queued{Recipient: to("b", 1), Number: number, Message: note(1)})
	f.equal("flights", len(all(f, f.Flights())), 1)
	f.equal("received", len(all(f, f.Received())), 1)
	f.records(persistence.DeleteSession("b"))
	f.expectQueued("of nobody")
}
