package hooks

import (
	"bytes"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/mochi-mqtt/server/v2/system"
)

const (
	// batchBytes is about how much is encoded for one write.
	batchBytes = 64 << 10
	// maxAwaiting bounds the messages that wait for a client's acknowledgement,
	// whatever Receive Maximum the client allows.
	maxAwaiting = 256
)

// An outbox is the way out to one session: the acknowledgements and messages
// that wait for its client, in order, within a bound.
//
// It stands in for the outbound half of mochi's server, which drops messages
// behind a full channel, keeps the packet ids of both directions in one map,
// resumes in random order, and takes a lock over a write to a stalled socket
// that every publisher then waits for.
//
// One goroutine writes while a client is connected. Everybody else only
// appends: an acknowledgement at once, a message as soon as there is room. A
// client that leaves its outbox full for longer than patience is disconnected,
// so that it is waited for once.
type outbox struct {
	limitBytes int
	patience   time.Duration
	hook       *Hook
	info       *system.Info // counts what is sent

	mu      sync.Mutex // guards what follows
	changed *sync.Cond // of anything below
	client  *mqtt.Client
	// expelled is a client that was given up; its writer closes it.
	expelled *mqtt.Client
	// keep says that QoS 1 and 2 messages wait for an absent client.
	keep   bool
	window int // how many messages may await an acknowledgement
	acks   []packets.Packet
	queue  []delivery
	bytes  int // in queue and in sent
	// sent are the messages without a complete acknowledgement, in order; the
	// first unsent of them go to a resumed client before the queue does.
	sent    []*flight
	resend  []*flight
	lastID  uint16
	sources []*source
	lost    int // messages that an absent client's full outbox dropped
}

func newOutbox(h *Hook) *outbox {
	b := &outbox{hook: h, info: h.server.Info, limitBytes: h.opts.QueueBytes, patience: h.opts.WriteTimeout}
	b.changed = sync.NewCond(&b.mu)
	return b
}

// open starts to write to a client. What the last connection left
// unacknowledged is sent again first, in order [MQTT-4.4.0-1], [MQTT-4.6.0-1].
func (b *outbox) open(cl *mqtt.Client, keep bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.client, b.keep = cl, keep
	b.window = maxAwaiting
	if most := int(cl.Properties.Props.ReceiveMaximum); most > 0 {
		b.window = min(b.window, most) // [MQTT-3.3.4-9]
	}
	for _, f := range b.sent {
		f.awaiting = false
	}
	b.resend = slices.Clone(b.sent)
	b.hook.writers.Go(func() { b.write(cl) })
	b.changed.Broadcast()
}

// close ends what open began, if cl is still the client, and returns the
// topic filters whose snapshot was not complete. It does not wait for a write
// in progress, which ends with the connection.
func (b *outbox) close(cl *mqtt.Client) (unfinished []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.client == cl {
		b.client = nil
	}
	b.acks = nil // the client sends what was not acknowledged again
	for _, s := range b.sources {
		if s.client == cl && !s.cancelled {
			unfinished = append(unfinished, s.topicFilter)
			s.cancelled = true
		}
	}
	if !b.keep {
		b.queue, b.sent, b.resend, b.bytes = nil, nil, nil, 0
	}
	b.queue = slices.DeleteFunc(b.queue, func(d delivery) bool {
		if d.qos == 0 {
			b.bytes -= d.size()
		}
		return d.qos == 0
	})
	b.changed.Broadcast()
	return unfinished
}

// ack appends an acknowledgement. It never waits: there are at most as many as
// the client has publishes in progress, which are bounded.
func (b *outbox) ack(cl *mqtt.Client, pk packets.Packet) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.client == cl {
		b.acks = append(b.acks, pk)
		b.changed.Broadcast()
	}
}

// push appends a message. It waits while the outbox is full, but not longer
// than the client has patience for.
func (b *outbox) push(d delivery) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.client == nil && (d.qos == 0 || !b.keep) {
		return
	}
	if !b.makeRoom(&d) {
		return
	}
	for _, s := range b.sources {
		s.overtaken[d.m.topic] = true
	}
	d.arrived = time.Now()
	b.queue = append(b.queue, d)
	b.bytes += d.size()
	b.changed.Broadcast()
}

// makeRoom waits until a message fits. When patience ends it disconnects the
// client. For an absent client it drops the oldest messages instead.
func (b *outbox) makeRoom(d *delivery) bool {
	size := d.size()
	for b.client != nil && b.full(size) {
		if d.own {
			// Its reader is the one that would wait here, and so would not read the
			// acknowledgements that make room.
			if b.full(size - b.limitBytes) {
				b.expel()
			}
			break
		}
		left := b.patience - time.Since(b.oldest())
		if left <= 0 {
			b.expel()
			break
		}
		timer := time.AfterFunc(left, b.changed.Broadcast)
		b.changed.Wait()
		timer.Stop()
	}
	if b.client != nil {
		return true
	}
	if d.qos == 0 || !b.keep {
		return false
	}
	for len(b.queue) > 0 && b.full(size) {
		b.bytes -= b.queue[0].size()
		b.queue = b.queue[1:]
		b.lost++
	}
	if b.full(size) {
		b.lost++
		return false
	}
	return true
}

// full says whether size more bytes are too many. One message always fits.
func (b *outbox) full(size int) bool { return b.bytes > 0 && b.bytes+size > b.limitBytes }

// oldest returns when the message came that waits longest.
func (b *outbox) oldest() time.Time {
	if len(b.sent) > 0 {
		return b.sent[0].arrived
	}
	return b.queue[0].arrived
}

// expel gives a client up that does not keep pace. Its writer closes the
// connection, after a write in progress, which has a deadline.
func (b *outbox) expel() {
	b.expelled = b.client
	b.client = nil
	b.changed.Broadcast()
}

// write sends what is there, batch by batch, until cl is no longer the client.
func (b *outbox) write(cl *mqtt.Client) {
	buf := new(bytes.Buffer)
	for b.fill(cl, buf) {
		n, err := cl.Net.Conn.Write(buf.Bytes())
		if err != nil {
			cl.Stop(err)
			break
		}
		atomic.AddInt64(&b.info.BytesSent, int64(n))
		if buf.Cap() > 4*batchBytes {
			buf = new(bytes.Buffer) // one large message must not pin its size
		}
		buf.Reset()
	}
	if b.leave(cl) {
		b.hook.Disconnect(cl, packets.ErrQuotaExceeded)
	}
}

// leave stops the sources of a connection that is over, and reports whether
// its client was expelled.
func (b *outbox) leave(cl *mqtt.Client) (expelled bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range slices.Clone(b.sources) {
		if s.client == cl {
			b.remove(s)
		}
	}
	return b.expelled == cl
}

// fill waits for something to send and encodes it. It returns false when cl is
// no longer the client.
func (b *outbox) fill(cl *mqtt.Client, buf *bytes.Buffer) bool {
	b.mu.Lock()
	for b.client == cl && !b.ready() {
		b.changed.Wait()
	}
	if b.client != cl {
		b.mu.Unlock()
		return false
	}
	b.encodeAcks(cl, buf)
	b.encodeQueue(cl, buf)
	src := b.source()
	b.changed.Broadcast() // there is room
	b.mu.Unlock()
	if src != nil {
		b.pull(src, cl, buf)
	}
	return true
}

// ready says whether fill has work.
func (b *outbox) ready() bool {
	switch {
	case len(b.acks) > 0:
		return true
	case len(b.resend) > 0:
		return b.awaiting() < b.window
	case len(b.queue) > 0 && b.room(b.queue[0].qos):
		return true
	}
	return b.source() != nil
}

// source returns the one that may be pulled now, or nil.
func (b *outbox) source() *source {
	for _, s := range b.sources {
		if s.started && s.client == b.client && b.room(s.qos) && b.bytes < b.limitBytes/2 {
			return s
		}
	}
	return nil
}

// room says whether the client may be sent another message of this QoS.
func (b *outbox) room(qos byte) bool {
	return len(b.resend) == 0 && (qos == 0 || b.awaiting() < b.window)
}

func (b *outbox) awaiting() int { return len(b.sent) - len(b.resend) }

func (b *outbox) encodeAcks(cl *mqtt.Client, buf *bytes.Buffer) {
	n := 0
	for n < len(b.acks) && buf.Len() < batchBytes {
		encodeAck(buf, cl, &b.acks[n])
		n++
	}
	b.acks = slices.Delete(b.acks, 0, n)
	atomic.AddInt64(&b.info.PacketsSent, int64(n))
}

func (b *outbox) encodeQueue(cl *mqtt.Client, buf *bytes.Buffer) {
	for len(b.resend) > 0 && b.awaiting() < b.window && buf.Len() < batchBytes {
		f := b.resend[0]
		b.resend = b.resend[1:]
		f.awaiting = true
		if f.released {
			encodeAck(buf, cl, &packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pubrel, Qos: 1}, PacketID: f.id})
		} else {
			b.encode(f.delivery, f.id, true, cl, buf)
		}
	}
	n := 0
	for n < len(b.queue) && b.room(b.queue[n].qos) && buf.Len() < batchBytes {
		d := b.queue[n]
		b.queue[n] = delivery{} // let the message go
		n++
		b.bytes -= d.size()
		b.dispatch(d, cl, buf)
	}
	b.queue = b.queue[n:]
	if len(b.queue) == 0 {
		b.queue = nil
	}
}

// dispatch encodes one message that is not in the queue any more.
func (b *outbox) dispatch(d delivery, cl *mqtt.Client, buf *bytes.Buffer) {
	if d.qos == 0 {
		b.encode(d, 0, false, cl, buf)
		return
	}
	f := &flight{delivery: d, id: b.nextID(), awaiting: true}
	b.sent = append(b.sent, f)
	b.bytes += d.size()
	b.encode(d, f.id, false, cl, buf)
}

// encode encodes a message, or forgets it if it has expired or is too large
// for the client.
func (b *outbox) encode(d delivery, id uint16, dup bool, cl *mqtt.Client, buf *bytes.Buffer) {
	ok, err := d.encode(buf, cl, id, dup)
	if !ok || err != nil {
		if id != 0 {
			b.forget(id)
		}
		return
	}
	atomic.AddInt64(&b.info.PacketsSent, 1)
	atomic.AddInt64(&b.info.MessagesSent, 1)
}

// takeLost returns how many messages were dropped since it was last called.
func (b *outbox) takeLost() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.lost
	b.lost = 0
	return n
}
