package integration

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// The types of MQTT control packets [MQTT-2.1.2].
const (
	typeConnect     = 1
	typeConnack     = 2
	typePublish     = 3
	typePuback      = 4
	typePubrec      = 5
	typePubrel      = 6
	typePubcomp     = 7
	typeSubscribe   = 8
	typeSuback      = 9
	typeUnsubscribe = 10
	typeUnsuback    = 11
	typePingreq     = 12
	typePingresp    = 13
	typeDisconnect  = 14
)

// A packet is one MQTT control packet as it came.
type packet struct {
	kind, flags byte
	body        []byte
}

// A wire is an MQTT connection of the tests' own. It sends the bytes that it is
// given, well-formed or not, reads only when it is asked to, and hides nothing.
type wire struct {
	net.Conn
	v5     bool
	in     *bufio.Reader
	nextID uint16
	queued []message // came while something else was awaited
	// twice says that messages are received at QoS 2: then the second half of each exchange is
	// answered, and not told.
	twice bool
}

// dial opens a connection without a word.
func dial(t testing.TB, address string) *wire {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &wire{Conn: conn, in: bufio.NewReader(conn)}
}

// connect opens a connection and signs in; the broker must accept.
func connect(t testing.TB, b *broker, o connectOptions) *wire {
	t.Helper()
	w, ack := tryConnect(t, b, o)
	if ack.code != 0 {
		t.Fatalf("CONNACK %#x %s", ack.code, ack.reason)
	}
	return w
}

// tryConnect opens a connection, sends CONNECT and returns the answer.
func tryConnect(t testing.TB, b *broker, o connectOptions) (*wire, connack) {
	t.Helper()
	w := dial(t, b.mqtt)
	w.v5 = o.v5
	w.send(t, connectPacket(o))
	p := w.await(t, typeConnack)
	ack := connack{sessionPresent: p.body[0] == 1, code: p.body[1]}
	if o.v5 {
		ack.properties = parseProperties(t, p.body[2:])
	}
	return w, ack
}

type connack struct {
	sessionPresent bool
	code           byte
	properties
}

func (w *wire) send(t testing.TB, packets ...[]byte) {
	t.Helper()
	for _, p := range packets {
		if _, err := w.Write(p); err != nil {
			t.Fatal(err)
		}
	}
}

// read returns the next packet.
func (w *wire) read() (packet, error) {
	if err := w.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return packet{}, err
	}
	for {
		p, err := readPacket(w.in)
		if err != nil || !w.twice || p.kind != typePubrel {
			return p, err
		}
		if _, err := w.Write(ackPacket(typePubcomp, binary.BigEndian.Uint16(p.body))); err != nil {
			return packet{}, err
		}
	}
}

func readPacket(r *bufio.Reader) (packet, error) {
	first, err := r.ReadByte()
	if err != nil {
		return packet{}, err
	}
	length, err := binary.ReadUvarint(r) // MQTT's variable byte integer is the same
	if err != nil {
		return packet{}, err
	}
	p := packet{kind: first >> 4, flags: first & 15, body: make([]byte, length)}
	_, err = io.ReadFull(r, p.body)
	return p, err
}

// await returns the next packet of that kind. Messages that come before it are
// acknowledged and kept for the method message; anything else is a fault.
func (w *wire) await(t testing.TB, kind byte) packet {
	t.Helper()
	for {
		p, err := w.read()
		switch {
		case err != nil:
			t.Fatalf("waiting for packet type %d: %v", kind, err)
		case p.kind == kind:
			return p
		case p.kind == typePublish:
			w.queued = append(w.queued, w.take(t, p))
		default:
			t.Fatalf("packet type %d with % x instead of type %d", p.kind, p.body, kind)
		}
	}
}

// awaitEnd reads until the broker has closed the connection, and returns the
// reason code of its DISCONNECT, or 0 when there was none.
func (w *wire) awaitEnd(t testing.TB) (code byte) {
	t.Helper()
	for {
		p, err := w.read()
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			t.Fatal("the broker has not closed the connection")
		}
		if err != nil {
			return code
		}
		if p.kind == typeDisconnect && len(p.body) > 0 {
			code = p.body[0]
		}
	}
}

// message returns the next message, and acknowledges it.
func (w *wire) message(t testing.TB) message {
	t.Helper()
	if len(w.queued) == 0 {
		p, err := w.read()
		if err != nil {
			t.Fatalf("waiting for a message: %v", err)
		}
		if p.kind != typePublish {
			t.Fatalf("packet type %d with % x instead of a message", p.kind, p.body)
		}
		return w.take(t, p)
	}
	m := w.queued[0]
	w.queued = w.queued[1:]
	return m
}

func (w *wire) take(t testing.TB, p packet) message {
	t.Helper()
	m := parsePublish(t, p, w.v5)
	switch {
	case m.qos == 1:
		w.send(t, ackPacket(typePuback, m.id))
	case m.qos == 2 && w.twice:
		w.send(t, ackPacket(typePubrec, m.id))
	}
	return m
}

// An answer is the acknowledgement of a message: a PUBACK, or the PUBREC or
// PUBCOMP that ends the flow.
type answer struct {
	kind byte
	code byte // 0 in MQTT 3.1.1
	properties
}

// publish sends a message with QoS 1 or 2 and completes its flow.
func (w *wire) publish(t testing.TB, m message) answer {
	t.Helper()
	m.id = w.id()
	w.send(t, publishPacket(m, w.v5))
	if m.qos == 1 {
		return w.answer(t, w.await(t, typePuback), m.id)
	}
	a := w.answer(t, w.await(t, typePubrec), m.id)
	if a.code >= 0x80 {
		return a // the flow ends here [MQTT-4.3.3-4]
	}
	w.send(t, ackPacket(typePubrel, m.id))
	return w.answer(t, w.await(t, typePubcomp), m.id)
}

func (w *wire) answer(t testing.TB, p packet, id uint16) answer {
	t.Helper()
	if got := binary.BigEndian.Uint16(p.body); got != id {
		t.Fatalf("packet type %d acknowledges %d instead of %d", p.kind, got, id)
	}
	a := answer{kind: p.kind}
	if len(p.body) > 2 {
		a.code = p.body[2]
	}
	if len(p.body) > 3 {
		a.properties = parseProperties(t, p.body[3:])
	}
	return a
}

// subscribe asks for topic filters with QoS 1 and returns the SUBACK.
func (w *wire) subscribe(t testing.TB, topicFilters ...string) suback {
	t.Helper()
	return w.subscribeWith(t, 1, topicFilters...)
}

// subscribeWith is subscribe with any QoS.
func (w *wire) subscribeWith(t testing.TB, qos byte, topicFilters ...string) suback {
	t.Helper()
	w.twice = w.twice || qos == 2
	w.send(t, subscribePacketAt(qos, w.id(), w.v5, topicFilters...))
	p := w.await(t, typeSuback)
	if !w.v5 {
		return suback{codes: p.body[2:]}
	}
	n, width := binary.Uvarint(p.body[2:])
	return suback{p.body[2+width+int(n):], parseProperties(t, p.body[2:])}
}

type suback struct {
	codes []byte
	properties
}

func (w *wire) unsubscribe(t testing.TB, topicFilter string) {
	t.Helper()
	w.send(t, unsubscribePacket(w.id(), w.v5, topicFilter))
	w.await(t, typeUnsuback)
}

// put stores a document, and fails the test when it is not acknowledged.
func (w *wire) put(t testing.TB, topic, body string) {
	t.Helper()
	if a := w.publish(t, message{topic: topic, payload: []byte(body), qos: 1}); a.code >= 0x80 {
		t.Fatalf("publishing on %s: %#x %s", topic, a.code, a.reason)
	}
}

// ping waits until the broker has answered all that was sent before.
func (w *wire) ping(t testing.TB) {
	t.Helper()
	w.send(t, []byte{typePingreq << 4, 0})
	w.await(t, typePingresp)
}

func (w *wire) id() uint16 {
	w.nextID++
	return w.nextID
}
