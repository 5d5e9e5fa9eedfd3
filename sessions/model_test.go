package sessions_test

import (
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/ambitmq/ambit/topics"
)

// A model says what its clients may receive, and what they must have received
// in the end. Its time is a counter.
type model struct {
	mu       sync.Mutex // guards all of it, its clients included
	changed  *sync.Cond
	clock    int
	messages map[string]*sent // by payload up to the padding
	old      map[string]*sent // those before the last check
	left     map[string]bool  // groups that a member has left since the last check
	fault    string
}

func newModel() *model {
	m := &model{messages: map[string]*sent{}, old: map[string]*sent{}, left: map[string]bool{}}
	m.changed = sync.NewCond(&m.mu)
	return m
}

// A sent is a message that a client has published.
type sent struct {
	from  *session // of its publisher
	n     int      // of the messages of that session
	topic string
	qos   byte
	at    int  // when it was sent first
	acked bool // by PUBACK or PUBREC
	again bool // it was published twice at QoS 1, and may be delivered twice
}

// A session is what both ends know of a client until it starts clean.
type session struct {
	client     string
	persistent bool
	since      int // when it came to be persistent, if it was not
	excused    int // what was sent before may be lost
	subs       map[string]*subscription
	gone       []*subscription // what was unsubscribed since the last check
	got        map[*sent]bool
	past       map[*sent]bool   // what came before the last check
	exact      map[*sent]bool   // what came at QoS 2
	again      map[*sent]bool   // what came before a crash, and may come again
	last       map[*session]int // by publisher: the last message that came for the first time
	flights    map[uint16]*flight
	// published are the messages that are not acknowledged, in order.
	published []*publication
	n         int
}

func newSession(client string) *session {
	return &session{
		client: client, subs: map[string]*subscription{}, got: map[*sent]bool{}, last: map[*session]int{},
		past: map[*sent]bool{}, exact: map[*sent]bool{}, again: map[*sent]bool{},
		flights: map[uint16]*flight{},
	}
}

type subscription struct {
	share, topicFilter string
	qos                byte
	noLocal            bool
	at                 int // when it was granted, 0 before
}

// parseSubscription cuts a shared subscription into its parts.
func parseSubscription(text string, qos byte, noLocal bool) *subscription {
	s := &subscription{topicFilter: text, qos: qos, noLocal: noLocal}
	if rest, ok := strings.CutPrefix(text, "$share/"); ok {
		s.share, s.topicFilter, _ = strings.Cut(rest, "/")
	}
	return s
}

func (s *subscription) takes(m *sent, to *session) bool {
	return topics.Match(s.topicFilter, m.topic) && (!s.noLocal || m.from.client != to.client)
}

// A flight is a QoS 1 or 2 message that its receiver has not done with.
type flight struct {
	m   *sent
	on  *wire // where it came last
	qos byte
}

// A publication is one that its publisher has not done with.
type publication struct {
	m        *sent
	id       uint16
	released bool // PUBREC came
}

func (m *model) fail(format string, args ...any) {
	if m.fault == "" {
		m.fault = fmt.Sprintf(format, args...)
	}
	m.changed.Broadcast()
}

func (m *model) now() int {
	m.clock++
	return m.clock
}

// arrived judges a PUBLISH that a session receives on a connection.
func (m *model) arrived(s *session, on *wire, key, topic string, id uint16, qos byte, dup bool) {
	msg := m.messages[key]
	if old := m.old[key]; old != nil && (s.again[old] || dup && qos == 2 && s.flights[id] != nil && s.flights[id].m == old) {
		m.lands(s, on, old, id, qos, dup)
		return
	}
	if msg == nil || msg.topic != topic {
		if old := m.old[key]; old != nil {
			m.fail("%s received %s on %s of before the last check again, before %v, at QoS 2 %v", s.client, key, topic, s.past[old], s.exact[old])
			return
		}
		m.fail("%s received %s on %s, which nobody has published", s.client, key, topic)
		return
	}
	most, allowed := byte(0), false
	for _, sub := range s.allSubs() {
		if sub.takes(msg, s) {
			most, allowed = max(most, sub.qos), true
		}
	}
	first := !s.got[msg]
	switch {
	case !allowed:
		m.fail("%s received %s on %s, to which it has not subscribed", s.client, key, topic)
	case qos > min(most, msg.qos):
		m.fail("%s received %s at QoS %d, it was published at %d and subscribed at %d", s.client, key, qos, msg.qos, most)
	case dup && (qos == 0 || msg.at > on.at):
		m.fail("%s received %s for the first time, with DUP", s.client, key)
	case first && msg.n <= s.last[msg.from] && (!msg.again && s.excused == 0 || s.mustGet(msg)): // the first copy may have gone to nobody or another member
		m.fail("%s received %s on %s at QoS %d of %d behind %d", s.client, key, topic, qos, msg.qos, s.last[msg.from])
	case !first && !msg.again && !s.again[msg] && (!dup || qos == 2 && s.flights[id] == nil):
		m.fail("%s received %s twice at QoS %d, DUP %v", s.client, key, qos, dup)
	}
	if s.got[msg] = true; first {
		s.last[msg.from] = msg.n
	}
	m.lands(s, on, msg, id, qos, dup)
}

// lands notes a message that a session has to acknowledge.
func (m *model) lands(s *session, on *wire, msg *sent, id uint16, qos byte, dup bool) {
	if qos == 0 || !m.flies(s, on, msg, id, dup) {
		return
	}
	if qos == 2 {
		s.exact[msg] = true
	}
	s.flights[id] = &flight{msg, on, qos}
	on.open[id] = true
	if len(on.open) > on.window {
		m.fail("%s has %d messages to acknowledge, its Receive Maximum is %d", s.client, len(on.open), on.window)
	}
}

// flies judges the packet identifier of a message.
func (m *model) flies(s *session, on *wire, msg *sent, id uint16, dup bool) bool {
	old := s.flights[id]
	switch {
	case id == 0:
		m.fail("the packet identifier is 0")
	case old == nil:
	case old.m != msg:
		m.fail("%s received %d with the packet identifier %d of %d", s.client, msg.n, id, old.m.n)
	case old.on == on:
		m.fail("%s received %d twice on one connection", s.client, msg.n)
	case !dup:
		m.fail("%s received %d again without DUP", s.client, msg.n)
	}
	return m.fault == ""
}

// allSubs are the subscriptions that a session has, or had since the last check.
func (s *session) allSubs() []*subscription {
	all := s.gone
	for _, sub := range s.subs {
		all = append(all[:len(all):len(all)], sub)
	}
	return all
}

// check holds that what was acknowledged to its publisher has come to every
// session that subscribed before, and to one session of each group, and that no
// exchange is left half done. It is called when nothing is in flight.
func (m *model) check(all []*session) {
	groups := map[string][]*session{}
	for _, s := range all {
		for id := range s.flights {
			m.fail("%s has not been told that %d is released", s.client, id)
		}
		for text, sub := range s.subs {
			if sub.share != "" {
				groups[text] = append(groups[text], s)
			}
		}
	}
	for key, msg := range m.messages {
		if !msg.acked {
			continue
		}
		for _, s := range all {
			if s.mustGet(msg) && !s.got[msg] {
				m.fail("%s has not received %s on %s at QoS %d", s.client, key, msg.topic, msg.qos)
			}
		}
		for text, members := range groups {
			if !m.left[text] {
				m.checkGroup(key, msg, text, members)
			}
		}
	}
	maps.Copy(m.old, m.messages)
	m.messages, m.left = map[string]*sent{}, map[string]bool{}
	for _, s := range all {
		maps.Copy(s.past, s.got)
		s.gone, s.got = nil, map[*sent]bool{}
	}
}

// crashed notes what the server's crash allows: what came at QoS 1 may come again,
// as another message. What came at QoS 2 may not.
func (s *session) crashed() {
	s.excused = max(s.since, 1)
	maps.Copy(s.past, s.got)
	for msg := range s.past {
		s.again[msg] = !s.exact[msg]
	}
	for id, f := range s.flights {
		if f.qos == 1 {
			delete(s.flights, id)
		}
	}
}

func (s *session) mustGet(msg *sent) bool {
	for _, sub := range s.subs {
		if sub.share == "" && sub.takes(msg, s) && sub.at > 0 && sub.at < msg.at && msg.at > s.excused && min(sub.qos, msg.qos) > 0 {
			return true
		}
	}
	return false
}

// checkGroup holds that one member of a group has a message, if all could have
// kept it.
func (m *model) checkGroup(key string, msg *sent, text string, members []*session) {
	got := 0
	for _, s := range members {
		sub := s.subs[text]
		if !topics.Match(sub.topicFilter, msg.topic) || min(sub.qos, msg.qos) == 0 || sub.at == 0 || sub.at > msg.at || s.excused > msg.at || !s.persistent {
			return
		}
		if s.got[msg] {
			got++
		}
	}
	if got == 0 {
		m.fail("nobody in %s has received %s on %s at QoS %d", text, key, msg.topic, msg.qos)
	}
	if got > 1 && !msg.again {
		m.fail("%d members of %s have received %s", got, text, key)
	}
}
