package sessions

import (
	"iter"
	"slices"

	"github.com/ambitmq/ambit/persistence"
)

// A waiting is a QoS 1 or 2 message that is put into the store for sessions that
// outlive the process, before its publisher is answered. Who they are is found when
// the message comes, and it is delivered to whoever has subscribed when its turn in
// the pipeline comes: those who subscribe between the two are given it, too, and
// lose it if the process ends before they have it, as if they had subscribed after it.
type waiting struct {
	number  uint64
	waiters []waiter
	size    int64 // that each of them is promised
	// While the message is handed over, next is behind the last waiter that was looked
	// for, and at where they all are, or nil.
	next int
	at   map[waiterKey]int
	// counted is how often each session is among the first known waiters, or nil.
	counted map[*session]uint16
	known   int
}

// A waiter is a session that a message waits for: by its own subscriptions, or as
// the member of a group whom its turn has come to.
type waiter struct {
	match     match
	group     *group
	life      uint64
	copy      uint16
	delivered bool
}

// awaited returns for whom a message has to wait, or nil. c lends its scratch room;
// it may be nil.
func (e *Engine) awaited(m *Message, c *Client) *waiting {
	if m.QoS == 0 {
		return nil
	}
	var leaves []*leaf
	if c != nil {
		leaves = c.leaves[:0]
	}
	leaves = e.tree.match(leaves, m.Topic)
	if c != nil {
		c.leaves, c.matched = leaves, true
	}
	if !slices.ContainsFunc(leaves, (*leaf).mayKeep) {
		return nil
	}
	w := &waiting{}
	if len(leaves) == 1 {
		w.addAll(leaves[0].members.Load(), m)
	} else {
		for _, to := range gather(nil, leaves, m, true) {
			w.add(to, nil)
		}
	}
	for _, l := range leaves {
		if groups := l.groups.Load(); groups != nil {
			for _, g := range *groups {
				if member, ok := e.choose(m, g); ok {
					w.add(member.sub.match(member.session), g)
				}
			}
		}
	}
	if len(w.waiters) == 0 {
		return nil
	}
	return w
}

// mayKeep says whether a message may have to wait for anybody there.
func (l *leaf) mayKeep() bool {
	if mayKeep(l.members.Load()) {
		return true
	}
	if groups := l.groups.Load(); groups != nil {
		for _, g := range *groups {
			if mayKeep(g.members.Load()) {
				return true
			}
		}
	}
	return false
}

func mayKeep(members *[]member) bool {
	return members != nil && slices.ContainsFunc(*members, func(m member) bool {
		return m.sub.qos() > 0 && m.session.persistent.Load()
	})
}

// addAll adds the sessions of one leaf, in which nobody is twice.
func (w *waiting) addAll(members *[]member, m *Message) {
	if members == nil {
		return
	}
	for i := range *members {
		s, sub := (*members)[i].session, (*members)[i].sub
		if m.skips(s, sub) {
			continue
		}
		if s.persistent.Load() && sub.qos() > 0 {
			w.add(sub.match(s), nil)
		}
	}
}

// add adds a session, if the message has to wait for it. Whom a group has chosen is
// noted in any case.
func (w *waiting) add(to match, g *group) {
	waits := to.qos > 0 && to.session.persistent.Load()
	if !waits && g == nil {
		return
	}
	n := waiter{match: to, group: g, life: to.session.box.life.Load(), delivered: !waits}
	if g != nil {
		n.copy = w.copies(to.session)
	}
	w.waiters = append(w.waiters, n)
}

// fewWaiters is how many are looked through one by one.
const fewWaiters = 16

// copies returns how often a session is there already.
func (w *waiting) copies(s *session) uint16 {
	if len(w.waiters) < fewWaiters {
		n := uint16(0)
		for i := range w.waiters {
			if w.waiters[i].match.session == s {
				n++
			}
		}
		return n
	}
	if w.counted == nil {
		w.counted = map[*session]uint16{}
	}
	for ; w.known < len(w.waiters); w.known++ {
		w.counted[w.waiters[w.known].match.session]++
	}
	return w.counted[s]
}

// queue returns what the store is told, or nil for a message that waits for nobody.
func (w *waiting) queue(m *Message) *persistence.Queue {
	q := &persistence.Queue{Message: m.stored()}
	for i := range w.waiters {
		if n := &w.waiters[i]; !n.delivered {
			q.Recipients = append(q.Recipients, persistence.Recipient{
				ClientID: n.match.session.id, Life: n.life, Copy: n.copy,
				QoS: min(m.QoS, n.match.qos), Retain: m.Retain && n.match.asPublished, Identifiers: n.match.ids,
			})
		}
	}
	if len(q.Recipients) == 0 {
		return nil
	}
	return q
}

// chosen returns whom a group has chosen for the message, and whether it waits for
// him.
func (w *waiting) chosen(g *group) (s *session, waits bool) {
	if w == nil {
		return nil, false
	}
	for i := range w.waiters {
		if n := &w.waiters[i]; n.group == g {
			return n.match.session, !n.delivered
		}
	}
	return nil, false
}

// manyWaiters is from how many on a message's sessions are looked up in a map.
const manyWaiters = 16

// A waiterKey says whom a delivery is for.
type waiterKey struct {
	session *session
	group   *group
}

func (n *waiter) key() waiterKey { return waiterKey{n.match.session, n.group} }

// find returns the waiter that a delivery is for, or nil. Most often it is the one
// behind the last one: the same members are gone through in the same order.
func (w *waiting) find(to waiterKey) *waiter {
	i, ok := w.next, w.next < len(w.waiters) && w.waiters[w.next].key() == to
	switch {
	case ok:
	case len(w.waiters) < manyWaiters:
		i = slices.IndexFunc(w.waiters, func(n waiter) bool { return n.key() == to })
		ok = i >= 0
	default:
		if w.at == nil {
			w.at = make(map[waiterKey]int, len(w.waiters))
			for i := range w.waiters {
				w.at[w.waiters[i].key()] = i
			}
		}
		i, ok = w.at[to]
	}
	if !ok {
		return nil
	}
	w.next = i + 1
	return &w.waiters[i]
}

// mark gives a delivery the number that the message has for a session.
func (w *waiting) mark(d *delivery, to waiterKey) {
	if w == nil {
		return
	}
	n := w.find(to)
	if n == nil || n.delivered {
		return
	}
	n.delivered = true
	d.number, d.life, d.copy = w.number, n.life, n.copy
	d.qos = min(d.m.QoS, n.match.qos) // as it is stored, whatever the session has subscribed to since
}

// rest yields those who have unsubscribed since: the message was published before, as
// far as the store knows.
func (w *waiting) rest() iter.Seq2[match, *group] {
	return func(yield func(match, *group) bool) {
		if w == nil {
			return
		}
		for i := range w.waiters {
			if n := &w.waiters[i]; !n.delivered && !yield(n.match, n.group) {
				return
			}
		}
	}
}
