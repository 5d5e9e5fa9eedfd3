package hooks

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
	"github.com/ambitmq/ambit/topics"
)

// refusalLogEvery bounds how often refused publishes of one client are logged.
const refusalLogEvery = time.Second

// A publication is a PUBLISH that waits for its acknowledgement.
type publication struct {
	hook     *Hook
	session  *session
	packetID uint16
	qos      byte
	topic    string
	// client is who gets the acknowledgement. At QoS 2 it may change, under the
	// session's mutex, when the client connects and sends the publish again.
	client *mqtt.Client
	// answered says, under the session's mutex, that PUBREC was sent.
	answered bool
}

// OnPublish takes a client's PUBLISH, after topic aliases are resolved. It
// always answers ErrRejectPacket and acknowledges by itself, in order: the
// server would take any other error for a success.
func (h *Hook) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	s := h.session(cl.ID)
	if s == nil || !s.has(cl) {
		cl.Stop(packets.ErrSessionTakenOver) // it is over; nobody would answer
		return pk, packets.ErrRejectPacket
	}
	p := &publication{
		hook: h, session: s, client: cl,
		packetID: pk.PacketID, qos: pk.FixedHeader.Qos, topic: pk.TopicName,
	}
	defer s.box.waits()()
	p.await()
	m := newMessage(cl.ID, &pk)
	op, err := h.operation(m)
	switch {
	case err != nil && s.pending.Load() == 0:
		p.refuse(err)
	case err != nil:
		h.enqueue(p, &persistence.Op{}, err) // after the publishes before it
	case op == nil && s.pending.Load() == 0:
		h.fanOut(m)
		p.ack(packets.CodeSuccess.Code, "")
	case op == nil: // subscribers get what a client publishes in order [MQTT-4.6.0-6]
		h.enqueue(p, &persistence.Op{Bytes: m.size, Applied: func(*persistence.Result) { h.fanOut(m) }}, nil)
	default:
		h.enqueue(p, op, nil)
	}
	return pk, packets.ErrRejectPacket
}

// operation returns what a message does to the store, and after that to its
// subscribers; nil for an ordinary message that the store need not know of. The
// error is why it is refused.
func (h *Hook) operation(m *message) (*persistence.Op, error) {
	name, err := topics.ParseName(m.topic, h.opts.Topics)
	if err != nil {
		return nil, badTopic(err)
	}
	write, err := h.write(name, m)
	if err != nil {
		return nil, err
	}
	op := &persistence.Op{Write: write, Bytes: m.size}
	m.supersedes = m.retain || write != nil
	plain := m.retain && (write == nil || len(m.payload) == 0) // sets or clears a plain retained message
	switch {
	case plain:
		op.Records = []persistence.Record{m.record()}
	case m.retain: // the document is the retained message now
		op.Records = []persistence.Record{persistence.DeleteRetained(m.topic)}
	case name.Kind == topics.Plain:
		return nil, nil
	}
	op.Applied = func(r *persistence.Result) {
		if plain {
			h.retain(m)
		} else if m.retain {
			h.unretain(m.topic)
		}
		h.fanOut(m)
	}
	return op, nil
}

// write returns the change of a document that a message asks for, or nil if
// there is none.
func (h *Hook) write(name topics.Name, m *message) (*persistence.Write, error) {
	if name.Kind != topics.Document {
		return nil, nil
	}
	collection, declared := h.opts.Collections[name.Index+"/"+name.Collection]
	if !declared && !h.opts.AutoCreate {
		return nil, nil
	}
	w := &persistence.Write{
		Key:      persistence.Key{Index: name.Index, Collection: name.Collection, ID: name.ID},
		Retained: m.retain, Time: time.Now().UTC(),
		Origin: persistence.Origin{ClientID: m.from, Protocol: "mqtt"},
	}
	for _, u := range m.props.User {
		if u.Key == "volatile" {
			if !json.Valid([]byte(u.Val)) {
				return nil, &refusal{packets.ErrPayloadFormatInvalid.Code, "the user property volatile is not JSON"}
			}
			w.Origin.Volatile = []byte(u.Val)
		}
	}
	if len(m.payload) == 0 {
		return w, nil
	}
	_, err := filter.ParseDocument(m.payload, h.opts.Documents)
	if errors.Is(err, filter.ErrNotObject) && !collection.Strict {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	w.Body = m.payload
	return w, nil
}

// enqueue puts a publish into the pipeline, to be acknowledged when it is on
// disk and those before it are acknowledged. A non-nil refused is its answer.
// It waits while the pipeline is full, which stops the reading of the client's
// socket.
func (h *Hook) enqueue(p *publication, op *persistence.Op, refused error) {
	applied := op.Applied
	op.Applied = func(r *persistence.Result) {
		if r.Err == nil && refused == nil && applied != nil {
			applied(r)
		}
		p.session.pending.Add(-1) // it was answered before it was applied
	}
	p.session.pending.Add(1)
	if p.qos > 0 {
		p.quota(-1)
		op.Committed = func(r *persistence.Result) { p.answer(errors.Join(refused, r.Err)) }
	}
	if err := h.append(op); err != nil {
		p.session.pending.Add(-1)
		if p.qos > 0 {
			p.quota(+1)
		}
		p.refuse(err)
	}
}

// submit puts an operation into the pipeline and waits for it: until it is on
// disk, or until it is applied if that means anything.
func (h *Hook) submit(op *persistence.Op) error {
	done := make(chan error, 1)
	if applied := op.Applied; applied != nil {
		op.Applied = func(r *persistence.Result) {
			if r.Err == nil {
				applied(r)
			}
			done <- r.Err
		}
	} else {
		op.Committed = func(r *persistence.Result) { done <- r.Err }
	}
	if err := h.append(op); err != nil {
		return err
	}
	return <-done
}

// append puts an operation into the pipeline. The store bounds the wait: it
// commits as fast as the disk does, and gives up waiting when it closes.
func (h *Hook) append(op *persistence.Op) error {
	return h.store.Append(context.Background(), op)
}

// answer acknowledges a publish that went through the pipeline.
func (p *publication) answer(err error) {
	if err != nil || p.qos == 1 {
		p.quota(+1) // PUBREL does it for QoS 2
	}
	if err != nil {
		p.refuse(err)
		return
	}
	p.ack(packets.CodeSuccess.Code, "")
}

// quota takes or gives back one of the publishes that an MQTT 5 client may have
// in progress: its Receive Maximum [MQTT-3.3.4-9]. MQTT 3.1.1 clients know no
// such limit; the pipeline slows them down.
func (p *publication) quota(n int) {
	switch client := p.to(); {
	case client.Properties.ProtocolVersion < 5:
	case n < 0:
		client.State.Inflight.DecreaseReceiveQuota()
	default:
		client.State.Inflight.IncreaseReceiveQuota()
	}
}

// ack sends PUBACK or PUBREC, if the publish has either.
func (p *publication) ack(code byte, text string) {
	if p.qos == 0 {
		return
	}
	a := ack{kind: packets.Puback, id: p.packetID, code: code, text: text}
	client := p.to()
	if p.qos == 2 {
		a.kind = packets.Pubrec
		client = p.receive(code)
	}
	p.session.box.ack(client, a)
}

// refuse answers a publish that is not accepted: with a reason code where MQTT
// has one, by closing the connection where an acknowledgement would be a lie
// [MQTT-3.3.5-2 of MQTT 3.1.1], and with silence where nobody waits for one.
func (p *publication) refuse(err error) {
	r := refuse(err)
	p.hook.logRefusal(p, r)
	client := p.to()
	if p.qos == 0 || client.Properties.ProtocolVersion == 5 {
		p.ack(r.code, r.text)
		return
	}
	p.receive(r.code)
	client.Stop(r)
}

// logRefusal says why a publish was refused, and of a flood of them how many.
func (h *Hook) logRefusal(p *publication, r *refusal) {
	s := p.session
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals++
	if time.Since(s.refusalLog) < refusalLogEvery {
		return
	}
	h.log.Warn("publish refused", "client", s.id, "topic", clip(p.topic), "qos", p.qos,
		"reason", r.text, "code", r.code, "times", s.refusals)
	s.refusals, s.refusalLog = 0, time.Now()
}

// fanOut delivers a message to those whose topic filters match.
func (h *Hook) fanOut(m *message) {
	subs := h.server.Topics.Subscribers(m.topic)
	for client, sub := range subs.Subscriptions {
		h.deliver(m, client, sub)
	}
	for _, group := range subs.Shared {
		if client, ok := h.chooseShared(group); ok {
			h.deliver(m, client, group[client])
		}
	}
}

// chooseShared picks a member of a shared subscription: any that is connected,
// else any. The order of a map is random enough to spread the load.
func (h *Hook) chooseShared(group map[string]packets.Subscription) (client string, ok bool) {
	for id := range group {
		client, ok = id, true
		if s := h.session(id); s != nil && s.connected() {
			break
		}
	}
	return client, ok
}

// deliver gives a message to one client under its subscription.
func (h *Hook) deliver(m *message, client string, sub packets.Subscription) {
	s := h.session(client)
	if s == nil || sub.NoLocal && m.from == client && !s.hearsItself(m.topic) { // [MQTT-3.8.3-3]
		return
	}
	s.box.push(delivery{
		m: m, qos: min(m.qos, sub.Qos), // [MQTT-3.8.4-8]
		retain: m.retain && sub.RetainAsPublished, // [MQTT-3.3.1-12], [MQTT-3.3.1-13]
		ids:    identifiers(sub),
	})
}

// hearsItself says whether a subscription without No Local matches a topic: one
// with it must not silence another [MQTT-3.3.4-2].
func (s *session) hearsItself(topic string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sub := range s.subs {
		if sub.to.Kind == topics.Plain && !sub.opts.NoLocal && topics.Match(sub.to.Text, topic) {
			return true
		}
	}
	return false
}

// Publish gives a room's message to its members.
func (h *Hook) Publish(topicFilter string, members []string, rm *rooms.Message) {
	m := roomMessage(rm)
	for _, member := range members {
		s := h.session(member)
		if s == nil {
			continue
		}
		sub := s.sub(topicFilter)
		if sub == nil || sub.opts.NoLocal && m.from == member {
			continue
		}
		s.box.push(delivery{m: m, qos: sub.qos, retain: m.retain && sub.opts.RetainAsPublished, ids: sub.ids})
	}
}
