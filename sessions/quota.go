package sessions

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/limits"
	"github.com/ambitmq/ambit/persistence"
)

// Quotas bound what one client may have, and what all may have together. 0 and nil are no
// limit.
type Quotas struct {
	// UserConnections is how many connections one user may have.
	UserConnections int
	// Sessions is how many there may be, those of absent clients included.
	Sessions int
	// Subscriptions is how many one session may have, and Rooms how many of them to rooms,
	// scopes and the like; AllSubscriptions is how many all sessions may have.
	Subscriptions, Rooms, AllSubscriptions int
	// RoomCost is what the conditions of all of a session's rooms may cost together.
	RoomCost int
	// Retained is how many retained messages there may be.
	Retained int64
	// Publishes, Bytes and Subscribes are the rates at which messages, bytes of any packets, and
	// topic filters of SUBSCRIBE and UNSUBSCRIBE are read from one client. A client that is
	// faster is not read for a while.
	Publishes, Bytes, Subscribes []limits.Rate
	// Refusals are the rates at which one client may be refused something. One that is refused more often
	// is not read for a while, ten seconds at most: what is refused again and again costs as much as what is not.
	Refusals []limits.Rate
	// Counts is told of each limit that was reached. May be nil.
	Counts *limits.Counts
}

// reached counts that a limit was reached, and returns what is told of that.
func (e *Engine) reached(k limits.Kind, code byte, format string, args ...any) *Error {
	e.options().Quotas.Counts.Add(k)
	return &Error{code, fmt.Sprintf(format, args...)}
}

// countLimit counts that a limit was reached that has a reason code of its own.
func (e *Engine) countLimit(err *Error) {
	switch err.Code {
	case packets.ErrPacketTooLarge.Code:
		e.options().Quotas.Counts.Add(limits.PacketBytes)
	case packets.ErrTopicAliasInvalid.Code:
		e.options().Quotas.Counts.Add(limits.TopicAliases)
	case packets.ErrReceiveMaximum.Code:
		e.options().Quotas.Counts.Add(limits.ReceiveMaximum)
	}
}

// takeUser counts the connection among those of its user.
func (c *Client) takeUser() error {
	e, most := c.engine, c.engine.options().Quotas.UserConnections
	if c.User == "" || most == 0 {
		return nil
	}
	if e.isConnected(c.ClientID) { // who replaces a connection adds none
		most = 0
	}
	if !e.users.Take(c.User, most) {
		return e.reached(limits.UserConnections, packets.ErrQuotaExceeded.Code, "the user has %d connections, that is the limit", most)
	}
	c.counted = true
	return nil
}

// giveUser undoes takeUser.
func (c *Client) giveUser() {
	if c.counted {
		c.engine.users.Give(c.User)
	}
}

// mayHave says whether there is room for a session that a client is to have.
func (e *Engine) mayHave(c *Client) error {
	most := e.options().Quotas.Sessions
	if most == 0 || e.expiry(c) == 0 {
		return nil
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.sessions[c.ClientID] == nil && len(e.sessions) >= most {
		return e.reached(limits.Sessions, packets.ErrQuotaExceeded.Code, "%d sessions are kept, that is the limit", most)
	}
	return nil
}

// maySubscribe says whether there is room for one more subscription of a session, besides
// those that the same packet has made before.
func (e *Engine) maySubscribe(s *session, sub *Subscription, before []*Subscription) error {
	q := &e.options().Quotas
	s.mu.Lock()
	old, subs, rooms, cost := s.subs[sub.request.topicFilter], len(s.subs), s.rooms, s.cost
	s.mu.Unlock()
	for _, b := range before {
		if subs++; !b.isPlain() {
			rooms++
			cost += b.Target.Cost
		}
	}
	more := sub.Target.Cost
	if old != nil {
		more -= old.cost
	}
	over := func(most, have int) bool { return most > 0 && have >= most }
	code := packets.ErrQuotaExceeded.Code
	switch {
	case old == nil && over(q.Subscriptions, subs):
		return e.reached(limits.Subscriptions, code, "the client has %d subscriptions, that is the limit", q.Subscriptions)
	case (old == nil || old.isPlain()) && !sub.isPlain() && over(q.Rooms, rooms):
		return e.reached(limits.Rooms, code, "the client has subscribed to %d rooms, that is the limit", q.Rooms)
	case !sub.isPlain() && more > 0 && over(q.RoomCost, cost+more-1):
		return e.reached(limits.RoomCost, code, "the filters of the client's rooms would cost %d conditions, the limit is %d", cost+more, q.RoomCost)
	case old == nil && over(q.AllSubscriptions, int(e.subscriptions.Load())+len(before)):
		return e.reached(limits.AllSubscriptions, code, "there are %d subscriptions, that is the limit", q.AllSubscriptions)
	}
	return nil
}

// put gives a session a subscription, in place of the one with the same topic filter. The
// caller holds s.mu.
func (e *Engine) put(s *session, sub *Subscription) {
	e.take(s, sub.request.topicFilter)
	s.subs[sub.request.topicFilter] = sub
	e.subscriptions.Add(1)
	if !sub.isPlain() {
		s.rooms++
		sub.cost = sub.Target.Cost
		s.cost += sub.cost
	}
}

// take takes a subscription from a session, and returns it, or nil. The caller holds s.mu.
func (e *Engine) take(s *session, topicFilter string) *Subscription {
	sub := s.subs[topicFilter]
	if sub == nil {
		return nil
	}
	delete(s.subs, topicFilter)
	e.subscriptions.Add(-1)
	if !sub.isPlain() {
		s.rooms--
		s.cost -= sub.cost
	}
	return sub
}

// takeAll takes all subscriptions from a session. The caller holds s.mu.
func (e *Engine) takeAll(s *session) map[string]*Subscription {
	subs := s.subs
	e.subscriptions.Add(-int64(len(subs)))
	s.subs, s.rooms, s.cost = map[string]*Subscription{}, 0, 0
	return subs
}

// mayRetain says whether there is room for a retained message.
func (e *Engine) mayRetain(topic string) error {
	most := e.options().Quotas.Retained
	if most == 0 || e.store.Retained() < most {
		return nil
	}
	snap := e.store.Snapshot()
	defer snap.Close()
	_, err := snap.RetainedMessage(topic)
	if errors.Is(err, persistence.ErrNotFound) {
		return e.reached(limits.Retained, packets.ErrQuotaExceeded.Code, "there are %d retained messages, that is the limit", most)
	}
	return err
}

// maxPause is the longest that a client is not read because of a rate. One that would have to
// wait longer is disconnected.
const maxPause = 10 * time.Second

// A speed is how fast a client is read.
type speed struct {
	bound                        bool
	publishes, bytes, subscribes limits.Buckets
	refusals                     limits.Buckets
	refused                      bool // too often, when it was looked last
	// wait is how long the client is not to be read now, and kind the limit because of which.
	wait time.Duration
	kind limits.Kind
	// stop is closed when the connection ends.
	stop chan struct{}
}

func newSpeed(q *Quotas) speed {
	now := time.Now()
	v := speed{
		publishes: limits.NewBuckets(q.Publishes, now), bytes: limits.NewBuckets(q.Bytes, now), subscribes: limits.NewBuckets(q.Subscribes, now),
		refusals: limits.NewBuckets(q.Refusals, now),
		stop:     make(chan struct{}),
	}
	v.bound = v.publishes.Bound() || v.bytes.Bound() || v.subscribes.Bound()
	return v
}

// holds says whether a packet of so many bytes has to wait, and else counts it.
func (v *speed) holds(kind byte, size int) bool {
	var own *limits.Buckets
	v.kind = limits.PublishRate
	switch kind {
	case packets.Publish:
		own = &v.publishes
	case packets.Subscribe, packets.Unsubscribe:
		own, v.kind = &v.subscribes, limits.SubscribeRate // it counts the topic filters itself
	}
	now := time.Now()
	if v.wait = v.bytes.Wait(now); own != nil {
		v.wait = max(v.wait, own.Wait(now))
	}
	if v.wait > 0 {
		return true
	}
	if v.bytes.Take(size); kind == packets.Publish {
		own.Take(1)
	}
	return false
}

// refusedTooOften says whether the client has to wait because it was refused too often. told is how many times since
// this was asked for the last time, and is set back.
func (v *speed) refusedTooOften(told *atomic.Int64) bool {
	if !v.refusals.Bound() || !v.refused && told.Load() == 0 {
		return false
	}
	v.refusals.Take(int(told.Swap(0)))
	v.wait = min(v.refusals.Wait(time.Now()), maxPause)
	v.kind = limits.RefusalRate
	v.refused = v.wait > 0
	return v.refused
}

// pause waits until the next packet may be handled.
func (c *Client) pause() error {
	v := &c.speed
	e, wait := c.engine, v.wait
	v.wait = 0
	if wait > maxPause {
		return e.reached(v.kind, packets.ErrMessageRateTooHigh.Code, "the client is so fast that it would have to wait for %v", wait.Round(time.Second))
	}
	e.options().Quotas.Counts.Add(v.kind)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-v.stop:
	}
	return nil
}
