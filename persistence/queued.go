package persistence

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// A Message is an application message that waits for sessions. It is shared
// between those that read it and must not be changed.
type Message struct {
	Topic string
	// From is the client that published it.
	From    string
	Payload []byte
	QoS     byte
	Retain  bool
	// Properties are those of MQTT 5 that go on with it, as MQTT 5 writes them.
	Properties []byte
	// Expiry is when the message expires; zero for never.
	Expiry time.Time
}

// A Queue has a message wait for sessions, until each of them dequeues it. The
// result of the op has its number.
type Queue struct {
	// Message has no payload if OfWrite is set: it is the body that the op's write
	// makes, or nothing if it deletes. A write that changes nothing queues nothing.
	Message    *Message
	OfWrite    bool
	Recipients []Recipient
}

// A Recipient is one of the sessions that a message waits for, and how it gets it.
type Recipient struct {
	// ClientID and Life are those of the session.
	ClientID string
	Life     uint64
	// Copy tells apart what one session gets of a message for several reasons: by a
	// subscription of its own, and as a member of shared ones.
	Copy   uint16
	QoS    byte
	Retain bool
	// Identifiers are the subscription identifiers, as MQTT 5 writes them.
	Identifiers []byte
	// PacketID is 0, or that of the [Flight] that the message is already. It is not read
	// back with the recipient.
	PacketID uint16
}

// A Queued is a message that waits for one session.
type Queued struct {
	Recipient
	// Number orders the messages of a session. No two messages have the same one.
	Number uint64
	// Message is the same for all sessions that one iteration yields it for.
	Message *Message
}

// A Flight is a QoS 2 message on its way to a client, by its packet identifier.
type Flight struct {
	ClientID string
	ID       uint16
	// Number and Copy are those of the queued message, or 0 if it was not queued.
	Number uint64
	Copy   uint16
	// Released says that the client has the message, and PUBREL is due.
	Released bool
}

// A Received is a QoS 2 message of a client that awaits its PUBREL.
type Received struct {
	ClientID string
	ID       uint16
}

// Dequeue ends the waiting of a message for a recipient. It must be put once for
// each, and not for one whose session is deleted. Of the recipient it needs who it is.
func Dequeue(number uint64, r Recipient) Record {
	return Record{action: recordDequeue, key: queuedKey(number, r)}
}

// DeleteQueue deletes all that waits for one life of a session, if anything does.
func DeleteQueue(clientID string, life uint64) Record {
	key := binary.BigEndian.AppendUint64(appendPart([]byte{spaceQueued}, clientID), life)
	return Record{action: recordDropQueue, key: key, clientID: clientID}
}

// PutFlight stores f in place of the flight with the same packet identifier. It is
// written on a disk that is almost full, too: there are few of them, and without them
// no message that is there could go out.
func PutFlight(f Flight) Record {
	b := appendUint([]byte{valueFormat}, f.Number)
	b = append(b, byte(f.Copy))
	b = appendHigh(appendBool(b, f.Released), f.Copy)
	return Record{key: packetKey(spaceFlights, f.ClientID, f.ID), value: b, small: true}
}

// DeleteFlight deletes a flight. It may be absent.
func DeleteFlight(clientID string, id uint16) Record {
	return Record{action: recordDelete, key: packetKey(spaceFlights, clientID, id)}
}

// PutReceived stores that a message was received.
func PutReceived(r Received) Record {
	return Record{key: packetKey(spaceReceived, r.ClientID, r.ID), value: []byte{valueFormat}}
}

// DeleteReceived deletes that a message was received. It may be absent.
func DeleteReceived(r Received) Record {
	return Record{action: recordDelete, key: packetKey(spaceReceived, r.ClientID, r.ID)}
}

// queuedKey is the key of a message in the queue of a session.
func queuedKey(number uint64, r Recipient) []byte {
	key := appendPart([]byte{spaceQueued}, r.ClientID)
	key = binary.BigEndian.AppendUint64(key, r.Life)
	key = binary.BigEndian.AppendUint64(key, number)
	return appendHigh(append(key, byte(r.Copy)), r.Copy)
}

// appendHigh appends the high byte of a copy, which is hardly ever there.
func appendHigh(b []byte, c uint16) []byte {
	if c > math.MaxUint8 {
		b = append(b, byte(c>>8))
	}
	return b
}

// cutQueuedKey is the inverse of queuedKey.
func cutQueuedKey(key []byte) (number uint64, r Recipient, ok bool) {
	clientID, rest, ok := cutPart(key[1:])
	if !ok || len(rest) != 17 && len(rest) != 18 {
		return 0, Recipient{}, false
	}
	r = Recipient{ClientID: clientID, Life: binary.BigEndian.Uint64(rest), Copy: uint16(rest[16])}
	if len(rest) == 18 {
		r.Copy |= uint16(rest[17]) << 8
	}
	return binary.BigEndian.Uint64(rest[8:]), r, true
}

func packetKey(space byte, clientID string, id uint16) []byte {
	return binary.BigEndian.AppendUint16(appendPart([]byte{space}, clientID), id)
}

func cutPacketKey(key []byte) (clientID string, id uint16, ok bool) {
	clientID, rest, ok := cutPart(key[1:])
	if !ok || len(rest) != 2 {
		return "", 0, false
	}
	return clientID, binary.BigEndian.Uint16(rest), true
}

// size is about what the queue takes in memory.
func (q *Queue) size() int {
	m := q.Message
	n := len(m.Topic) + len(m.From) + len(m.Payload) + len(m.Properties)
	for _, r := range q.Recipients {
		n += opOverhead/2 + len(r.ClientID) + len(r.Identifiers)
	}
	return n
}

// queue adds a message that waits to the batch, and returns its number, 0 if there
// is none. A message with several recipients is stored once beside their queues.
func (c *committer) queue(q *Queue, change *Change) uint64 {
	message := q.Message
	if q.OfWrite {
		if change == nil {
			return 0
		}
		of := *message
		if message = &of; change.After != nil {
			message.Payload = change.After.Body
		}
	}
	c.log.queued++
	number, shared := c.log.queued, len(q.Recipients) > 1
	if shared {
		batchSet(c.batch, appendSeqKey(nil, spaceBodies, number), appendMessage([]byte{valueFormat}, message))
		c.bodies[number] = len(q.Recipients)
	}
	for _, r := range q.Recipients {
		b := append(c.buf[:0], valueFormat, r.QoS)
		b = appendBool(b, r.Retain)
		b = appendBytes(b, r.Identifiers)
		if b = appendBool(b, shared); !shared {
			b = appendMessage(b, message)
		}
		c.buf = b
		batchSet(c.batch, queuedKey(number, r), b)
		if r.PacketID != 0 {
			f := PutFlight(Flight{ClientID: r.ClientID, ID: r.PacketID, Number: number, Copy: r.Copy})
			batchSet(c.batch, f.key, f.value)
		}
	}
	return number
}

// dequeue takes a message from a queue, and deletes it with its last one.
func (c *committer) dequeue(key []byte) {
	batchDelete(c.batch, key)
	number, _, _ := cutQueuedKey(key)
	users, shared := c.bodies[number]
	switch {
	case users > 1:
		c.bodies[number]--
	case shared:
		delete(c.bodies, number)
		batchDelete(c.batch, appendSeqKey(nil, spaceBodies, number))
	}
}

// loadBodies counts the queues that the shared messages are in.
func loadBodies(db *pebble.DB) (map[uint64]int, error) {
	bodies := map[uint64]int{}
	keys, err := keysBetween(db, []byte{spaceBodies}, spaceEnd(spaceBodies))
	if err != nil || len(keys) == 0 {
		return bodies, err
	}
	for _, key := range keys {
		number, ok := seqOf(key)
		if !ok {
			return nil, fmt.Errorf("message key %x: %w", key, errMalformed)
		}
		bodies[number] = 0
	}
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte{spaceQueued}, UpperBound: spaceEnd(spaceQueued)})
	if err != nil {
		return nil, err
	}
	for ok := it.First(); ok; ok = it.Next() {
		number, _, _ := cutQueuedKey(it.Key())
		if users, shared := bodies[number]; shared {
			bodies[number] = users + 1
		}
	}
	return bodies, it.Close()
}

func appendMessage(b []byte, m *Message) []byte {
	b = appendString(b, m.Topic)
	b = appendString(b, m.From)
	b = appendBytes(b, m.Payload)
	b = append(b, m.QoS)
	b = appendBool(b, m.Retain)
	b = appendBytes(b, m.Properties)
	return appendTime(b, m.Expiry)
}

func (r *reader) message() *Message {
	m := &Message{Topic: r.string(), From: r.string(), Payload: slices.Clone(r.optionalBytes())}
	m.QoS = r.byte()
	m.Retain = r.bool()
	m.Properties = slices.Clone(r.optionalBytes())
	m.Expiry = r.time()
	return m
}

// Queued yields all messages that wait, by client id, life and number, as of when
// the iteration begins.
func (s *Store) Queued() iter.Seq2[Queued, error] {
	return func(yield func(Queued, error) bool) {
		snap := s.Snapshot()
		defer snap.Close()
		bodies := map[uint64]*Message{}
		decoded(snap, []byte{spaceQueued}, spaceEnd(spaceQueued), func(key, value []byte) (Queued, []byte, error) {
			q, err := decodeQueued(key, value)
			if err == nil && q.Message == nil {
				q.Message, err = snap.body(q.Number, bodies)
			}
			return q, nil, err
		})(yield)
	}
}

// body returns a shared message, which is read once.
func (s *Snapshot) body(number uint64, bodies map[uint64]*Message) (*Message, error) {
	if m := bodies[number]; m != nil {
		return m, nil
	}
	value, err := getValue(s.snap, appendSeqKey(nil, spaceBodies, number))
	if errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("queued message %d: %w", number, errMalformed)
	}
	if err != nil {
		return nil, err
	}
	m, err := decodeBody(number, value)
	if err != nil {
		return nil, err
	}
	bodies[number] = m
	return m, nil
}

func decodeBody(number uint64, value []byte) (*Message, error) {
	r := reader{rest: value}
	r.format()
	m := r.message()
	if err := r.end(); err != nil {
		return nil, fmt.Errorf("queued message %d: %w", number, err)
	}
	return m, nil
}

// decodeQueued decodes all but a shared message, which it leaves out.
func decodeQueued(key, value []byte) (Queued, error) {
	number, recipient, ok := cutQueuedKey(key)
	if !ok {
		return Queued{}, fmt.Errorf("queue key %q: %w", key, errMalformed)
	}
	r := reader{rest: value}
	r.format()
	q := Queued{Recipient: recipient, Number: number}
	q.QoS = r.byte()
	q.Retain = r.bool()
	q.Identifiers = bytes.Clone(r.optionalBytes())
	if !r.bool() && r.err == nil {
		q.Message = r.message()
	}
	if err := r.end(); err != nil {
		return Queued{}, fmt.Errorf("message %d for %q: %w", number, recipient.ClientID, err)
	}
	return q, nil
}

// Flights yields all flights by client id and packet identifier, as of when the
// iteration begins.
func (s *Store) Flights() iter.Seq2[Flight, error] {
	return records(s, spaceFlights, decodeFlight)
}

func decodeFlight(key, value []byte) (Flight, error) {
	clientID, id, ok := cutPacketKey(key)
	r := reader{rest: value}
	r.format()
	f := Flight{ClientID: clientID, ID: id, Number: r.uint(), Copy: uint16(r.byte()), Released: r.bool()}
	if len(r.rest) > 0 {
		f.Copy |= uint16(r.byte()) << 8
	}
	if err := r.end(); err != nil || !ok {
		return Flight{}, fmt.Errorf("flight %q: %w", key, errMalformed)
	}
	return f, nil
}

// Received yields what was received at QoS 2 and not released, by client id and
// packet identifier, as of when the iteration begins.
func (s *Store) Received() iter.Seq2[Received, error] {
	return records(s, spaceReceived, decodeReceived)
}

func decodeReceived(key, value []byte) (Received, error) {
	clientID, id, ok := cutPacketKey(key)
	r := reader{rest: value}
	r.format()
	if err := r.end(); err != nil || !ok {
		return Received{}, fmt.Errorf("received %q: %w", key, errMalformed)
	}
	return Received{ClientID: clientID, ID: id}, nil
}
