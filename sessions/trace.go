package sessions

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/topics"
)

const (
	// maxTraces is how many traces there may be at a time.
	maxTraces = 16
	// traceBuffer is how many events wait for who reads a trace. Those beyond are left
	// out, and counted.
	traceBuffer = 4096
)

// A TraceEvent is a packet of a client, a packet for it, or what was decided about it.
// It has neither payloads nor what clients sign in with.
type TraceEvent struct {
	Time   time.Time `json:"time"`
	Client string    `json:"client,omitempty"`
	// What is "in", "out" or "decision".
	What string `json:"what"`
	// Packet is its type, in lower case, ID its packet identifier, and Bytes how long its
	// payload is, or the packet if it has none.
	Packet string `json:"packet,omitempty"`
	Topic  string `json:"topic,omitempty"`
	QoS    byte   `json:"qos,omitempty"`
	Retain bool   `json:"retain,omitempty"`
	ID     uint16 `json:"id,omitempty"`
	Bytes  int    `json:"bytes,omitempty"`
	// Code is a reason code.
	Code byte   `json:"code,omitempty"`
	Text string `json:"text,omitempty"`
	// Dropped is how many events before this one were left out.
	Dropped int64 `json:"dropped,omitempty"`
}

// A Trace is what happens to one client, or on the topics of one topic filter, or both.
type Trace struct {
	client, topicFilter string
	events              chan TraceEvent
	dropped             atomic.Int64
	engine              *Engine
}

// traces are those of an engine. Whoever has something to tell looks at open, which
// is nil while there are none: that is all that it costs then.
type traces struct {
	open atomic.Pointer[[]*Trace]
	mu   sync.Mutex // guards changes of open
}

// Trace begins a trace of a client, of a topic filter, or of what a client does on its
// topics: "" is any. The caller closes it. There is a limit on how many there are.
func (e *Engine) Trace(client, topicFilter string) (*Trace, error) {
	t := &Trace{client: client, topicFilter: topicFilter, events: make(chan TraceEvent, traceBuffer), engine: e}
	e.traces.mu.Lock()
	defer e.traces.mu.Unlock()
	all := e.traces.all()
	if len(all) >= maxTraces {
		return nil, fmt.Errorf("there are %d traces, which is the limit", maxTraces)
	}
	all = append(slices.Clone(all), t)
	e.traces.open.Store(&all)
	return t, nil
}

func (t *traces) all() []*Trace {
	if p := t.open.Load(); p != nil {
		return *p
	}
	return nil
}

// Events are what is told, until nobody reads them.
func (t *Trace) Events() <-chan TraceEvent { return t.events }

// Close ends the trace. Its events do not end.
func (t *Trace) Close() {
	all := &t.engine.traces
	all.mu.Lock()
	defer all.mu.Unlock()
	rest := slices.DeleteFunc(slices.Clone(all.all()), func(other *Trace) bool { return other == t })
	if len(rest) == 0 {
		all.open.Store(nil)
		return
	}
	all.open.Store(&rest)
}

func (t *Trace) wants(ev *TraceEvent) bool {
	return (t.client == "" || t.client == ev.Client) &&
		(t.topicFilter == "" || ev.Topic != "" && (ev.Topic == t.topicFilter || topics.Match(t.topicFilter, ev.Topic)))
}

// IsTraced says whether anybody listens to what [Engine.Note] is told.
func (e *Engine) IsTraced() bool { return e.traces.open.Load() != nil }

// Note tells the traces that want it of an event. It does not wait.
func (e *Engine) Note(ev TraceEvent) {
	ev.Time = time.Now().UTC()
	for _, t := range e.traces.all() {
		if !t.wants(&ev) {
			continue
		}
		ev.Dropped = t.dropped.Swap(0)
		select {
		case t.events <- ev:
		default:
			t.dropped.Add(ev.Dropped + 1)
		}
	}
}

// Decided notes what was decided about something that a client did on a topic.
func (e *Engine) Decided(client, topic string, code byte, text string) {
	if e.IsTraced() {
		e.Note(TraceEvent{Client: client, What: "decision", Topic: topic, Code: code, Text: text})
	}
}

// grantedText says what a topic filter that is granted is about.
func grantedText(sub *Subscription) string {
	if sub.Target.Hash == "" {
		return fmt.Sprintf("subscribed, QoS %d", sub.qos())
	}
	return fmt.Sprintf("subscribed, QoS %d, room %s", sub.qos(), sub.Target.Hash)
}

// traceIn notes a packet of a client, but for PUBLISH, of which [Client.tracePublish]
// knows more.
func (c *Client) traceIn(f frame) {
	if f.kind == packets.Publish || !c.engine.IsTraced() {
		return
	}
	ev := TraceEvent{Client: c.ClientID, What: "in", Packet: strings.ToLower(nameOf(f.kind)), Bytes: len(f.body)}
	if f.kind >= packets.Puback && f.kind <= packets.Unsubscribe && len(f.body) >= 2 {
		ev.ID = uint16(f.body[0])<<8 | uint16(f.body[1])
	}
	c.engine.Note(ev)
}

// tracePublish notes a PUBLISH of a client.
func (c *Client) tracePublish(m *Message, id uint16) {
	if c.engine.IsTraced() {
		c.engine.Note(TraceEvent{
			Client: c.ClientID, What: "in", Packet: "publish", Topic: m.Topic, QoS: m.QoS, Retain: m.Retain, ID: id, Bytes: len(m.Payload),
		})
	}
}

// traceConnect notes a CONNECT.
func (c *Client) traceConnect() {
	if !c.engine.IsTraced() {
		return
	}
	text := fmt.Sprintf("from %v at %s, MQTT version %d, clean %v, keep-alive %d s", c.Remote, c.Via.Name, c.Version, c.Clean, c.KeepAlive)
	c.engine.Note(TraceEvent{Client: c.ClientID, What: "in", Packet: "connect", Text: text})
}

// traceOut notes a packet for a client that is no PUBLISH.
func (e *Engine) traceOut(client string, kind byte, id uint16, code byte, text string) {
	if e.IsTraced() {
		e.Note(TraceEvent{Client: client, What: "out", Packet: strings.ToLower(nameOf(kind)), ID: id, Code: code, Text: text})
	}
}

// traceDelivery notes what has become of a message for a client.
func (l *link) traceDelivery(d *delivery, id uint16, f fate) {
	e, m := l.box.engine, d.m
	if !e.IsTraced() {
		return
	}
	ev := TraceEvent{Client: l.box.id, What: "decision", Topic: m.Topic}
	switch f {
	case isWritten:
		ev.What, ev.Packet, ev.QoS, ev.Retain, ev.ID, ev.Bytes = "out", "publish", d.qos, d.retain, id, len(m.Payload)
	case hasExpired:
		ev.Text = "not sent: the message has expired"
	case isTooLarge:
		ev.Text = "not sent: it is larger than the client takes"
	case isHidden:
		ev.Text = "not sent: the client may not see it"
	}
	e.Note(ev)
}
