package hooks

import (
	"slices"
	"sync"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

const (
	// maxAwaiting bounds the messages that wait for a client's acknowledgement,
	// whatever Receive Maximum the client allows.
	maxAwaiting = 256
	// maxAcks bounds the acknowledgements that wait for a client to read.
	maxAcks = 4096
	// maxSources bounds the snapshots that one client reads at a time.
	maxSources = 256
	// busyFactor is how many times its bound an outbox may hold while the client's
	// own reader is what everybody would have to wait for.
	busyFactor = 8
	// creditShare is the part of the time by which one client may slow the broker
	// down in the long run.
	creditShare = 0.1
)

// An outbox is the way out to one session: the acknowledgements and messages
// that wait for its client, in order, within a bound.
//
// It stands in for the outbound half of mochi's server, which drops messages
// behind a full channel, keeps the packet ids of both directions in one map,
// resumes in random order, and takes a lock over a write to a stalled socket
// that every publisher then waits for.
//
// One goroutine writes while a client is connected: see [link]. Everybody else
// only appends: an acknowledgement at once, a message as soon as there is room.
// What others wait for a client is counted; one that has used up its credit is
// disconnected.
type outbox struct {
	limitBytes int
	patience   time.Duration
	hook       *Hook

	mu      sync.Mutex // guards what follows
	changed *sync.Cond // of anything below
	// link is the connection, the last one if the client is away. May be nil.
	link *link
	// keep says that QoS 1 and 2 messages wait for an absent client.
	keep bool
	// busy counts the calls in which the client's reader waits for somebody.
	busy  int
	acks  []ack
	queue []delivery
	bytes int // in queue and in sent
	// sent are the messages without a complete acknowledgement, in order. Those in
	// resend go to a resumed client first; they are the last of sent.
	sent   []*flight
	resend []*flight
	lastID uint16
	lost   int // messages that an absent client's full outbox dropped
}

func newOutbox(h *Hook) *outbox {
	b := &outbox{hook: h, limitBytes: h.opts.QueueBytes, patience: h.opts.WriteTimeout}
	b.changed = sync.NewCond(&b.mu)
	return b
}

// open starts to write to a client. What the last connection left
// unacknowledged is sent again first, in order [MQTT-4.4.0-1], [MQTT-4.6.0-1].
func (b *outbox) open(cl *mqtt.Client, keep bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := newLink(b, cl)
	b.link, b.keep = l, keep
	b.resend = slices.Clone(b.sent)
	b.hook.writers.Go(l.write)
	b.changed.Broadcast()
}

// close ends what open began, if cl is still the client, and returns the
// topic filters whose snapshot was not complete. It does not wait for a write
// in progress, which ends with the connection.
func (b *outbox) close(cl *mqtt.Client) (unfinished []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.link == nil || b.link.client != cl {
		return nil
	}
	b.link.end()
	unfinished, b.link.unfinished = b.link.unfinished, nil
	b.acks = nil // the client sends what was not acknowledged again
	if !b.keep {
		b.queue, b.sent, b.resend, b.bytes = nil, nil, nil, 0
	}
	b.queue = slices.DeleteFunc(b.queue, func(d delivery) bool {
		if d.qos == 0 {
			b.bytes -= d.m.size
		}
		return d.qos == 0
	})
	return unfinished
}

// online returns the connection, or nil while the client is away.
func (b *outbox) online() *link {
	if b.link == nil || b.link.ended {
		return nil
	}
	return b.link
}

// ack appends an acknowledgement for a client. It never waits: as many as are
// not read stop the client's reader, see [outbox.pace].
func (b *outbox) ack(cl *mqtt.Client, a ack) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.online(); l != nil && l.client == cl {
		b.acks = append(b.acks, a)
		b.changed.Broadcast()
	}
}

// pace makes the reader of a client wait while the client does not read what it
// is answered.
func (b *outbox) pace(cl *mqtt.Client) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.acks) > maxAcks {
		if l := b.online(); l == nil || l.client != cl {
			return
		}
		b.changed.Wait()
	}
}

// waits notes that the client's reader begins to wait for somebody else, which
// may in turn wait for this outbox; the function that it returns ends that.
func (b *outbox) waits() (done func()) {
	b.addBusy(1)
	return func() { b.addBusy(-1) }
}

func (b *outbox) addBusy(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.busy += n
	b.changed.Broadcast()
}

// push appends a message. It waits while the outbox is full, as long as the
// client has credit.
func (b *outbox) push(d delivery) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.online() == nil && (d.qos == 0 || !b.keep) {
		return
	}
	if !b.makeRoom(d) {
		return
	}
	if l := b.online(); l != nil && d.m.supersedes {
		for _, s := range l.sources {
			s.overtaken[d.m.topic] = true
		}
	}
	b.queue = append(b.queue, d)
	b.bytes += d.m.size
	b.changed.Broadcast()
}

// makeRoom waits until a message fits. It disconnects a client that has no
// credit left. For an absent client it drops the oldest messages instead.
func (b *outbox) makeRoom(d delivery) bool {
	for l := b.online(); l != nil && b.full(d.m.size); l = b.online() {
		left := l.credit(time.Now())
		if left <= 0 {
			l.expel()
			break
		}
		l.wait(left)
	}
	if b.online() != nil {
		return true
	}
	if d.qos == 0 || !b.keep {
		return false
	}
	for len(b.queue) > 0 && b.full(d.m.size) {
		b.bytes -= b.queue[0].m.size
		b.queue[0] = delivery{} // let the message go
		b.queue = b.queue[1:]
		b.lost++
	}
	if b.full(d.m.size) {
		b.lost++
		return false
	}
	return true
}

// full says whether size more bytes are too many. One message always fits. A
// client whose reader waits cannot read the acknowledgements that make room:
// whoever waited for it here would wait for itself.
func (b *outbox) full(size int) bool {
	limit := b.limitBytes
	if b.busy > 0 {
		limit *= busyFactor
	}
	return b.bytes > 0 && b.bytes+size > limit
}

// acknowledged takes a client's PUBACK, PUBREC or PUBCOMP for a message.
func (b *outbox) acknowledged(cl *mqtt.Client, pk *packets.Packet) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := b.find(pk.PacketID)
	if l := b.online(); l == nil || l.client != cl || i >= 0 && slices.Contains(b.resend, b.sent[i]) {
		return // of another connection, or not sent yet on this one
	}
	if pk.FixedHeader.Type != packets.Pubrec || pk.ReasonCode >= packets.ErrUnspecifiedError.Code {
		b.forget(pk.PacketID)
		return
	}
	pubrel := ack{kind: packets.Pubrel, id: pk.PacketID}
	if i >= 0 {
		b.sent[i].released = true // [MQTT-4.3.3-5]
	} else {
		pubrel.code = packets.ErrPacketIdentifierNotFound.Code
	}
	b.acks = append(b.acks, pubrel)
	b.changed.Broadcast()
}

// nextID returns a packet identifier that no flight has [MQTT-2.2.1-4]. There
// always is one: flights are bounded by the window.
func (b *outbox) nextID() uint16 {
	for {
		b.lastID++
		if b.lastID != 0 && b.find(b.lastID) < 0 {
			return b.lastID
		}
	}
}

func (b *outbox) find(id uint16) int {
	return slices.IndexFunc(b.sent, func(f *flight) bool { return f.id == id })
}

func (b *outbox) forget(id uint16) {
	if i := b.find(id); i >= 0 {
		b.bytes -= b.sent[i].m.size
		b.sent = slices.Delete(b.sent, i, i+1)
		b.changed.Broadcast()
	}
}

// awaiting is how many messages await an acknowledgement of this connection.
func (b *outbox) awaiting() int { return len(b.sent) - len(b.resend) }

// takeLost returns how many messages were dropped since it was last called.
func (b *outbox) takeLost() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.lost
	b.lost = 0
	return n
}
