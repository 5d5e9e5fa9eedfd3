package sessions

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// A session is what Ambit knows of one client identifier, connected or not.
type session struct {
	id  string
	box *outbox
	// pending counts the publishes of the client that are in the pipeline. As long
	// as there are any, later ones queue up behind them, so that all are
	// acknowledged and delivered in order [MQTT-4.6.0-2], [MQTT-4.6.0-6].
	pending atomic.Int32
	// persistent says that it outlives its connection, and the process.
	persistent atomic.Bool
	// keeping is held while records of subscriptions are made and appended, so that
	// they are written in that order.
	keeping sync.Mutex
	// unstored says that the store could not be told of it, and may have what there was
	// before. Whoever has the turn reads and writes it.
	unstored bool

	mu     sync.Mutex // guards what follows
	record persistence.Session
	client *Client // nil while it is away
	// connections is how many there were, the present one included: what is due
	// for an absence is not for the next one.
	connections int
	ended       bool
	subs        map[string]*Subscription // by topic filter as typed; see Engine.put and Engine.take
	rooms       int                      // of subs, those that are not plain
	cost        int                      // of their conditions
	told        atomic.Int64             // refusals that the speed of its client does not know of
	// unfinished are the topic filters whose snapshot the last connection did not
	// get to its end.
	unfinished []string
	// received are the QoS 2 publishes of the client that await its PUBREL, by
	// packet identifier.
	received map[uint16]*publication
	// will is the message that the connection leaves behind; delayed is when it is
	// due once the connection is gone, and expiring when the session ends.
	will              *Message
	willDelay         time.Duration
	delayed, expiring *date
	// refusals counts the refused publishes since the last one that was logged.
	refusals   int
	refusalLog time.Time
	fault      *Fault
}

// A Subscription is one topic filter that a session subscribed to.
type Subscription struct {
	To      topics.Filter
	Target  Target
	request request
	// identifier is the subscription identifier, and ids the same as it is written.
	identifier uint32
	ids        []byte
	feed       *feed // nil for a plain one
	cost       int   // what the session has counted for it
}

func (s *Subscription) qos() byte { return s.request.qos() }

// resumes says whether a client that comes back is told what it missed, from the
// change log.
func (s *Subscription) resumes() bool {
	return s.Target.Kind == topics.Scope || s.Target.Kind == topics.Room && s.qos() > 0
}

// isPlain says whether the tree has the subscription, and not the handler.
func (s *Subscription) isPlain() bool { return s.Target.Kind == topics.Plain }

// record returns the subscription as the store keeps it.
func (s *Subscription) record(client string, m mark) persistence.Record {
	r := persistence.Subscription{
		ClientID: client, TopicFilter: s.request.topicFilter, QoS: s.qos(),
		NoLocal: s.request.noLocal(), RetainAsPublished: s.request.asPublished(),
		RetainHandling: s.request.retainHandling(), Identifier: s.identifier,
		Seen: m.seen, HasSeen: m.ok,
	}
	r.Volatile = s.Target.Volatile
	switch {
	case m.filter != "":
		r.Filter = []byte(m.filter)
	case s.Target.Filter != "":
		r.Filter = []byte(s.Target.Filter)
	}
	return persistence.PutSubscription(r)
}

// sub returns the subscription with this topic filter.
func (s *session) sub(topicFilter string) *Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.subs[topicFilter]
}

// begin gives a connection its session: the one that is there, which is
// resumed, or a new one if there is none or the client wants a clean start. A
// connection that it has is taken over. What has to be is on disk then.
func (e *Engine) begin(c *Client) (s *session, resumed bool, err error) {
	if err := e.owns(c); err != nil {
		return nil, false, err
	}
	if err := e.mayHave(c); err != nil {
		return nil, false, err
	}
	s, resumed, stored := e.resume(c, e.expiry(c) > 0)
	c.session, c.link.box = s, s.box
	c.flushes.reader, c.flushes.effort = s.box, &c.effort
	s.box.grant(c.Rights)
	e.takeOver(s, c)
	e.mu.Lock()
	e.clients[c] = true
	e.counts.mostConnected.Store(max(e.counts.mostConnected.Load(), int64(len(e.clients))))
	leaving := e.leaving
	e.mu.Unlock()
	if leaving != nil {
		err = leaving
	} else if e.h.Still(c) != nil { // from here on, Recheck sees it
		err = &Error{packets.ErrNotAuthorized.Code, "the client may stay no longer"}
	} else {
		err = e.keepConnected(s, c, resumed, stored)
	}
	if err == nil {
		e.arrive(c, resumed)
	}
	s.unstored = err != nil && (s.unstored || !resumed || !stored) // else it is there as it was
	return s, resumed && err == nil, err
}

// keepConnected has the store know of the session of a connection as it is now. stored
// says that it has one of this client, which may be another one.
func (e *Engine) keepConnected(s *session, c *Client, resumed, stored bool) error {
	expiry := e.expiry(c)
	anew := s.unstored || !resumed || !stored // the store has nothing of this one
	ends := stored && (anew || expiry == 0)
	if s.unstored {
		s.box.account(false)
	}
	s.box.account(expiry > 0)
	if ends {
		if err := e.append(&persistence.Op{Records: []persistence.Record{persistence.DeleteSession(s.id)}}); err != nil {
			return err
		}
	}
	if err := e.adopt(s.box); err != nil {
		return err
	}
	record := s.keep(func(r *persistence.Session) {
		*r = persistence.Session{
			ClientID: c.ClientID, User: c.User, ProtocolVersion: c.Version, Clean: c.Clean, ExpirySeconds: expiry, Life: s.box.life.Load(),
		}
		r.Identity = e.h.Stored(c)
	})
	var records []persistence.Record
	if expiry > 0 {
		records = append(records, record)
	}
	if expiry > 0 && resumed && anew {
		records = append(records, s.subscriptionRecords(e.applied.Load())...)
		records = append(append(records, s.receivedRecords()...), s.box.flightRecords()...)
	}
	if len(records) == 0 && !ends {
		return nil
	}
	return e.submit(&persistence.Op{Records: records})
}

// resume returns the session for a CONNECT. stored says that there was one
// before that outlived its connections.
func (e *Engine) resume(c *Client, persistent bool) (s *session, resumed, stored bool) {
	old := e.session(c.ClientID)
	if old != nil {
		old.mu.Lock()
		stored = old.persistent.Load()
		resumed = !c.Clean && old.record.User == c.User && !old.ended && old.outlives() && old.box.resume()
		if resumed {
			old.persistent.Store(persistent)
		}
		old.mu.Unlock()
	}
	if resumed {
		return old, true, stored
	}
	if old != nil {
		e.leaveAll(old)
	}
	s = e.newSession(c.ClientID, persistent)
	s.record.User = c.User
	e.mu.Lock()
	e.sessions[c.ClientID] = s
	e.mu.Unlock()
	return s, false, stored
}

// outlives says whether the session would go on after its connection. Before
// MQTT 5, one with Clean Session does not, even if another connection asks for
// it while it lasts.
func (s *session) outlives() bool { return s.record.ProtocolVersion == 5 || !s.record.Clean }

func (e *Engine) newSession(id string, persistent bool) *session {
	s := &session{
		id: id, box: newOutbox(e, id),
		subs: map[string]*Subscription{}, received: map[uint16]*publication{},
	}
	s.persistent.Store(persistent)
	s.box.keep, s.box.ledger.open = persistent, persistent
	return s
}

// takeOver gives a session to a connection. If it has another one, that ends,
// and its will is due now or never.
func (e *Engine) takeOver(s *session, c *Client) {
	s.mu.Lock()
	old := s.client
	s.cancelDates(e)
	left := s.will
	if s.willDelay > 0 {
		left = nil // [MQTT-3.1.3-9]: the session goes on before the delay has passed
	}
	s.client = c
	s.connections++
	s.will, s.willDelay = c.Will, c.WillDelay
	s.mu.Unlock()
	e.publishWill(s.id, left)
	if old != nil {
		e.retire(s, old)
	}
}

// retire takes the session from a connection that another one replaces
// [MQTT-3.1.4-3]. It waits for the packet that is being handled, the last one.
func (e *Engine) retire(s *session, old *Client) {
	old.end(&Error{packets.ErrSessionTakenOver.Code, "another connection has taken the session over"})
	old.handling.Lock()
	defer old.handling.Unlock()
	e.letGo(s, old.link)
	e.part(old)
}

// letGo ends the outbox's use of a connection. Until there is another one, the
// session's rooms are not told anything.
func (e *Engine) letGo(s *session, l *link) {
	subs := slices.DeleteFunc(s.subscriptions(), func(sub *Subscription) bool { return sub.feed == nil })
	feeds := make([]*feed, len(subs))
	for i, sub := range subs {
		feeds[i] = sub.feed
	}
	unfinished, closed := s.box.close(l, feeds, e.applied.Load())
	if !closed {
		return // another connection has it
	}
	s.leaveUnfinished(unfinished)
	for _, sub := range subs {
		if sub.resumes() {
			e.h.Pause(s.id, sub.To, sub.Target)
		}
	}
}

// keep notes what the store is to know of the session, and returns it.
func (s *session) keep(change func(*persistence.Session)) persistence.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.record)
	s.record.Will = s.will.asWill(s.willDelay)
	return persistence.PutSession(s.record)
}

// finish forgets a session: it leaves its rooms, and its will is due.
func (e *Engine) finish(s *session) {
	e.mu.Lock()
	if e.sessions[s.id] == s {
		delete(e.sessions, s.id)
	}
	e.mu.Unlock()
	e.leaveAll(s)
}

// leaveAll ends the subscriptions of a session, and the connection that it may
// still have. A will that still waits is due: the session ends before its delay
// has passed [MQTT-3.1.3-9].
func (e *Engine) leaveAll(s *session) {
	s.mu.Lock()
	subs, client := e.takeAll(s), s.client
	s.client, s.ended = nil, true
	s.cancelDates(e)
	left := s.will
	s.will = nil
	s.mu.Unlock()
	s.box.end()
	if client != nil {
		e.retire(s, client)
	}
	for _, sub := range subs {
		e.end(s, sub)
	}
	e.publishWill(s.id, left)
}

// end ends a subscription, and what its feed was about to do.
func (e *Engine) end(s *session, sub *Subscription) {
	e.leave(s, sub)
	if sub.feed != nil {
		s.box.mu.Lock()
		defer s.box.mu.Unlock()
		sub.feed.dropShift()
	}
}

// leave has a session told nothing more by a subscription.
func (e *Engine) leave(s *session, sub *Subscription) {
	if sub.isPlain() {
		e.tree.remove(sub.To.Text, sub.To.Share, s)
	} else {
		e.h.Leave(s.id, sub.To, sub.Target)
	}
}

// cancelDates takes back what was to come of an absent client. The caller holds
// s.mu.
func (s *session) cancelDates(e *Engine) {
	e.schedule.cancel(s.delayed)
	e.schedule.cancel(s.expiring)
	s.delayed, s.expiring = nil, nil
}

func (s *session) stopDates(e *Engine) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancelDates(e)
}

// has says whether the session is that of a connection.
func (s *session) has(c *Client) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.client == c
}

// connected says whether the session has a connection.
func (s *session) connected() bool { return !s.has(nil) }

// subscriptions returns those that there are now.
func (s *session) subscriptions() []*Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.subs))
}

// subscriptionRecords returns all subscriptions as the store keeps them.
func (s *session) subscriptionRecords(applied uint64) []persistence.Record {
	var records []persistence.Record
	for _, sub := range s.subscriptions() {
		m, _ := s.box.takeMark(sub.feed, applied)
		records = append(records, sub.record(s.id, m))
	}
	return records
}

// leaveUnfinished notes the topic filters of snapshots that were cut off.
func (s *session) leaveUnfinished(topicFilters []string) {
	if len(topicFilters) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unfinished = append(s.unfinished, topicFilters...)
}

// takeUnfinished returns the subscriptions whose snapshot must be sent again,
// because it was cut off, or is out of date.
func (s *session) takeUnfinished() []*Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	var subs []*Subscription
	for _, sub := range s.subs {
		again := sub.Target.Kind == topics.Presence // what it was told while the client was away is lost
		if again || slices.Contains(s.unfinished, sub.To.Text) || s.box.lacks(sub.feed) {
			subs = append(subs, sub)
		}
	}
	s.unfinished = nil
	return subs
}
