package hooks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/api"
	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/presence"
	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/topics"
)

// Presence has the settings of who is taken to be there.
type Presence struct {
	// Grace is how long a client may be away before anybody is told. 0 is not at all.
	Grace time.Duration
	// Keep is how long it is known that a client is offline, and Clients of how many it
	// is. Default to a week and 100,000.
	Keep    time.Duration
	Clients int
}

// maxDataBytes is the longest metadata or volatile data that is kept for a client.
const maxDataBytes = 4 << 10

// An attendance has the engine of presence do what is due, in its time: it is told by
// whoever drains the store's tail, who is called by an op.
type attendance struct {
	*presence.Engine
	hook *Hook

	saving sync.Mutex // guards that what is stored of seats is in order

	mu    sync.Mutex // guards what follows
	armed time.Time  // when it is called next; zero for not
}

var (
	_ presence.Outlet = (*attendance)(nil)
	_ api.Presence    = (*attendance)(nil)
)

func newAttendance(h *Hook, node string, o Presence) *attendance {
	a := &attendance{hook: h}
	a.Engine = presence.New(a, presence.Options{Node: node, Grace: o.Grace, Keep: o.Keep, Clients: o.Clients, Called: h.called})
	return a
}

// Tell gives a message of presence to clients.
func (a *attendance) Tell(topicFilter string, clients []string, pm *presence.Message) {
	m := &sessions.Message{
		Topic: pm.Topic, Payload: pm.Payload, QoS: 2, Retain: pm.Retain, Supersedes: pm.Retain, From: pm.From,
		Cleared: pm.User != "", // what rooms are told, and not topics of presence
	}
	if pm.User != "" {
		m.Properties = sessions.AppendUser(m.Properties, "user", pm.User)
		m.Properties = sessions.AppendUint(m.Properties, "count", uint64(pm.Count))
	}
	a.hook.engine.Deliver(topicFilter, clients, m)
}

// Flush tells what is to be told. Whoever drains the store's tail calls it.
func (a *attendance) Flush() {
	a.Engine.Flush(time.Now())
	a.arm()
}

// arm has it called when something is to be done.
func (a *attendance) arm() {
	at, ok := a.Next()
	if !ok {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if at.Before(now) {
		at = now
	}
	if !a.armed.IsZero() && !at.Before(a.armed) {
		return
	}
	a.armed = at
	a.hook.engine.At(at, a.run)
}

// run does what is due, and has the rest done by whoever drains the tail.
func (a *attendance) run() {
	a.mu.Lock()
	a.armed = time.Time{}
	a.mu.Unlock()
	a.saving.Lock()
	defer a.saving.Unlock()
	records := a.Due(time.Now())
	seats, held := a.Unsaved()
	a.append(a.keep(append(records, seats...), held))
}

// append appends an op, which need not be waited for.
func (a *attendance) append(op *persistence.Op) {
	err := a.hook.store.Append(context.Background(), op)
	if err != nil && !errors.Is(err, persistence.ErrClosed) {
		a.hook.opts.Log.Error("keep presence", "error", err)
	}
}

// keep has records stored, and then told what was held for them.
func (a *attendance) keep(records []persistence.Record, held *presence.Hold) *persistence.Op {
	return &persistence.Op{Records: records, Applied: func(r *persistence.Result) {
		if r.Err != nil {
			a.hook.opts.Log.Error("keep presence", "error", r.Err)
		}
		a.Release(held)
	}}
}

// Restore takes the names of rooms, and what is known of clients, from the store.
func (h *Hook) Restore() error {
	if err := h.restoreNames(); err != nil {
		return err
	}
	stored, err := collect(h.store.Presences())
	if err != nil {
		return fmt.Errorf("hooks: restore presence: %w", err)
	}
	seats, err := collect(h.store.Seats())
	if err != nil {
		return fmt.Errorf("hooks: restore members of rooms: %w", err)
	}
	h.presence.Restore(stored, seats, time.Now().UTC())
	h.presence.arm()
	return nil
}

func collect[T any](stored iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for v, err := range stored {
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// isShutdown says whether the node ended a connection because it shut down.
func isShutdown(code byte) bool {
	return code == packets.ErrServerShuttingDown.Code || code == packets.ErrUseAnotherServer.Code
}

// Connected notes that a client is there.
func (h *Hook) Connected(c *sessions.Client, resumed bool) {
	who := presence.Client{ID: c.ClientID, User: c.User, Resumed: resumed, Passing: c.Assigned(), Protocol: c.Protocol}
	if c.Metadata != nil {
		if who.Metadata = h.jsonData(c.Metadata); who.Metadata == nil || who.Metadata[0] != '{' {
			who.Metadata = nil
			h.opts.Log.Warn("metadata left out", "client", c.ClientID, "reason", fmt.Sprintf("it is no JSON object of at most %d bytes within the limits of a document", maxDataBytes))
		}
	}
	record, held := h.presence.Connected(who, time.Now().UTC())
	h.presence.append(h.presence.keep([]persistence.Record{record}, held))
	h.presence.arm()
	h.came(c, resumed)
}

// Disconnected notes that the connection of a client has ended.
func (h *Hook) Disconnected(c *sessions.Client, p sessions.Parting) {
	record, held := h.presence.Disconnected(c.ClientID, whyOf(p), h.jsonData(p.Volatile), time.Now().UTC())
	h.presence.append(h.presence.keep([]persistence.Record{record}, held))
	h.presence.arm()
	h.went(c)
}

// partings are the words for why a client has gone. Where there is none, it is what the
// client is told.
func partings() map[byte]string {
	return map[byte]string{
		packets.CodeDisconnect.Code:            "normal disconnection",
		packets.CodeDisconnectWillMessage.Code: "disconnected with will",
		packets.ErrKeepAliveTimeout.Code:       "keep-alive timeout",
		packets.ErrSessionTakenOver.Code:       "session taken over",
		packets.ErrServerShuttingDown.Code:     "server shut down",
		packets.ErrUseAnotherServer.Code:       "server shut down",
		packets.ErrBanned.Code:                 "banned",
		packets.ErrAdministrativeAction.Code:   "administrative action",
		packets.ErrNotAuthorized.Code:          "not authorized",
		packets.ErrMalformedPacket.Code:        "malformed packet",
		packets.ErrProtocolViolation.Code:      "protocol error",
		packets.ErrPacketTooLarge.Code:         "packet too large",
		packets.ErrReceiveMaximum.Code:         "receive maximum exceeded",
		packets.ErrQuotaExceeded.Code:          "quota exceeded",
		packets.ErrMaxConnectTime.Code:         "maximum connect time",
		packets.ErrTopicAliasInvalid.Code:      "topic alias invalid",
		packets.ErrTopicNameInvalid.Code:       "topic name invalid",
		packets.ErrRejectPacket.Code:           "implementation specific error",
	}
}

func whyOf(p sessions.Parting) presence.Why {
	code, text := p.Code, "error of the client"
	switch {
	case p.Why != nil:
		code, text = p.Why.Code, p.Why.Text
	case !p.Said:
		return presence.Why{Text: "connection lost"}
	}
	if word, ok := partings()[code]; ok {
		text = word
	}
	return presence.Why{Text: text, Code: code, HasCode: true, Ending: p.Why != nil && isShutdown(code)}
}

// jsonData returns data of a client, or nil if it is not JSON within the limits or too long.
func (h *Hook) jsonData(data []byte) []byte {
	data = bytes.TrimSpace(data)
	if len(data) == 0 || len(data) > maxDataBytes || filter.CheckJSON(data, h.opts.Documents) != nil {
		return nil
	}
	return data
}

// attend notes that a client has subscribed.
func (h *Hook) attend(client string, to topics.Filter, t sessions.Target) {
	h.presence.Join(client, to, t.Hash, h.jsonData(t.Volatile), time.Now().UTC())
	h.presence.arm()
}

// depart undoes attend.
func (h *Hook) depart(client string, to topics.Filter, t sessions.Target) {
	h.presence.Leave(client, to, t.Hash, h.jsonData(t.Volatile), time.Now().UTC())
	h.presence.arm()
}

// firstPresence yields what a presence is, as retained messages.
func (h *Hook) firstPresence(client string, to topics.Filter, t sessions.Target) iter.Seq2[*sessions.Message, error] {
	return func(yield func(*sessions.Message, error) bool) {
		for m := range h.presence.First(client, to, t.Hash) {
			if !yield(&sessions.Message{Topic: m.Topic, Payload: m.Payload, QoS: 2, Retain: true, Supersedes: true, From: m.From}, nil) {
				return
			}
		}
	}
}

// Update gives a client other metadata, on disk.
func (a *attendance) Update(ctx context.Context, client string, metadata []byte) (known bool, err error) {
	record, held, known := a.Engine.Update(client, bytes.Clone(metadata), time.Now().UTC())
	if !known {
		return false, nil
	}
	op, done := a.keep([]persistence.Record{record}, held), make(chan error, 1)
	applied := op.Applied
	op.Applied = func(r *persistence.Result) {
		applied(r)
		done <- r.Err
	}
	if err := a.hook.store.Append(ctx, op); err != nil {
		a.Release(held)
		return true, err
	}
	select {
	case err := <-done:
		return true, err
	case <-ctx.Done():
		return true, ctx.Err()
	}
}
