package sessions

import (
	"errors"
	"strings"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// refusalLogEvery bounds how often refused publishes of one client are logged.
const refusalLogEvery = time.Second

// publish takes a PUBLISH. The message is read in place: its payload is copied
// only if it outlives the packet.
func (c *Client) publish(f frame) error {
	qos, dup := f.flags>>1&3, f.flags&8 != 0
	switch {
	case qos == 3: // [MQTT-3.3.1-4]
		return malformed("the QoS of a PUBLISH is 3")
	case dup && qos == 0: // [MQTT-3.3.1-2]
		return malformed("DUP is set at QoS 0")
	}
	cur := cursor{rest: f.body}
	topic, id := cur.text(), uint16(0)
	if qos > 0 {
		if id = cur.uint16(); id == 0 && cur.err == nil { // [MQTT-2.2.1-2]
			return violation("the packet identifier of a PUBLISH is 0")
		}
	}
	m := &c.message
	c.matched = false
	*m = Message{QoS: qos, Retain: f.flags&1 != 0, Supersedes: f.flags&1 != 0, From: c.ClientID, User: c.User, borrowed: true}
	var props properties
	if c.link.peer.version == 5 && cur.err == nil {
		if len(cur.rest) > 0 && cur.rest[0] == 0 { // the most there are
			cur.rest = cur.rest[1:]
		} else {
			props = cur.properties(packets.Publish)
			m.Properties = props.passed
			m.mortal = props.is(packets.PropMessageExpiryInterval)
			m.life = time.Duration(props.number[packets.PropMessageExpiryInterval]) * time.Second
		}
	}
	switch {
	case cur.err != nil:
		return cur.err
	case props.is(packets.PropSubscriptionIdentifier): // [MQTT-3.3.4-6]
		return violation("a client must not send a subscription identifier in PUBLISH")
	}
	m.Payload = cur.rest
	if err := c.checkUsers(props.users); err != nil {
		return err
	}
	if err := c.resolve(topic, uint16(props.number[packets.PropTopicAlias])); err != nil {
		return err
	}
	m.Topic = c.topic
	if m.mortal {
		m.begin(time.Now())
	}
	c.engine.counts.messagesIn.Add(1)
	c.received.payload += int64(len(m.Payload))
	c.tracePublish(m, id)
	return c.engine.receive(c, m, id)
}

// resolve finds the topic of a message, which may be an alias, and what it
// means. A device mostly publishes on the same topic again.
func (c *Client) resolve(topic []byte, alias uint16) error {
	switch {
	case alias > c.engine.options().TopicAliases: // [MQTT-3.3.2-9]
		return &Error{packets.ErrTopicAliasInvalid.Code, "the topic alias is greater than the Topic Alias Maximum"}
	case len(topic) == 0 && alias == 0:
		if c.link.peer.version < 5 {
			return malformed("the topic is empty") // [MQTT-4.7.3-1]
		}
		return violation("there is neither a topic nor an alias")
	case len(topic) == 0:
		known, ok := c.aliases[alias]
		if !ok {
			return violation("the topic alias %d was not introduced", alias)
		}
		if known != c.topic || c.meaning != c.engine.meanings.Load() {
			c.setTopic(known)
		}
		return nil
	}
	if string(topic) != c.topic || c.meaning != c.engine.meanings.Load() {
		c.setTopic(string(topic))
	}
	if strings.ContainsAny(c.topic, "+#") { // [MQTT-3.3.2-2]
		return &Error{packets.ErrTopicNameInvalid.Code, "a topic name must not contain + or #"}
	}
	if alias > 0 {
		if c.aliases == nil {
			c.aliases = map[uint16]string{}
		}
		c.aliases[alias] = c.topic
	}
	return nil
}

func (c *Client) setTopic(topic string) {
	c.topic, c.meaning = topic, c.engine.meanings.Load()
	c.name, c.nameErr = c.engine.h.Name(topic)
}

// A publication is a PUBLISH that waits for its acknowledgement.
type publication struct {
	engine  *Engine
	session *session
	id      uint16
	qos     byte
	topic   string
	// client is who gets the acknowledgement. At QoS 2 it may change, under the
	// session's mutex, when the client connects and sends the publish again.
	client *Client
	// answered says, under the session's mutex, that PUBREC was sent.
	answered bool
	// followed is nil if the publish is not followed.
	followed Followed
	// stored says, under the session's mutex, that the store knows of a QoS 2 publish
	// until its PUBREL.
	stored bool
}

// receive publishes a message of a client, and acknowledges it in order.
func (e *Engine) receive(c *Client, m *Message, id uint16) error {
	s := c.session
	if m.QoS == 2 && s.resent(c, id) {
		return nil
	}
	if m.QoS > 0 && c.receiving.Add(1) > int32(e.options().ReceiveMaximum) && c.Version == 5 { // [MQTT-3.3.4-7]
		return &Error{packets.ErrReceiveMaximum.Code, "more publishes await their acknowledgement than the Receive Maximum allows"}
	}
	if c.nameErr == nil && c.name.Kind == topics.Request {
		return e.request(c, m, id)
	}
	by := e.follow(c, m)
	kept, op, err := e.operation(c, c.Rights, m, c.name, c.nameErr)
	idle := s.pending.Load() == 0 // asked once: it changes at any time
	if op == nil && m.QoS == 0 && idle {
		if err != nil {
			e.logRefusal(s, m.Topic, m.QoS, err)
		} else {
			e.fanOut(m, nil, &c.flushes, c)
		}
		ended(by, err)
		return nil
	}
	p := &publication{engine: e, session: s, client: c, id: id, qos: m.QoS, topic: m.Topic, followed: by}
	p.await()
	if p.stored && err == nil {
		op = p.remember(op, kept)
	}
	switch {
	case idle && err != nil:
		p.refuse(err, &c.flushes)
		ended(by, err)
	case idle && op == nil:
		e.fanOut(m, nil, &c.flushes, c)
		ended(by, nil)
		p.ack(packets.CodeSuccess.Code, "", &c.flushes)
	case err != nil:
		e.enqueue(p, &persistence.Op{}, err) // after the publishes before it
	case op == nil: // subscribers get what a client publishes in order [MQTT-4.6.0-6]
		kept = m.Keep()
		e.enqueue(p, e.delivery(kept), nil)
	default:
		e.enqueue(p, op, nil)
	}
	return nil
}

// Publish publishes a message that no client waits for. Its error says why it
// is refused.
func (e *Engine) Publish(m *Message) error {
	name, err := e.h.Name(m.Topic)
	m, op, err := e.operation(nil, m.rights, m, name, err)
	switch {
	case err != nil:
		return err
	case op == nil:
		var f flushes
		e.fanOut(m, nil, &f, nil)
		f.flush()
		return nil
	}
	applied := op.Applied
	op.Applied = func(r *persistence.Result) {
		if applied(r); r.Err != nil {
			e.counts.refused[refusedPublish][errorOf(r.Err).Code].Add(1)
			e.log.Warn("publish refused", "client", m.From, "topic", clip(m.Topic), "reason", clip(errorOf(r.Err).Text))
		}
	}
	if err = e.append(op); err != nil {
		applied(&persistence.Result{Op: op, Err: err})
	}
	return err
}

// operation returns what a message does to the store, and after that to its
// subscribers, with a message that stays as it is; nil for an ordinary message that
// the store need not know of. The error is why it is refused. c lends its scratch
// room; it may be nil.
func (e *Engine) operation(c *Client, by Rights, m *Message, name topics.Name, nameErr error) (*Message, *persistence.Op, error) {
	if nameErr != nil {
		return m, nil, &Error{packets.ErrTopicNameInvalid.Code, nameErr.Error()}
	}
	if err := e.mayPublish(by, name, m); err != nil {
		return m, nil, err
	}
	var write *persistence.Write
	var tell func(*Message)
	switch name.Kind {
	case topics.Document:
		m = m.Keep()
		var err error
		if write, err = e.h.Document(by, name, m); err != nil {
			return m, nil, err
		}
	case topics.Collection:
		tell = e.h.Tell(name, m)
	case topics.Request:
		return m, nil, &Error{packets.ErrTopicNameInvalid.Code, "only a client that is connected can ask for an answer"}
	default:
	}
	plain := m.Retain && (write == nil || len(m.Payload) == 0 || name.Mapping != nil) // sets or clears a plain retained message
	if plain && len(m.Payload) > 0 {
		if err := e.mayRetain(m.Topic); err != nil {
			return m, nil, err
		}
	}
	w := e.awaited(m, c)
	if write == nil && tell == nil && !m.Retain && w == nil {
		return m, nil, nil
	}
	m = m.Keep()
	m.Supersedes = m.Supersedes || m.Retain || write != nil
	op := &persistence.Op{Write: write, Bytes: m.size()}
	if w != nil {
		op.Queue = w.queue(m)
		var f *flushes
		if c != nil {
			f = &c.flushes
		}
		w.promise(m.size(), f)
	}
	if plain {
		op.Records = []persistence.Record{m.record(e.store.Now())}
	} else if m.Retain { // the document is the retained message now
		op.Records = []persistence.Record{persistence.DeleteRetained(m.Topic)}
	}
	op.Applied = func(r *persistence.Result) {
		w.redeem()
		if r.Err != nil {
			return // and nobody's queue has it
		}
		if w != nil {
			w.number = r.Queued
		}
		if write != nil && name.Mapping == nil {
			m.Subject = e.about(r.Change)
		}
		if tell != nil {
			tell(m)
		}
		e.fanOut(m, w, &e.tail, nil)
	}
	return m, op, nil
}

// enqueue puts a publish into the pipeline, to be acknowledged when it is on
// disk and those before it are acknowledged. A non-nil refused is its answer.
// It waits while the pipeline, or the client's portion of it, is full, which stops
// the reading of the client's socket.
func (e *Engine) enqueue(p *publication, op *persistence.Op, refused error) {
	defer p.session.box.waits()()
	c, bytes := p.client, op.Bytes
	c.portion.take(bytes, c.pass)
	applied := op.Applied
	op.Applied = func(r *persistence.Result) {
		err := errors.Join(refused, r.Err)
		switch {
		case applied == nil:
		case r.Err == nil && refused != nil: // nothing of the op was left
			applied(&persistence.Result{Op: op, Err: err})
		default:
			applied(r)
		}
		if p.qos == 0 && err != nil { // nobody is answered
			e.logRefusal(p.session, p.topic, p.qos, err)
		}
		p.session.pending.Add(-1) // it was answered before it was applied
		c.portion.give(bytes)
	}
	p.session.pending.Add(1)
	if p.qos > 0 {
		op.Committed = func(r *persistence.Result) {
			var f flushes
			if err := errors.Join(refused, r.Err); err != nil {
				p.refuse(err, &f)
			} else {
				p.ack(packets.CodeSuccess.Code, "", &f)
			}
			e.sent.take(&f)
		}
	}
	followed(p.followed, op, refused)
	err := e.append(op)
	if errors.Is(err, persistence.ErrDiskFull) { // the answer keeps its place
		refused = err
		op.Write, op.Records, op.Queue = nil, nil, nil
		err = e.append(op)
	}
	if err != nil {
		op.Applied(&persistence.Result{Op: op, Err: err})
	}
	if err != nil && p.qos > 0 {
		var f flushes
		p.refuse(err, &f)
		f.flush()
	}
}

// ack sends PUBACK or PUBREC, if the publish has either.
func (p *publication) ack(code byte, text string, f *flushes) {
	if p.qos == 0 {
		return
	}
	a := ack{kind: packets.Puback, id: p.id, code: code, text: text}
	var client *Client
	if p.qos == 1 {
		client = p.client
	} else {
		a.kind = packets.Pubrec
		client = p.answer(code)
	}
	if p.qos == 1 || code >= packets.ErrUnspecifiedError.Code {
		client.receiving.Add(-1) // PUBCOMP does it for QoS 2
	}
	p.session.box.ack(client.link, a, f)
}

// refuse answers a publish that is not accepted: with a reason code where MQTT
// has one, by closing the connection where an acknowledgement would be a lie
// [MQTT-3.3.5-2 of MQTT 3.1.1], and with silence where nobody waits for one.
func (p *publication) refuse(err error, f *flushes) {
	r := errorOf(err)
	p.engine.logRefusal(p.session, p.topic, p.qos, err)
	if p.qos == 0 || p.receiver().Version == 5 {
		p.ack(r.Code, clip(r.Text), f)
		return
	}
	p.answer(r.Code).end(r)
}

// logRefusal says why a publish was refused, and of a flood of them how many.
func (e *Engine) logRefusal(s *session, topic string, qos byte, err error) {
	r := errorOf(err)
	e.counts.refused[refusedPublish][r.Code].Add(1)
	e.Decided(s.id, topic, r.Code, "refused: "+clip(r.Text))
	s.fails(topic, r)
	s.told.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals++
	if time.Since(s.refusalLog) < refusalLogEvery {
		return
	}
	e.log.Warn("publish refused", "client", s.id, "topic", clip(topic), "qos", qos,
		"reason", clip(r.Text), "code", r.Code, "times", s.refusals)
	s.refusals, s.refusalLog = 0, time.Now()
}
