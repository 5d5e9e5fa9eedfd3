package sessions

import (
	"io"
	"slices"
	"sync"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

const (
	// batchBytes is about how much waits in a link, encoded, before messages are
	// queued instead.
	batchBytes = 64 << 10
	// maxUnread is how much may wait for a client before its own packets are not
	// read any more.
	maxUnread = 4 * batchBytes
	// patience is how long somebody waits until a client that does not keep pace has
	// room for a message.
	patience = 250 * time.Millisecond
	// farewell is how long a connection that ends may go on writing.
	farewell = 500 * time.Millisecond
)

// A link is the way out of one connection: the bytes that it writes next, which
// everybody appends to and somebody flushes. All of it is under the outbox's
// mutex.
//
// Whoever appends sees to it that the link is flushed, once for all that he
// appends: see [flushes]. That writes without waiting, if the connection can. What
// does not fit, and what needs the store, is left to a goroutine that is there
// only as long as there is such work.
type link struct {
	box     *outbox
	conn    outgoing
	direct  *direct // nil if conn cannot be written to without waiting
	timeout time.Duration
	peer    peer
	format  *Format // of a client of another protocol, or nil
	window  int     // how many messages may await an acknowledgement

	sent    tally  // what was encoded, and the engine has not counted
	out     []byte // encoded, and not being written
	rest    []byte // of what was being written, what did not fit
	writing bool
	started bool // the outbox has opened it; nothing is written before
	working bool // the goroutine is there
	dirty   bool // somebody is going to flush
	held    bool // messages wait until the client was answered

	// took is when the client last took bytes while there was something to wait for,
	// or acknowledged a message.
	took time.Time
	// slow says that somebody has waited for the client in vain. Nobody does again
	// until it has read half of what waits.
	slow bool

	// ended says that the connection is closed as soon as out is written.
	ended   bool
	ending  func(*Error) // is told why, once
	sources []*source
	pulling *source
	// unfinished are the topic filters of sources that the end cut off.
	unfinished []string
}

// outgoing is what a link needs of a connection.
type outgoing interface {
	io.WriteCloser
	SetWriteDeadline(time.Time) error
}

func newLink(conn outgoing, c *Connect, timeout time.Duration, ending func(*Error)) *link {
	return &link{
		conn: conn, direct: newDirect(conn), timeout: timeout, peer: newPeer(c), ending: ending,
		window: min(maxAwaiting, c.Receive), // [MQTT-3.3.4-9]
	}
}

// buffers are for what links write.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// room returns the bytes to append to.
func (l *link) room() []byte {
	if l.out == nil {
		l.out = (*buffers.Get().(*[]byte))[:0]
	}
	return l.out
}

// recycle gives back a buffer, unless a large message has made it large.
func recycle(b []byte) {
	if cap(b) > 0 && cap(b) <= 2*batchBytes {
		buffers.Put(&b)
	}
}

// free says whether a message of this QoS may be encoded at once.
func (l *link) free(qos byte) bool {
	return len(l.box.queue) == 0 && l.box.resend == 0 && l.fits(qos)
}

// fits says whether the socket and the client's window have room.
func (l *link) fits(qos byte) bool {
	return !l.held && len(l.out) < batchBytes && (qos == 0 || l.box.awaiting() < l.window)
}

// next encodes what is queued and may be sent now.
func (l *link) next() {
	b := l.box
	l.proceed()
	n := 0
	for n < len(b.queue) && l.follows(b.queue[n].qos) {
		d := b.queue[n]
		b.queue[n] = delivery{} // let the message go
		n++
		b.bytes -= d.m.size()
		l.dispatch(d)
	}
	if b.queue = b.queue[n:]; len(b.queue) == 0 {
		b.queue = nil
	}
	if n > 0 {
		l.advance(0, n)
		b.changed.Broadcast()
	}
	if l.source() != nil {
		l.wake()
	}
}

// follows says whether a message of this QoS may come next. Behind one that the
// store is being told of there is room for others of QoS 1 and 2, which the store is
// then told of together, and nothing overtakes it.
func (l *link) follows(qos byte) bool {
	return l.fits(qos) && (l.box.resend == 0 || qos > 0 && l.box.held())
}

// overtake notes that a message is newer than what snapshots hold.
func (l *link) overtake(m *Message) {
	if m.Supersedes {
		for _, s := range l.sources {
			s.overtaken[m.Topic] = true
		}
	}
}

// flush writes what was appended, without waiting if the connection can.
func (l *link) flush() {
	l.box.mu.Lock()
	defer l.box.mu.Unlock()
	l.dirty = false
	if l.direct == nil {
		l.wake()
		return
	}
	for l.started && !l.writing && !l.working && l.more() {
		buf := l.out
		l.out, l.writing = nil, true
		l.box.mu.Unlock()
		n, err := l.direct.write(buf)
		l.box.mu.Lock()
		l.writing = false
		if n > 0 && (l.box.bytes > 0 || n < len(buf)) {
			l.took = time.Now()
		}
		switch {
		case err != nil:
			l.fail()
		case n < len(buf):
			l.rest = append([]byte(nil), buf[n:]...)
			l.wake()
		}
		l.box.engine.counts.bytesOut.Add(int64(n))
		l.sent.into(&l.box.engine.counts.packetsOut)
		recycle(buf)
		l.wake() // if there is something for it
		l.box.changed.Broadcast()
	}
}

// more encodes what is queued if nothing else waits to be written, and says
// whether anything does.
func (l *link) more() bool {
	if len(l.out) == 0 && !l.ended && len(l.box.queue)+l.box.resend > 0 {
		l.next()
	}
	return len(l.out) > 0
}

// wake starts the goroutine if there is work for it.
func (l *link) wake() {
	if l.started && !l.working && !l.writing && l.hasWork() {
		l.working = true
		l.box.engine.writers.Go(l.work)
	}
}

func (l *link) hasWork() bool {
	switch {
	case len(l.rest) > 0 || l.ended && l.conn != nil:
		return true
	case l.direct == nil && len(l.out) > 0:
		return true
	}
	return !l.ended && l.source() != nil
}

// work writes, waiting for the client, until there is nothing left that others
// do not do as well.
func (l *link) work() {
	b := l.box
	b.mu.Lock()
	defer b.mu.Unlock()
	for l.hasWork() || len(l.out) > 0 {
		if len(l.rest)+len(l.out) == 0 && l.ended {
			conn := l.conn
			l.conn = nil
			b.mu.Unlock()
			_ = conn.Close() // it may write, and wait; its reader says what it meets
			b.mu.Lock()
			break
		}
		if src := l.source(); src != nil && !l.ended {
			l.pulling = src
			b.mu.Unlock()
			l.pull(src)
			b.mu.Lock()
		}
		l.write()
		if !l.ended {
			l.next()
		}
		b.changed.Broadcast()
	}
	l.working = false
	b.changed.Broadcast()
}

// write writes what is there, and waits for it.
func (l *link) write() {
	waiting := [...][]byte{l.rest, l.out}
	l.rest, l.out, l.writing = nil, nil, true
	if l.box.bytes == 0 && len(waiting[0]) == 0 {
		l.took = time.Now() // nothing has waited for the client so far
	}
	var err error
	for _, buf := range waiting {
		if len(buf) > 0 && err == nil {
			err = l.writeAll(buf)
		}
	}
	recycle(waiting[1])
	l.sent.into(&l.box.engine.counts.packetsOut)
	l.writing = false
	if err != nil {
		l.fail()
	}
}

// writeAll writes all of b in time. The caller holds the mutex: else the end of
// the link might set its deadline, and this undo it.
func (l *link) writeAll(b []byte) error {
	limit := l.timeout
	if l.ended {
		limit = farewell
	}
	if err := l.conn.SetWriteDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	l.box.mu.Unlock()
	n, err := l.conn.Write(b)
	l.box.engine.counts.bytesOut.Add(int64(n))
	l.box.mu.Lock()
	if err != nil || l.ended {
		return err
	}
	l.took = time.Now()
	return l.conn.SetWriteDeadline(time.Time{}) // else it ends a later write that does not wait
}

// fail ends a link whose connection cannot be written to.
func (l *link) fail() {
	l.out, l.rest = nil, nil
	l.end(lost)
	l.out = nil
}

// end closes the connection once what is there is written, and the farewell
// that MQTT 5 has for err. The sources stop, but the one that is being pulled.
func (l *link) end(err *Error) {
	if l.ended {
		return
	}
	l.ended = true
	for _, s := range slices.Clone(l.sources) {
		if s.done == nil {
			l.unfinished = append(l.unfinished, s.topicFilter)
		}
		l.cancel(s)
	}
	if err != nil {
		if err.Code == packets.ErrQuotaExceeded.Code {
			l.out = nil // a client that does not read would not come to the end
		}
		if l.peer.version == 5 { // [MQTT-4.13.1-1]
			l.sent.packets[packets.Disconnect]++
			code := disconnectCode(err.Code)
			l.box.engine.traceOut(l.box.id, packets.Disconnect, 0, code, err.Text)
			l.out = l.peer.appendRare(l.room(), &packets.Packet{
				FixedHeader: packets.FixedHeader{Type: packets.Disconnect}, ReasonCode: code,
				Properties: packets.Properties{ReasonString: err.Text, ServerReference: l.box.engine.reference(err.Code)},
			})
		}
		l.ending(err)
	}
	if l.writing {
		// A write in progress may wait for a client that does not read.
		_ = l.conn.SetWriteDeadline(time.Now().Add(farewell)) // fails when the connection is gone
	}
	l.wake()
	l.box.changed.Broadcast()
}

// close ends a link whose reader has ended, and reports whether the connection
// will be closed once what is there is written.
func (l *link) close() bool {
	l.box.mu.Lock()
	defer l.box.mu.Unlock()
	l.end(nil)
	return l.started
}

// settle has everything written that can be, before somebody waits: what he has
// appended elsewhere, and what others have appended here, for they may be waiting,
// too. It reports whether there was anything to do.
func (l *link) settle(f *flushes) bool {
	b := l.box
	idle := l.direct != nil && len(l.out) > 0 && !l.writing && !l.working
	if len(f.links) == 0 && (f.reader == nil || f.busy) && !idle {
		return false
	}
	b.mu.Unlock()
	f.flush()
	f.wait()
	l.flush()
	b.mu.Lock()
	return true
}

// wait waits until the outbox has changed, or the time is up.
func (l *link) wait(until time.Time, f *flushes) {
	if l.settle(f) {
		return
	}
	b := l.box
	timer := time.AfterFunc(time.Until(until), func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.changed.Broadcast()
	})
	b.changed.Wait()
	timer.Stop()
}

// pace makes the reader of a client wait while the client does not read what it
// is sent.
func (l *link) pace() {
	b := l.box
	b.mu.Lock()
	defer b.mu.Unlock()
	for !l.ended && len(l.out)+len(l.rest) > maxUnread {
		b.changed.Wait()
	}
}

// answer sends a packet that mochi's codec writes.
func (l *link) answer(pk *packets.Packet, f *flushes) {
	l.box.mu.Lock()
	defer l.box.mu.Unlock()
	if !l.ended {
		l.out = l.peer.appendRare(l.room(), pk)
		l.sent.packets[pk.FixedHeader.Type]++
		l.box.engine.traceOut(l.box.id, pk.FixedHeader.Type, pk.PacketID, pk.ReasonCode, "")
		f.add(l)
	}
}
