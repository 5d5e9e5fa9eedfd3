package sessions

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// subscribe takes a SUBSCRIBE. Its subscriptions are on disk, and count, before
// SUBACK is written.
func (c *Client) subscribe(f frame) error {
	pk, err := decodeSubscribe(f.body, f.kind, c.link.peer.version)
	if err != nil {
		return err
	}
	if err := c.checkUsers(pk.users); err != nil {
		return err
	}
	answer := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Suback}, PacketID: pk.id,
		ReasonCodes: make([]byte, len(pk.requests)),
	}
	c.speed.subscribes.Take(len(pk.requests))
	refused := 0
	var granted []*Subscription
	for i, r := range pk.requests {
		sub, err := c.mayGrant(r, pk.identifier, granted)
		if err != nil {
			c.refuseFilter(&answer, i, r, err, refused)
			refused++
			continue
		}
		sub.Target.Volatile = pk.volatile
		answer.ReasonCodes[i] = sub.qos()
		granted = append(granted, sub)
		c.engine.Decided(c.ClientID, r.topicFilter, 0, grantedText(sub))
		if sub.Target.Hash != "" {
			c.explain(&answer, "room-", i, sub.Target.Hash)
		}
	}
	if refused > maxRefusalLines {
		c.engine.log.Warn("subscriptions refused", "client", c.ClientID, "topic_filters", refused)
	}
	c.pass() // what comes next may wait
	if err := c.grant(granted); err != nil {
		c.engine.log.Error("subscribe", "client", c.ClientID, "error", err)
		for i := range answer.ReasonCodes {
			if answer.ReasonCodes[i] < packets.ErrUnspecifiedError.Code {
				answer.ReasonCodes[i] = c.subackCode(errorOf(err))
				c.engine.counts.refused[refusedSubscribe][errorOf(err).Code].Add(1)
			}
		}
	}
	c.link.answer(&answer, &c.flushes)
	// The standard lets what is retained come before SUBACK, but not every client
	// does.
	c.session.box.startSources()
	if len(granted) > 0 && c.engine.isBehind(c.session) {
		c.engine.proceed(c.session, c.link)
	}
	return nil
}

// mayGrant understands one topic filter, and says whether the client may have it besides
// those that it is granted with it.
func (c *Client) mayGrant(r request, identifier uint32, granted []*Subscription) (*Subscription, error) {
	sub, err := c.engine.read(c.Rights, r, identifier, nil)
	if err == nil {
		err = c.engine.checkToken(sub)
	}
	if err == nil {
		err = c.checkUser(sub)
	}
	if err == nil {
		err = c.engine.maySubscribe(c.session, sub, granted)
	}
	return sub, err
}

// maxRefusalLines is how many topic filters of one packet are logged that are refused.
const maxRefusalLines = 4

// refuseFilter notes in SUBACK why a topic filter is refused, and logs it if not many have been before.
func (c *Client) refuseFilter(answer *packets.Packet, i int, r request, err error, before int) {
	e := errorOf(err)
	answer.ReasonCodes[i] = c.subackCode(e)
	c.engine.counts.refused[refusedSubscribe][e.Code].Add(1)
	c.engine.Decided(c.ClientID, clip(r.topicFilter), e.Code, "subscription refused: "+clip(e.Text))
	c.session.fails(r.topicFilter, e)
	c.session.told.Add(1)
	c.explain(answer, "error-", i, clip(e.Text))
	var at KeywordError
	if errors.As(err, &at) && at.Keyword() != "" {
		c.explain(answer, "keyword-", i, clip(at.Keyword()))
	}
	if before >= maxRefusalLines {
		return
	}
	c.engine.log.Warn("subscription refused", "client", c.ClientID, "topic_filter", clip(r.topicFilter), "reason", clip(e.Text))
}

// explain says more of one topic filter in a user property of SUBACK. As many are
// told as a client may send: an answer must not be much longer than its request.
func (c *Client) explain(answer *packets.Packet, what string, i int, text string) {
	if len(answer.Properties.User) < c.engine.options().UserProperties {
		answer.Properties.User = append(answer.Properties.User, packets.UserProperty{Key: what + strconv.Itoa(i), Val: text})
	}
}

// subackCode returns a refusal as MQTT 3.1.1 or 5 puts it into SUBACK.
func (c *Client) subackCode(e *Error) byte {
	if c.link.peer.version < 5 {
		return packets.ErrUnspecifiedError.Code // [MQTT-3.9.3-2] of MQTT 3.1.1
	}
	return e.Code
}

// read understands one topic filter of somebody.
func (e *Engine) read(by Rights, r request, identifier uint32, remembered []byte) (*Subscription, error) {
	to, err := topics.ParseFilter(r.topicFilter, e.options().Topics)
	if err != nil {
		return nil, &Error{packets.ErrTopicFilterInvalid.Code, err.Error()}
	}
	t, err := e.h.Resolve(by, to, remembered)
	if err != nil {
		return nil, err
	}
	sub := &Subscription{To: to, Target: t, request: r, identifier: identifier}
	if t.isRoom() {
		sub.To.Kind, sub.To.Room.Options = t.Kind, t.Options
	}
	if identifier > 0 {
		sub.ids = appendIdentifier(nil, identifier)
	}
	return sub, nil
}

// checkToken refuses a token that no notification can have had yet.
func (e *Engine) checkToken(sub *Subscription) error {
	o := sub.To.Room.Options
	if !o.HasSince {
		return nil
	}
	snap := e.store.Snapshot()
	defer snap.Close()
	if last := snap.Seq(); o.Since > last {
		return &Error{packets.ErrTopicFilterInvalid.Code, fmt.Sprintf("option since: %d is in the future: the last change is %d", o.Since, last)}
	}
	return nil
}

// grant adds subscriptions to the session, and has it told what they are told
// first.
func (c *Client) grant(granted []*Subscription) error {
	if len(granted) == 0 {
		return nil
	}
	e, s := c.engine, c.session
	defer s.box.waits()()
	persistent := s.persistent.Load()
	s.keeping.Lock()
	defer s.keeping.Unlock()
	var records []persistence.Record
	var first []*Subscription
	for _, sub := range granted {
		old := s.sub(sub.request.topicFilter)
		sub.feed = e.feedOf(s, sub, old)
		if persistent {
			records = append(records, sub.record(s.id, s.box.firstMark(sub, e.applied.Load())))
		}
		if rh := sub.request.retainHandling(); rh == 0 || rh == 1 && old == nil { // [MQTT-3.3.1-9] to [MQTT-3.3.1-11]
			first = append(first, sub)
		}
	}
	if !s.box.awaitSources(first) {
		return &Error{packets.ErrQuotaExceeded.Code, "too many snapshots are being read"}
	}
	var failed error
	err := e.tellFirst(s, first, &persistence.Op{
		Records:  records,
		Snapshot: slices.ContainsFunc(granted, func(sub *Subscription) bool { return sub.Target.NamesDocuments }),
		Applied: func(r *persistence.Result) {
			for _, sub := range granted {
				old := s.sub(sub.request.topicFilter)
				if old != nil && old.feed != nil && old.feed == sub.feed { // as it is now
					volatile := sub.Target.Volatile
					sub.Target = old.Target
					sub.Target.Volatile = volatile
				}
				if failed = errors.Join(failed, e.join(s, sub, r.Snapshot)); sub.feed != nil {
					s.box.begin(sub, old, r.Seq)
				}
			}
		},
	})
	return errors.Join(err, failed)
}

// join makes a subscription count from the next change on. docs are the
// documents up to that.
func (e *Engine) join(s *session, sub *Subscription, docs Documents) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil
	}
	if !sub.isPlain() {
		if err := e.h.Join(s.id, sub.To, sub.Target, docs); err != nil {
			return err
		}
	}
	if old := s.subs[sub.request.topicFilter]; old != nil && (old.isPlain() != sub.isPlain() || old.Target.Hash != sub.Target.Hash) {
		e.leave(s, old)
	}
	e.put(s, sub)
	if sub.isPlain() {
		e.tree.add(sub.To.Text, sub.To.Share, member{s, sub})
	}
	return nil
}

// tellFirst puts op into the pipeline, and has the session told what these
// subscriptions are told first, exactly as of that point of it. It waits until
// op is applied.
func (e *Engine) tellFirst(s *session, subs []*Subscription, op *persistence.Op) error {
	subs = slices.DeleteFunc(subs, func(sub *Subscription) bool {
		return sub.To.Share != "" || sub.Target.Kind == topics.Room // [MQTT-4.8.2]
	})
	op.Snapshot = op.Snapshot || len(subs) > 0
	applied := op.Applied
	op.Applied = func(r *persistence.Result) {
		if applied != nil {
			applied(r)
		}
		if r.Snapshot == nil {
			return
		}
		snapshot := newShared(r.Snapshot)
		defer snapshot.release()
		for _, sub := range subs {
			if now := s.sub(sub.request.topicFilter); now != nil && now.feed == sub.feed {
				sub = now
			}
			snapshot.users.Add(1)
			if sub.feed != nil {
				e.goLive(s, sub, r)
			}
			if !s.box.addSource(e.newFirst(s, sub, snapshot)) {
				s.leaveUnfinished([]string{sub.To.Text})
			}
		}
	}
	return e.submit(op)
}

// unsubscribe takes an UNSUBSCRIBE.
func (c *Client) unsubscribe(f frame) error {
	pk, err := decodeSubscribe(f.body, f.kind, c.link.peer.version)
	if err != nil {
		return err
	}
	if err := c.checkUsers(pk.users); err != nil {
		return err
	}
	c.speed.subscribes.Take(len(pk.requests))
	answer := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Unsuback}, PacketID: pk.id}
	c.session.keeping.Lock()
	defer c.session.keeping.Unlock()
	var records []persistence.Record
	for _, r := range pk.requests {
		code := packets.CodeNoSubscriptionExisted.Code
		if persistent, existed := c.drop(r.topicFilter, pk.volatile); existed {
			code = packets.CodeSuccess.Code
			if persistent {
				records = append(records, persistence.DeleteSubscription(c.ClientID, r.topicFilter))
			}
		}
		answer.ReasonCodes = append(answer.ReasonCodes, code)
	}
	if len(records) > 0 {
		c.pass() // what comes next may wait
		done := c.session.box.waits()
		err := c.engine.submit(&persistence.Op{Records: records})
		done()
		if err != nil {
			c.engine.log.Error("unsubscribe", "client", c.ClientID, "error", err)
		}
	}
	c.link.answer(&answer, &c.flushes)
	return nil
}

// drop ends a subscription of the session, with the volatile data of the UNSUBSCRIBE.
func (c *Client) drop(topicFilter string, volatile []byte) (persistent, existed bool) {
	s := c.session
	s.mu.Lock()
	sub := c.engine.take(s, topicFilter)
	s.mu.Unlock()
	if sub == nil {
		return false, false
	}
	left := *sub
	left.Target.Volatile = volatile
	c.engine.end(s, &left)
	if sub.To.Share == "" {
		s.box.dropSource(sub.To.Text)
	}
	return s.persistent.Load(), true
}
