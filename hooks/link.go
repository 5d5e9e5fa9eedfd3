package hooks

import (
	"bytes"
	"slices"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// batchBytes is about how much is encoded for one write.
const batchBytes = 64 << 10

// A link is an outbox's connection to its client, with the goroutine that
// writes. All of it but the goroutine is under the outbox's mutex.
type link struct {
	box    *outbox
	client *mqtt.Client
	peer   peerLimits
	window int // how many messages may await an acknowledgement
	opened time.Time
	// waited is how long others have waited for the client, and waiting since when
	// so many of them do.
	waited       time.Duration
	waiters      int
	waitingSince time.Time
	// ended says that nothing is written any more; expelled, that the writer is to
	// close the connection for that.
	ended, expelled bool
	sources         []*source
	pulling         *source
	// unfinished are the topic filters of sources that the end cut off.
	unfinished []string
}

// peerLimits is what CONNECT said that the encoder must know. mochi changes the
// properties of its client while it is connected.
type peerLimits struct {
	version       byte
	packetBytes   uint32 // 0 is no limit
	noProblemInfo bool   // [MQTT-3.1.2-29]
}

func newLink(b *outbox, cl *mqtt.Client) *link {
	props := &cl.Properties.Props
	l := &link{box: b, client: cl, window: maxAwaiting, opened: time.Now()}
	if most := int(props.ReceiveMaximum); most > 0 {
		l.window = min(l.window, most) // [MQTT-3.3.4-9]
	}
	l.peer = peerLimits{
		version: cl.Properties.ProtocolVersion, packetBytes: props.MaximumPacketSize,
		noProblemInfo: props.RequestProblemInfoFlag && props.RequestProblemInfo == 0,
	}
	return l
}

// credit returns how long others may still wait for the client: patience, and
// a share of the time for which it has been connected.
func (l *link) credit(now time.Time) time.Duration {
	earned := time.Duration(creditShare * float64(now.Sub(l.opened)))
	left := l.box.patience + earned - l.waited
	if l.waiters > 0 {
		left -= now.Sub(l.waitingSince)
	}
	return left
}

// wait waits for a change of the outbox, at the client's expense, until d has
// passed.
func (l *link) wait(d time.Duration) {
	b := l.box
	timer := time.AfterFunc(d, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.changed.Broadcast()
	})
	if l.waiters == 0 {
		l.waitingSince = time.Now()
	}
	l.waiters++
	b.changed.Wait()
	timer.Stop()
	l.waiters--
	if l.waiters == 0 {
		l.waited += time.Since(l.waitingSince)
	}
}

// expel gives the client up. The writer closes the connection, after a write in
// progress, which has a deadline.
func (l *link) expel() {
	l.expelled = true
	l.end()
}

// end stops the writer, and the sources but the one that is being pulled.
func (l *link) end() {
	if l.ended {
		return
	}
	l.ended = true
	for _, s := range slices.Clone(l.sources) {
		l.unfinished = append(l.unfinished, s.topicFilter)
		l.cancel(s)
	}
	l.box.changed.Broadcast()
}

// write sends what is there, batch by batch, until the link has ended.
func (l *link) write() {
	buf := new(bytes.Buffer)
	for l.fill(buf) {
		if buf.Len() == 0 {
			continue // all of it had expired
		}
		n, err := l.client.Net.Conn.Write(buf.Bytes())
		if err != nil {
			l.client.Stop(err)
			break
		}
		atomic.AddInt64(&l.box.hook.server.Info.BytesSent, int64(n))
		if buf.Cap() > 4*batchBytes {
			buf = new(bytes.Buffer) // one large message must not pin its size
		}
		buf.Reset()
	}
	l.box.mu.Lock()
	l.end()
	expelled := l.expelled
	l.box.mu.Unlock()
	if expelled {
		l.box.hook.log.Warn("a client that does not keep pace was disconnected", "client", l.client.ID)
		l.box.hook.Disconnect(l.client, packets.ErrQuotaExceeded)
	}
}

// fill waits for something to send and encodes it. It returns false when the
// link has ended.
func (l *link) fill(buf *bytes.Buffer) bool {
	b := l.box
	b.mu.Lock()
	for !l.ended && !l.ready() {
		b.changed.Wait()
	}
	if l.ended {
		b.mu.Unlock()
		return false
	}
	l.encodeAcks(buf)
	l.encodeQueue(buf)
	l.pulling = l.source()
	src := l.pulling
	b.changed.Broadcast() // there is room
	b.mu.Unlock()
	if src != nil {
		l.pull(src, buf)
	}
	return true
}

// ready says whether fill has work.
func (l *link) ready() bool {
	b := l.box
	switch {
	case len(b.acks) > 0:
		return true
	case len(b.resend) > 0:
		return b.awaiting() < l.window
	case len(b.queue) > 0 && l.room(b.queue[0].qos):
		return true
	}
	return l.source() != nil
}

// room says whether the client may be sent another message of this QoS.
func (l *link) room(qos byte) bool {
	return len(l.box.resend) == 0 && (qos == 0 || l.box.awaiting() < l.window)
}

func (l *link) encodeAcks(buf *bytes.Buffer) {
	b := l.box
	n := 0
	for n < len(b.acks) && buf.Len() < batchBytes {
		b.acks[n].encode(buf, l.peer)
		n++
	}
	b.acks = slices.Delete(b.acks, 0, n)
	atomic.AddInt64(&b.hook.server.Info.PacketsSent, int64(n))
}

func (l *link) encodeQueue(buf *bytes.Buffer) {
	b := l.box
	for len(b.resend) > 0 && b.awaiting() < l.window && buf.Len() < batchBytes {
		f := b.resend[0]
		b.resend = b.resend[1:]
		if f.released {
			ack{kind: packets.Pubrel, id: f.id}.encode(buf, l.peer)
		} else {
			l.encode(f.delivery, f.id, true, buf)
		}
	}
	n := 0
	for n < len(b.queue) && l.room(b.queue[n].qos) && buf.Len() < batchBytes {
		d := b.queue[n]
		b.queue[n] = delivery{} // let the message go
		n++
		b.bytes -= d.m.size
		l.dispatch(d, buf)
	}
	b.queue = b.queue[n:]
	if len(b.queue) == 0 {
		b.queue = nil
	}
}

// dispatch encodes one message that is not in the queue any more.
func (l *link) dispatch(d delivery, buf *bytes.Buffer) {
	if d.qos == 0 {
		l.encode(d, 0, false, buf)
		return
	}
	b := l.box
	f := &flight{delivery: d, id: b.nextID()}
	b.sent = append(b.sent, f)
	b.bytes += d.m.size
	l.encode(d, f.id, false, buf)
}

// encode encodes a message, or forgets it if it has expired or is too large
// for the client.
func (l *link) encode(d delivery, id uint16, dup bool, buf *bytes.Buffer) {
	ok, err := d.encode(buf, l.peer, id, dup)
	if !ok || err != nil {
		if id != 0 {
			l.box.forget(id)
		}
		return
	}
	info := l.box.hook.server.Info
	atomic.AddInt64(&info.PacketsSent, 1)
	atomic.AddInt64(&info.MessagesSent, 1)
}
