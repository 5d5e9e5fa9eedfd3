package sessions_test

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/mochi-mqtt/server/v2/packets"
)

// connect connects a client, whether it is connected or not.
func (r *run) connect(c *modelClient) {
	r.now = c.id + " connects"
	if c.wire != nil {
		c.wire.dead = true // what comes on the old connection is lost
	}
	conn, err := net.Dial("tcp", r.listen.Addr().String())
	if err != nil {
		r.m.fail("dial: %v", err)
		return
	}
	_ = conn.(*net.TCPConn).SetReadBuffer(4096) // a wish
	w := &wire{m: r.m, client: c, conn: conn, version: []byte{4, 5}[r.rand.IntN(2)], window: 1024, open: map[uint16]bool{}}
	clean, keep := r.rand.IntN(8) == 0, r.rand.IntN(4) > 0
	if w.version == 4 {
		clean = !keep
	}
	r.wires, c.wire = append(r.wires, w), w
	pk := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Connect},
		Connect:     packets.ConnectParams{ProtocolName: []byte("MQTT"), ClientIdentifier: c.id, Clean: clean},
	}
	if keep {
		pk.Properties.SessionExpiryInterval, pk.Properties.SessionExpiryIntervalFlag = 3600, true
	}
	if w.version == 5 {
		w.window = []int{1, 3, 20, 1000}[r.rand.IntN(4)]
		pk.Properties.ReceiveMaximum = uint16(w.window)
	}
	w.start()
	w.session = c.session // resumed messages come right behind CONNACK
	w.send(pk)
	r.wait("CONNACK", func() bool { return w.connack != nil })
	if r.m.fault != "" {
		return
	}
	r.connected(c, w, clean, keep)
}

// connected goes on with the session of the client, or begins a new one.
func (r *run) connected(c *modelClient, w *wire, clean, keep bool) {
	present := w.connack.SessionPresent
	switch s := c.session; {
	case present && (clean || s == nil):
		r.m.fail("there is a session, and there must not be")
	case !present && !clean && s != nil && s.persistent:
		r.m.fail("the session is gone")
	}
	if !present {
		r.forget(c.session)
		c.session = newSession(c.id)
		w.session = c.session
	}
	if keep && !c.session.persistent && present {
		c.session.since = r.m.now()
	}
	c.session.persistent = keep
	for _, p := range c.session.published {
		h := packets.FixedHeader{Type: packets.Pubrel, Qos: 1}
		pk := packets.Packet{FixedHeader: h, PacketID: p.id}
		if !p.released {
			pk.FixedHeader = packets.FixedHeader{Type: packets.Publish, Qos: p.m.qos, Dup: true}
			pk.TopicName, pk.Payload = p.m.topic, r.payload(p.m)
			p.m.again = p.m.again || p.m.qos == 1
		}
		w.send(pk)
	}
}

// forget notes that a session has ended.
func (r *run) forget(s *session) {
	if s == nil {
		return
	}
	for text := range s.subs {
		r.m.left[text] = true
	}
}

func (r *run) payload(m *sent) []byte {
	return []byte(fmt.Sprintf(`{"from":"%s %p","n":%d,"pad":"|%s"}`, m.from.client, m.from, m.n, strings.Repeat("x", m.n%13*m.n%1500)))
}

func (r *run) publish(c *modelClient) {
	s, w := c.session, c.wire
	qos := byte(r.rand.IntN(3))
	if qos > 0 && len(s.published) == modelWindow {
		return
	}
	s.n++
	m := &sent{from: s, n: s.n, topic: modelTopics[r.rand.IntN(len(modelTopics))], qos: qos, at: r.m.now()}
	r.now = fmt.Sprintf("%s publishes %d", c.id, m.n)
	payload := r.payload(m)
	key, _, _ := strings.Cut(string(payload), "|")
	r.m.messages[key] = m
	pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: qos}, TopicName: m.topic, Payload: payload}
	if qos > 0 {
		pk.PacketID = r.nextID(c)
		s.published = append(s.published, &publication{m: m, id: pk.PacketID})
	}
	w.send(pk)
}

func (r *run) nextID(c *modelClient) uint16 {
	for {
		c.id16 = c.id16%100 + 1
		if !slices.ContainsFunc(c.session.published, func(p *publication) bool { return p.id == c.id16 }) {
			return c.id16
		}
	}
}

func (r *run) subscribe(c *modelClient) {
	text, qos := modelFilters[r.rand.IntN(len(modelFilters))], byte(r.rand.IntN(3))
	sub := parseSubscription(text, qos, c.wire.version == 5 && !strings.HasPrefix(text, "$") && r.rand.IntN(4) == 0)
	r.now = fmt.Sprintf("%s subscribes to %s", c.id, text)
	if old := c.session.subs[text]; old != nil {
		c.session.gone = append(c.session.gone, old)
	}
	c.session.subs[text] = sub
	r.ask(c, packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: 1000,
		Filters: packets.Subscriptions{{Filter: text, Qos: qos, NoLocal: sub.noLocal}},
	})
	sub.at = r.m.now()
}

func (r *run) unsubscribe(c *modelClient) {
	text := modelFilters[r.rand.IntN(len(modelFilters))]
	r.now = fmt.Sprintf("%s unsubscribes from %s", c.id, text)
	if sub := c.session.subs[text]; sub != nil {
		c.session.gone = append(c.session.gone, sub)
		delete(c.session.subs, text)
		r.m.left[text] = true
	}
	r.ask(c, packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Unsubscribe, Qos: 1}, PacketID: 1000,
		Filters: packets.Subscriptions{{Filter: text}},
	})
}

// ask sends a packet and waits for its answer.
func (r *run) ask(c *modelClient, pk packets.Packet) {
	w := c.wire
	w.stalled, w.answer = false, nil
	w.send(pk)
	r.wait("an answer", func() bool { return w.answer != nil })
}

// kill ends a connection: in order, without a word, in the middle of a packet,
// or by a reset.
func (r *run) kill(c *modelClient) {
	w := c.wire
	c.wire = nil
	how := r.rand.IntN(4)
	r.now = fmt.Sprint(c.id, " is killed: ", how)
	switch how {
	case 0:
		w.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Disconnect}})
	case 1:
		w.out = append(w.out, packets.Publish<<4, 100, 0, 3, 'a')
	case 2:
		_ = w.conn.(*net.TCPConn).SetLinger(0) // a reset
		w.dead = true
	}
	w.stalled, w.hangUp = false, true
	r.m.changed.Broadcast()
	r.wait("the end of a connection", func() bool { return w.dead })
}

// crash takes the power away: what was not synced is there in part, or not at all.
// Nothing that clients are sent from here on has ever come.
func (r *run) crash() {
	r.now = "the server crashes"
	for _, w := range r.wires {
		w.dead = true
	}
	r.m.changed.Broadcast()
	r.n.fs = r.n.fs.(*vfs.MemFS).CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: r.rand.IntN(101), RNG: r.rand})
	r.m.mu.Unlock()
	r.n.stop()
	r.m.mu.Lock()
	r.n.start()
	for _, c := range r.clients {
		c.wire = nil
		if c.session == nil {
			continue
		}
		if c.session.persistent {
			c.session.crashed()
		} else {
			r.forget(c.session)
			c.session = nil
		}
	}
}
