package conformance

import (
	"bufio"
	"errors"
	"net"
	"os"
	"slices"
	"time"
)

// A wire is a connection to the server. It sends the bytes that it is given,
// and answers nothing by itself.
type wire struct {
	c      *check
	conn   net.Conn
	in     *bufio.Reader
	ack    accepted
	lastID uint16
	queued []message // came while something else was awaited
}

// accepted is a CONNACK.
type accepted struct {
	flags, code byte
	got         properties
	size        int
}

func (w *wire) send(packets ...[]byte) {
	for _, p := range packets {
		_, _ = w.conn.Write(p) // if the server has closed the connection, reading will tell
	}
}

// read returns the next packet, whose flags must be as the standard says.
func (w *wire) read() (packet, error) {
	_ = w.conn.SetReadDeadline(time.Now().Add(patience)) // fails only when it is closed, and reading does, too
	p, err := readPacket(w.in)
	want := byte(0)
	switch p.kind {
	case pubrel:
		want = 2
	case publish:
		want = p.flags
	}
	if err == nil && (p.flags != want || p.kind == publish && p.flags>>1&3 == 3) {
		w.c.fatalf("the server sent packet type %d with the flags %04b", p.kind, p.flags)
	}
	return p, err
}

// next returns the next packet; there must be one.
func (w *wire) next() packet {
	p, err := w.read()
	if err != nil {
		w.c.fatalf("waiting for a packet: %v", err)
	}
	return p
}

// expect returns the next packet, which must be of that type. Messages before
// it are kept for the method message.
func (w *wire) expect(kind byte) packet {
	for {
		p := w.next()
		if p.kind == kind {
			return p
		}
		if p.kind != publish {
			w.c.fatalf("packet type %d with % x instead of type %d", p.kind, p.body, kind)
		}
		w.queued = append(w.queued, w.parse(p))
	}
}

// message returns the next message, without an acknowledgement.
func (w *wire) message() message {
	if len(w.queued) > 0 {
		m := w.queued[0]
		w.queued = w.queued[1:]
		return m
	}
	p := w.next()
	if p.kind != publish {
		w.c.fatalf("packet type %d with % x instead of a message", p.kind, p.body)
	}
	return w.parse(p)
}

// receive returns the next message, which must have that payload, and
// acknowledges it.
func (w *wire) receive(payload string) message {
	m := w.message()
	if m.payload != payload {
		w.c.fatalf("received %q on %q instead of %q", m.payload, m.topic, payload)
	}
	w.acknowledge(m)
	return m
}

func (w *wire) acknowledge(m message) {
	switch m.qos {
	case 1:
		w.send(ackBytes(puback, m.id))
	case 2:
		w.send(ackBytes(pubrec, m.id))
		w.reply(pubrel, m.id)
		w.send(ackBytes(pubcomp, m.id))
	}
}

func (w *wire) parse(p packet) message {
	m := message{qos: p.flags >> 1 & 3, retain: p.flags&1 != 0, dup: p.flags&8 != 0}
	r := reader{rest: p.body}
	m.topic = r.str()
	if m.qos > 0 {
		m.id = r.u16()
	}
	if w.c.v == v5 {
		m.got = r.properties(publish)
	}
	m.payload = string(r.rest)
	w.sound(r.err)
	return m
}

// An answer is a packet with a packet identifier that is no message.
type answer struct {
	kind, flags byte
	id          uint16
	code        byte   // of an acknowledgement of a message
	codes       []byte // of a SUBACK or UNSUBACK
	got         properties
	size        int
}

// reply returns the next packet, which must be of that type and have that
// packet identifier.
func (w *wire) reply(kind byte, id uint16) answer {
	p := w.expect(kind)
	r := reader{rest: p.body}
	a := answer{kind: p.kind, flags: p.flags, id: r.u16(), size: p.size}
	if a.id != id {
		w.c.fatalf("packet type %d has the packet identifier %d instead of %d", kind, a.id, id)
	}
	switch {
	case kind == suback || kind == unsuback:
		if w.c.v == v5 {
			a.got = r.properties(p.kind)
		}
		a.codes = r.rest
	case w.c.v < v5 && len(r.rest) > 0:
		w.c.fatalf("packet type %d has %d bytes too many", kind, len(r.rest))
	case len(r.rest) > 0:
		a.code = r.u8()
		if len(r.rest) > 0 {
			a.got = r.properties(p.kind)
		}
	}
	w.sound(r.err)
	return a
}

func (w *wire) sound(err error) {
	if err != nil {
		w.c.fatalf("%v", err)
	}
}

// publish sends a message and completes its flow. It returns the answer that
// says whether the message was accepted.
func (w *wire) publish(m message) answer {
	if m.qos > 0 && m.id == 0 {
		m.id = w.id()
	}
	w.send(m.bytes(w.c.v))
	switch m.qos {
	case 0:
		w.ping() // it may be overtaken otherwise
		return answer{}
	case 1:
		return w.reply(puback, m.id)
	}
	a := w.reply(pubrec, m.id)
	if a.code >= 0x80 {
		return a
	}
	w.send(ackBytes(pubrel, m.id))
	w.reply(pubcomp, m.id)
	return a
}

// subscribe asks for topic filters, which must be granted.
func (w *wire) subscribe(filters ...filter) {
	a := w.ask(nil, filters...)
	for i, f := range filters {
		if i >= len(a.codes) || a.codes[i] != f.options&3 {
			w.c.fatalf("SUBACK % x for %q", a.codes, f.topic)
		}
	}
}

// ask sends SUBSCRIBE and returns the SUBACK.
func (w *wire) ask(properties []byte, filters ...filter) answer {
	id := w.id()
	w.send(subscribeBytes(w.c.v, id, properties, filters...))
	return w.reply(suback, id)
}

func (w *wire) unsubscribe(topics ...string) answer {
	id := w.id()
	w.send(unsubscribeBytes(w.c.v, id, topics...))
	return w.reply(unsuback, id)
}

func (w *wire) ping() {
	w.send(frame(pingreq, 0))
	w.expect(pingresp)
}

// bye disconnects as a client should, and waits for the end.
func (w *wire) bye() {
	w.send(frame(disconnect, 0))
	w.end()
}

// drop ends the connection without a word.
func (w *wire) drop() { w.conn.Close() }

// silent fails the check when there are messages for the client besides those
// that it has taken: it sends it one more, which must be the first to come.
func (w *wire) silent() {
	topic := w.c.aside()
	w.subscribe(filter{topic, 0})
	w.c.plain().publish(message{topic: topic, payload: "marker", qos: 1})
	if m := w.message(); m.topic != topic {
		w.c.fatalf("unexpected message %q on %q", m.payload, m.topic)
	}
}

// idle fails the check when there are more messages for a client whose window
// is full. The server may hold back all messages then, so that other requests
// have to tell when it would have sent one.
func (w *wire) idle() {
	w.subscribe(filter{w.c.aside(), 0})
	w.ping()
	if len(w.queued) > 0 {
		w.c.fatalf("%q is sent beyond the window", w.queued[0].payload)
	}
}

// ends waits until the server has closed the connection. A reason that it gives
// must be one of the codes.
func (w *wire) ends(codes ...byte) {
	if code, said := w.end(); said {
		w.oneOf(code, codes)
	}
}

// end waits until the server has closed the connection, and returns the reason
// that it gave.
func (w *wire) end() (code byte, said bool) {
	for {
		p, err := w.read()
		if err != nil {
			w.closed(err)
			return code, said
		}
		if said {
			w.c.fatalf("packet type %d after DISCONNECT", p.kind)
		}
		if p.kind != disconnect {
			continue
		}
		code, said = w.disconnected(p).code, true
	}
}

// disconnected takes a DISCONNECT from the server apart.
func (w *wire) disconnected(p packet) answer {
	if w.c.v < v5 {
		w.c.fatalf("DISCONNECT from the server, which is not in MQTT 3.1.1")
	}
	a := answer{kind: p.kind, size: p.size}
	r := reader{rest: p.body}
	if len(r.rest) > 0 {
		a.code = r.u8()
	}
	if len(r.rest) > 0 {
		a.got = r.properties(p.kind)
	}
	w.sound(r.err)
	return a
}

// closed fails the check unless err says that the server closed the connection.
func (w *wire) closed(err error) {
	if err == nil {
		w.c.fatalf("the server goes on instead of closing the connection")
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		w.c.fatalf("the server does not close the connection")
	}
}

func (w *wire) oneOf(code byte, codes []byte) {
	if w.c.v == v5 && !slices.Contains(codes, code) {
		w.c.fatalf("the server says %#x instead of % x", code, codes)
	}
}

// connacked takes a CONNACK apart.
func (w *wire) connacked(p packet) {
	if p.kind != connack || len(p.body) < 2 {
		w.c.fatalf("packet type %d with % x instead of CONNACK", p.kind, p.body)
	}
	w.ack = accepted{flags: p.body[0], code: p.body[1], size: p.size}
	r := reader{rest: p.body[2:]}
	if w.c.v == v5 && len(r.rest) > 0 {
		w.ack.got = r.properties(connack)
	}
	w.sound(r.err)
}

// present says whether the server has resumed a session.
func (w *wire) present() bool { return w.ack.flags&1 != 0 }

func (w *wire) id() uint16 {
	w.lastID++
	return w.lastID
}
