package sessions

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/limits"
)

const (
	// smallBuffer is what a quiet connection reads into, and largeBuffer what one
	// does that is busy.
	smallBuffer = 512
	largeBuffer = 32 << 10
)

// An inbound is the bytes of a connection that are not handled yet.
type inbound struct {
	conn net.Conn
	buf  []byte
	n    int // bytes in buf
	// filled says that the last read could have read more, and quiet counts reads
	// in a row that would have fitted a small buffer.
	filled bool
	quiet  int
}

// maxQuiet is how many small reads make a connection quiet.
const maxQuiet = 64

// read reads more bytes. It makes room as bytes come, not as a length claims.
func (in *inbound) read() (int, error) {
	switch {
	case in.n == len(in.buf):
		in.resize(max(smallBuffer, 4*in.n))
	case in.filled && len(in.buf) < largeBuffer:
		in.resize(4 * len(in.buf))
	case in.n < smallBuffer && len(in.buf) > smallBuffer && (in.quiet > maxQuiet || len(in.buf) > largeBuffer):
		in.resize(smallBuffer)
	}
	room := in.buf[in.n:]
	n, err := in.conn.Read(room)
	in.n += n
	if in.filled = n == len(room); n < smallBuffer {
		in.quiet++
	} else {
		in.quiet = 0
	}
	return n, err
}

// largePackets are buffers for packets that no large buffer holds. They come and go with
// each such packet; if each were new, the collector of garbage would never rest.
var largePackets = sync.Pool{New: func() any { return new([]byte) }}

func (in *inbound) resize(size int) {
	var buf []byte
	if size > largeBuffer {
		spare := largePackets.Get().(*[]byte)
		if cap(*spare) < size {
			*spare = make([]byte, size)
		}
		buf = (*spare)[:cap(*spare)]
	} else {
		buf = make([]byte, size)
	}
	n := copy(buf, in.buf[:in.n])
	in.giveBack()
	in.buf, in.n, in.quiet = buf, n, 0
}

// giveBack lets others have the buffer, if it is for a large packet. Nobody keeps what was
// read into it.
func (in *inbound) giveBack() {
	if buf := in.buf; cap(buf) > largeBuffer {
		in.buf, in.n = nil, 0
		largePackets.Put(&buf)
	}
}

// drop forgets the first bytes.
func (in *inbound) drop(size int) { in.n = copy(in.buf, in.buf[size:in.n]) }

// Serve serves a client until its connection ends, and closes it.
func (e *Engine) Serve(conn net.Conn, via Via) {
	via.PacketBytes = cmp.Or(via.PacketBytes, e.options().PacketBytes)
	via.ConnectTimeout = cmp.Or(via.ConnectTimeout, e.options().ConnectTimeout)
	c := &Client{Remote: conn.RemoteAddr(), Via: via, engine: e, conn: conn, speed: newSpeed(&e.options().Quotas), effort: effort{gate: &e.gate}, since: time.Now()}
	defer func() {
		if r := recover(); r != nil {
			e.log.Error("a packet has ended its connection", "client", clip(c.ClientID), "remote", address(c.Remote), "panic", r, "stack", string(debug.Stack()))
			c.flushes.flush() // others count on it
			c.flushes.proceed()
		}
		c.effort.end()
		if c.session == nil || !c.link.close() {
			_ = conn.Close() // nobody else does
		}
		if c.session != nil {
			e.disconnected(c)
		}
		c.giveUser()
	}()
	e.counts.sockets.Add(1)
	in := &inbound{conn: conn}
	defer in.giveBack()
	if !c.connect(in) {
		return
	}
	err := c.read(in)
	var fault *Error
	switch {
	case errors.As(err, &fault):
		e.countLimit(fault)
		c.end(fault)
	case errors.Is(err, os.ErrDeadlineExceeded): // [MQTT-3.1.2-22]
		c.end(&Error{packets.ErrKeepAliveTimeout.Code, "nothing was heard for one and a half times the keep-alive"})
	case !errors.Is(err, io.EOF):
		e.log.Debug("connection lost", "client", clip(c.ClientID), "error", err)
	}
}

// read handles packets, batch by batch, until there are no more.
func (c *Client) read(in *inbound) error {
	for {
		c.effort.begin()
		more, err := c.handleAll(in)
		c.received.into(&c.engine.counts.packetsIn)
		c.flushes.flush()
		c.flushes.proceed()
		if err != nil || more || c.speed.wait > 0 || !in.filled || c.effort.over(largeBuffer) { // else there is more to read at once
			c.effort.end()
		}
		if err != nil {
			return err
		}
		if more {
			continue
		}
		if c.speed.wait > 0 {
			if err := c.pause(); err != nil {
				return err
			}
			continue
		}
		c.link.pace()
		c.extend()
		n, err := in.read()
		if n == 0 && err != nil {
			return err
		}
		c.engine.counts.bytesIn.Add(int64(n))
	}
}

// handleAll handles the complete packets that are there, and reports whether it has left
// more because others have their turn. Those of a connection that has been ended are
// read, so that its client gets to read why, and dropped: they may come again on
// another one.
func (c *Client) handleAll(in *inbound) (more bool, err error) {
	c.handling.Lock()
	defer c.handling.Unlock()
	done := 0
	defer func() { in.drop(done) }()
	for {
		if c.cause.Load() != nil {
			done = in.n
			return false, nil
		}
		f, size, err := cut(in.buf[done:in.n], c.Via.PacketBytes)
		if err != nil || size == 0 || c.speed.refusedTooOften(&c.session.told) || c.speed.bound && c.speed.holds(f.kind, size) {
			return false, err
		}
		if done > 0 && c.effort.over(size) {
			return true, nil
		}
		done += size
		if err := c.handle(f); err != nil {
			return false, err
		}
	}
}

// extend sets the deadline of the keep-alive [MQTT-3.1.2-22], and not for every
// packet: a tenth of it does not matter.
func (c *Client) extend() {
	if c.KeepAlive == 0 {
		return
	}
	grace := time.Duration(c.KeepAlive) * time.Second * 3 / 2
	now := time.Now()
	if c.deadline.Sub(now) < grace-grace/32 {
		c.deadline = now.Add(grace)
		_ = c.conn.SetReadDeadline(c.deadline) // fails when the connection is gone
	}
}

// handle handles one packet. An error ends the connection.
func (c *Client) handle(f frame) error {
	c.received.packets[f.kind&15]++
	c.traceIn(f)
	switch f.kind {
	case packets.Publish:
		return c.publish(f)
	case packets.Puback, packets.Pubrec, packets.Pubrel, packets.Pubcomp:
		return c.acknowledge(f)
	case packets.Subscribe:
		return c.subscribe(f)
	case packets.Unsubscribe:
		return c.unsubscribe(f)
	case packets.Pingreq:
		if len(f.body) > 0 {
			return malformed("PINGREQ has a body")
		}
		return c.pong()
	case packets.Disconnect:
		return c.disconnect(f)
	case packets.Auth:
		return c.reauthenticate(f)
	case packets.Connect: // [MQTT-3.1.0-2]
		return violation("a second CONNECT")
	}
	return violation("a packet of type %d", f.kind)
}

// pong answers a PINGREQ [MQTT-3.12.4-1].
func (c *Client) pong() error {
	b := c.link.box
	b.mu.Lock()
	defer b.mu.Unlock()
	if !c.link.ended {
		c.link.out = append(c.link.room(), packets.Pingresp<<4, 0)
		c.link.sent.packets[packets.Pingresp]++
		c.engine.traceOut(c.ClientID, packets.Pingresp, 0, 0, "")
		c.flushes.add(c.link)
	}
	return nil
}

// acknowledge takes PUBACK, PUBREC, PUBREL or PUBCOMP.
func (c *Client) acknowledge(f frame) error {
	r, err := decodeReply(f.body, f.kind, c.link.peer.version)
	if err != nil {
		return err
	}
	if err := c.checkUsers(r.properties.users); err != nil {
		return err
	}
	if f.kind == packets.Pubrel {
		c.session.release(c, r.id)
		return nil
	}
	return c.session.box.acknowledged(c.link, f.kind, r.id, r.code, &c.flushes)
}

func (c *Client) checkUsers(n int) error {
	if n > c.engine.options().UserProperties {
		return c.engine.reached(limits.UserProperties, packets.ErrQuotaExceeded.Code, "%d user properties, the limit is %d", n, c.engine.options().UserProperties)
	}
	return nil
}

// disconnect takes a DISCONNECT.
func (c *Client) disconnect(f frame) error {
	if c.link.peer.version < 5 && len(f.body) > 0 {
		return malformed("DISCONNECT has a body")
	}
	r, err := decodeReply(f.body, f.kind, c.link.peer.version)
	if err != nil {
		return err
	}
	if err := c.checkUsers(r.properties.users); err != nil {
		return err
	}
	if r.properties.is(packets.PropSessionExpiryInterval) {
		expiry := r.properties.number[packets.PropSessionExpiryInterval]
		if c.Expiry == 0 && expiry != 0 { // [MQTT-3.1.2-23]
			return violation("a session that was to end with its connection cannot be kept")
		}
		c.Expiry = expiry
	}
	if r.code != packets.CodeDisconnectWillMessage.Code {
		c.session.takeBackWill(c)
	}
	volatile, _ := userProperty(r.properties.passed, volatileProperty)
	c.said.Store(&Parting{Said: true, Code: r.code, Volatile: bytes.Clone(volatile)})
	return io.EOF
}
