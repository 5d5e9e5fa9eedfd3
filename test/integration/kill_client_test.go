package integration

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"time"
)

// A killClient is a client that comes back after every kill. Its methods return
// errors: that a connection ends is what it is there for.
type killClient struct {
	run    *killRun
	o      connectOptions
	random *rand.Rand // of this client alone
	// established says that a CONNACK was read, so that the session must last.
	established bool
}

// dial connects, and checks that the session is there.
func (c *killClient) dial(b *broker) (*wire, error) {
	conn, err := net.Dial("tcp", b.mqtt)
	if err != nil {
		return nil, err
	}
	w := &wire{Conn: conn, v5: c.o.v5, in: bufio.NewReader(conn)}
	c.run.opened(conn)
	if _, err := w.Write(connectPacket(c.o)); err != nil {
		return w, err
	}
	p, err := w.read()
	switch {
	case err != nil:
		return w, err
	case p.kind != typeConnack || p.body[1] != 0:
		return w, fmt.Errorf("packet type %d with % x instead of a CONNACK", p.kind, p.body)
	case c.established && c.o.keep && p.body[0] != 1:
		c.run.fault("session", "%s: the session is gone", c.o.id)
	}
	c.established = true
	return w, nil
}

// subscribe asks for topic filters, before anything is published.
func (c *killClient) subscribe(w *wire, qos byte, topicFilters ...string) error {
	p := subscribePacket(w.id(), w.v5, topicFilters...)
	if len(topicFilters) == 1 {
		p[len(p)-1] = qos
	}
	if _, err := w.Write(p); err != nil {
		return err
	}
	ack, err := w.read()
	if err != nil {
		return err
	}
	if ack.kind != typeSuback {
		return fmt.Errorf("packet type %d instead of SUBACK", ack.kind)
	}
	for _, code := range ack.body[len(ack.body)-len(topicFilters):] {
		if code > 2 {
			return fmt.Errorf("SUBACK % x", ack.body)
		}
	}
	return nil
}

// ackID returns the identifier in an acknowledgement, and its reason code.
func ackID(p packet) (id uint16, code byte) {
	if len(p.body) > 2 {
		code = p.body[2]
	}
	return binary.BigEndian.Uint16(p.body), code
}

// A killPublisher publishes numbered writes with many in flight. What was not
// acknowledged it sends again on the next connection, as MQTT has it.
type killPublisher struct {
	killClient
	name string
	qos  byte
	// packet is the PUBLISH for a write, without its QoS, id and DUP.
	packet func(n int) message

	next     int       // the next write that was never sent
	inFlight []pending // those whose flow has not ended, in order
	acked    int       // the last write that was acknowledged; all before it were
	from     int       // the first write that was sent, or sent again, in this cycle
	sent     int       // the last one in this cycle
}

type pending struct {
	n        int
	received bool // PUBREC came
}

func packetID(n int) uint16 { return uint16(n%65535 + 1) }

// live publishes until the connection ends.
func (p *killPublisher) live(b *broker) error {
	w, err := p.dial(b)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 64<<10)
	for _, f := range p.inFlight {
		if err := p.send(out, f, true); err != nil {
			return err
		}
	}
	window := 1 + p.random.IntN(64)
	for {
		for len(p.inFlight) < window && !p.run.enough() {
			f := pending{n: p.next}
			p.next++
			p.inFlight = append(p.inFlight, f)
			if err := p.send(out, f, false); err != nil {
				return err
			}
		}
		if w.in.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
		if len(p.inFlight) == 0 {
			time.Sleep(time.Millisecond) // the pace
			continue
		}
		got, err := w.read()
		if err != nil {
			return err
		}
		if err := p.take(out, got); err != nil {
			return err
		}
	}
}

// begin is called before each cycle, after whatever was written was checked.
func (p *killPublisher) begin() {
	p.from = p.acked + 1
	p.sent = p.acked
}

func (p *killPublisher) send(out *bufio.Writer, f pending, again bool) error {
	if f.received {
		_, err := out.Write(ackPacket(typePubrel, packetID(f.n)))
		return err
	}
	m := p.packet(f.n)
	m.qos, m.id, m.dup = p.qos, packetID(f.n), again
	p.sent = max(p.sent, f.n)
	_, err := out.Write(publishPacket(m, p.o.v5))
	return err
}

// take notes an acknowledgement before it does anything else.
func (p *killPublisher) take(out *bufio.Writer, got packet) error {
	id, code := ackID(got)
	switch got.kind {
	case typePuback, typePubrec:
		n := p.acked + 1
		if id != packetID(n) || code >= 0x80 {
			p.run.fault("acknowledgement", "%s: packet type %d of %d with code %#x, want that of write %d", p.name, got.kind, id, code, n)
			return errFault
		}
		p.acked = n
		p.run.acknowledged()
		if got.kind == typePuback {
			p.inFlight = p.inFlight[1:]
			return nil
		}
		for i := range p.inFlight {
			if p.inFlight[i].n == n {
				p.inFlight[i].received = true
			}
		}
		_, err := out.Write(ackPacket(typePubrel, id))
		return err
	case typePubcomp:
		if len(p.inFlight) == 0 || id != packetID(p.inFlight[0].n) {
			p.run.fault("acknowledgement", "%s: PUBCOMP of %d, in flight is %+v", p.name, id, p.inFlight)
			return errFault
		}
		p.inFlight = p.inFlight[1:]
		return nil
	}
	return fmt.Errorf("%s: packet type %d with % x", p.name, got.kind, got.body)
}

// opened remembers a connection of this cycle.
func (r *killRun) opened(conn net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns = append(r.conns, conn)
}

// closeAll ends the connections of a cycle.
func (r *killRun) closeAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range r.conns {
		conn.Close()
	}
	r.conns = nil
}

// moment waits for a random time below most: at which moment a process is killed
// shall not depend on what it does.
func (r *killRun) moment(most time.Duration) {
	<-time.After(time.Duration(r.random.Int64N(int64(most))))
}
