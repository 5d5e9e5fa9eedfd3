package sessions

import (
	"hash/fnv"
	"io"
	"slices"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// A match is what one session's subscriptions say of a message: together they
// are one delivery [MQTT-3.3.4-2].
type match struct {
	session     *session
	qos         byte
	asPublished bool
	ids         []byte
	feed        *feed
}

// match returns what the subscription of a session says of any message.
func (s *Subscription) match(of *session) match {
	return match{session: of, qos: s.qos(), asPublished: s.request.asPublished(), ids: s.ids, feed: s.feed}
}

// fanOut delivers a message to those whose topic filters match. c lends its
// scratch room; it may be nil, and so may w, if the message is not in the store.
func (e *Engine) fanOut(m *Message, w *waiting, f *flushes, c *Client) {
	var leaves []*leaf
	var matches []match
	if c != nil {
		leaves, matches = c.leaves, c.matches[:0]
	}
	if c == nil || !c.matched {
		leaves = e.tree.match(leaves[:0], m.Topic)
	}
	if len(leaves) == 1 {
		// Nobody is in one leaf twice.
		if members := leaves[0].members.Load(); members != nil {
			for i := range *members {
				if s, sub := (*members)[i].session, (*members)[i].sub; !m.skips(s, sub) {
					e.deliver(m, sub.match(s), w, nil, f)
				}
			}
		}
	} else {
		matches = gather(matches, leaves, m, false)
		for i := range matches {
			e.deliver(m, matches[i], w, nil, f)
		}
	}
	for _, l := range leaves {
		if groups := l.groups.Load(); groups != nil {
			for _, g := range *groups {
				e.share(m, g, w, f)
			}
		}
	}
	for to, g := range w.rest() {
		e.deliver(m, to, w, g, f)
	}
	if c != nil {
		clear(matches)
		c.leaves, c.matches, c.matched = leaves, matches, false
	}
}

// manyMatches is from how many on sessions are looked up in a map.
const manyMatches = 32

// gather appends what the members of all leaves are to get, or only those whose
// sessions are kept.
func gather(matches []match, leaves []*leaf, message *Message, kept bool) []match {
	var places map[*session]int
	for _, l := range leaves {
		members := l.members.Load()
		if members == nil {
			continue
		}
		for i := range *members {
			s, sub := (*members)[i].session, (*members)[i].sub
			switch {
			case message.skips(s, sub): // another of its subscriptions may do
				continue
			case kept && !s.persistent.Load():
				continue
			}
			if places == nil && len(matches) >= manyMatches {
				places = make(map[*session]int, 2*manyMatches)
				for i := range matches {
					places[matches[i].session] = i
				}
			}
			matches = merge(matches, places, s, sub)
		}
	}
	return matches
}

func merge(matches []match, places map[*session]int, s *session, sub *Subscription) []match {
	at, known := 0, false
	if places != nil {
		at, known = places[s]
	} else {
		at = slices.IndexFunc(matches, func(m match) bool { return m.session == s })
		known = at >= 0
	}
	if !known {
		if places != nil {
			places[s] = len(matches)
		}
		return append(matches, sub.match(s))
	}
	old := &matches[at]
	old.qos = max(old.qos, sub.qos()) // [MQTT-3.3.4-2]
	old.asPublished = old.asPublished || sub.request.asPublished()
	if len(sub.ids) > 0 {
		old.ids = append(slices.Clip(old.ids), sub.ids...) // [MQTT-3.3.4-4]
	}
	return matches
}

// deliver gives a message to one session, as the member of a group or not.
func (e *Engine) deliver(m *Message, to match, w *waiting, g *group, f *flushes) {
	e.counts.messagesOut.Add(1)
	d := delivery{
		m: m, qos: min(m.QoS, to.qos), // [MQTT-3.8.4-8]
		retain: m.Retain && to.asPublished, // [MQTT-3.3.1-12], [MQTT-3.3.1-13]
		ids:    to.ids,
		feed:   to.feed,
	}
	w.mark(&d, waiterKey{to.session, g})
	to.session.box.push(d, f)
}

// share gives a message to one member of a group: the one for whom it waits in the
// store, or one that is chosen now.
func (e *Engine) share(m *Message, g *group, w *waiting, f *flushes) {
	to, ok := member{}, false
	chosen, waits := w.chosen(g)
	if chosen != nil {
		to, ok = g.member(chosen)
	}
	if ok && !waits && chosen.box.isGone() {
		ok = false // since it was chosen
	}
	if !ok && !waits {
		to, ok = e.choose(m, g)
	}
	if ok && !to.session.box.sees(m) { // it waits in vain, for what the document has turned out to be
		e.deliver(m, to.sub.match(to.session), w, g, f)
		to, ok = e.choose(m, g)
		w = nil
	}
	if ok {
		e.deliver(m, to.sub.match(to.session), w, g, f)
	}
}

// member returns the member of a group that a session is.
func (g *group) member(s *session) (member, bool) {
	if p := g.members.Load(); p != nil {
		for _, m := range *p {
			if m.session == s {
				return m, true
			}
		}
	}
	return member{}, false
}

// choose returns the member of a group that a message goes to: one who is connected
// and can take it now; else one for whom it can wait, best one who is connected.
// Of several, it is the next one's turn, or that of the one to whom the key belongs.
func (e *Engine) choose(m *Message, g *group) (member, bool) {
	p := g.members.Load()
	if p == nil || len(*p) == 0 {
		return member{}, false
	}
	members := *p
	turn, key := 0, e.options().SharedBy.key(m)
	if key == "" {
		turn = int(g.turn.Add(1))
	}
	best, how, most := 0, -1, uint64(0)
	for i := range members {
		at := (turn + i) % len(members)
		if !members[at].session.box.sees(m) {
			continue
		}
		to := members[at].sub.match(members[at].session)
		r, claim := to.session.box.readiness(m, min(m.QoS, to.qos)), uint64(0)
		if key != "" {
			claim = claimOf(to.session.id, key)
		}
		if r > how || r == how && claim > most {
			best, how, most = at, r, claim
		}
		if how == ready && key == "" {
			g.turn.Add(uint32(i)) // whoever was passed over has had his turn
			break
		}
	}
	return members[best], how >= 0
}

// SharedBy says which messages of a shared subscription go to the same member,
// as long as it is there.
type SharedBy string

const (
	// InTurn shares messages out one by one.
	InTurn SharedBy = "turn"
	// ByTopic gives all messages of a topic to one member.
	ByTopic SharedBy = "topic"
	// ByPublisher gives all messages of a client to one member.
	ByPublisher SharedBy = "publisher"
)

// key returns what decides to whom a message belongs, or "" if nothing does.
func (s SharedBy) key(m *Message) string {
	switch s {
	case ByTopic:
		return m.Topic
	case ByPublisher:
		return m.From
	case InTurn:
	}
	return ""
}

// claimOf returns how much a member wants a key: whoever wants it most has it.
// When a member comes or goes, no other keys move than those that it wins or
// leaves (rendezvous hashing).
func claimOf(member, key string) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, member) // a hash takes everything
	_, _ = h.Write([]byte{0})
	_, _ = io.WriteString(h, key)
	return h.Sum64() * 0x9e3779b97f4a7c15 // FNV alone hardly mixes the last bytes
}

// How ready a session is to be given a message that another may be given.
const (
	gone   = iota // it would lose the message
	absent        // it would lose one of QoS 0
	full          // it would have to be waited for, and may end for it
	slow
	ready
)

// readiness says how ready a session is for a message.
func (b *outbox) readiness(m *Message, qos byte) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch l := b.online(); {
	case l == nil && !b.keep:
		return gone
	case l == nil:
		return absent
	case b.crowded(m.size(), &flushes{}):
		return full
	case !l.free(qos) || !l.hasWindow(qos):
		return slow
	}
	return ready
}

// isGone says whether a message would be lost.
func (b *outbox) isGone() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.online() == nil && !b.keep
}

// Deliver gives a message to the sessions that subscribed to a topic filter by
// which a handler's target is known. Only whoever drains the store's tail may
// call it; it goes out with [Engine.Flush].
func (e *Engine) Deliver(topicFilter string, members []string, m *Message) {
	for _, id := range members {
		s := e.session(id)
		if s == nil {
			continue
		}
		sub := s.sub(topicFilter)
		if sub == nil || sub.isPlain() || m.skips(s, sub) {
			continue
		}
		to := sub.match(s)
		if m.Seq == 0 {
			to.feed = nil // of no change, it has no place in the sequence
		}
		e.deliver(m, to, nil, nil, &e.tail)
	}
}

// Announce has an op be told as a message to those whose topic filters match, before
// its Applied is called: m with the body that its write makes, if it has one, and
// empty if that deletes. A write that changes nothing is not told. It is called before
// the op is appended, and for sessions that are away the message is in the op.
func (e *Engine) Announce(op *persistence.Op, m *Message) {
	w := e.awaited(m, nil)
	if w != nil {
		if op.Queue = w.queue(m); op.Queue != nil {
			op.Queue.OfWrite = op.Write != nil
		}
	}
	applied := op.Applied
	op.Applied = func(r *persistence.Result) {
		told := *m
		if r.Change != nil && r.Change.After != nil {
			told.Payload = r.Change.After.Body
		}
		told.Subject = e.about(r.Change)
		if r.Err == nil && (op.Write == nil || r.Change != nil) {
			if w != nil {
				w.number = r.Queued
			}
			e.fanOut(&told, w, &e.tail, nil)
		}
		applied(r)
	}
}

// Flush sends what was delivered since it was last called: everything up to the
// change with a sequence number. Whoever drains the store's tail calls it when
// there is nothing left to apply at once.
func (e *Engine) Flush(seq uint64) {
	e.applied.Store(seq)
	e.tail.flush()
}

// isRoom says whether a target is told of changes.
func (t Target) isRoom() bool { return t.Kind == topics.Room || t.Kind == topics.Scope }

// delivery returns an op that delivers a message when its turn comes.
func (e *Engine) delivery(m *Message) *persistence.Op {
	return &persistence.Op{Bytes: m.size(), Applied: func(r *persistence.Result) {
		if r.Err == nil {
			e.fanOut(m, nil, &e.tail, nil)
		}
	}}
}
