package hooks

import (
	"fmt"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// Restore brings back what outlives the process: sessions with their
// subscriptions and rooms, and retained messages. It is called once, before the
// server serves.
func (h *Hook) Restore() error {
	now := time.Now()
	var gone []persistence.Record
	for record, err := range h.store.Sessions() {
		switch {
		case err != nil:
			return fmt.Errorf("hooks: restore sessions: %w", err)
		case expired(record, now):
			gone = append(gone, persistence.DeleteSession(record.ClientID))
		default:
			h.restoreSession(record, now)
		}
	}
	for record, err := range h.store.Subscriptions() {
		if err != nil {
			return fmt.Errorf("hooks: restore subscriptions: %w", err)
		}
		if err := h.restoreSubscription(record); err != nil {
			h.log.Error("subscription lost", "client", record.ClientID, "topic_filter", record.TopicFilter, "error", err)
		}
	}
	for record, err := range h.store.RetainedMessages() {
		switch expiry := record.Properties.Expiry; {
		case err != nil:
			return fmt.Errorf("hooks: restore retained messages: %w", err)
		case !expiry.IsZero() && expiry.Before(now):
			gone = append(gone, persistence.DeleteRetained(record.Topic))
		default:
			h.retain(restored(record))
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return h.submit(&persistence.Op{Records: gone})
}

// expired says whether a session's time was over while nobody was here to see.
func expired(r persistence.Session, now time.Time) bool {
	if r.DisconnectedAt.IsZero() {
		return false
	}
	return now.Sub(r.DisconnectedAt) > time.Duration(r.ExpirySeconds)*time.Second
}

// restoreSession makes an absent client of a stored session, for what is left
// of its time.
func (h *Hook) restoreSession(r persistence.Session, now time.Time) {
	if r.DisconnectedAt.IsZero() {
		r.DisconnectedAt = now // it was connected when the process ended
	}
	cl := h.server.NewClient(nil, "", r.ClientID, false)
	cl.Properties.ProtocolVersion = r.ProtocolVersion
	cl.Properties.Clean = r.Clean
	cl.Properties.Props.SessionExpiryIntervalFlag = true
	left := time.Duration(r.ExpirySeconds)*time.Second - now.Sub(r.DisconnectedAt)
	cl.Properties.Props.SessionExpiryInterval = uint32(left / time.Second)
	cl.Stop(packets.ErrServerShuttingDown)
	h.server.Clients.Add(cl)

	s := newSession(h, r.ClientID, true)
	s.record, s.box.keep = r, true
	h.mu.Lock()
	h.sessions[r.ClientID] = s
	h.mu.Unlock()
}

// restoreSubscription subscribes a restored client again.
func (h *Hook) restoreSubscription(r persistence.Subscription) error {
	s := h.session(r.ClientID)
	cl, ok := h.server.Clients.Get(r.ClientID)
	if s == nil || !ok {
		return nil // its session has expired
	}
	sub := &subscription{qos: r.QoS, opts: packets.Subscription{
		Filter: r.TopicFilter, Qos: r.QoS, NoLocal: r.NoLocal, RetainAsPublished: r.RetainAsPublished,
		RetainHandling: r.RetainHandling, Identifier: int(r.Identifier),
	}}
	if r.Identifier > 0 {
		sub.ids = []int{int(r.Identifier)}
	}
	to, err := topics.ParseFilter(r.TopicFilter, h.opts.Topics)
	if err != nil {
		return err
	}
	if err := h.resolve(&to, sub, r.Filter); err != nil {
		return err
	}
	sub.to = to
	known := sub.opts
	known.RetainHandling = 2
	if sub.isRoom() {
		known.Filter = asideName(r.TopicFilter)
	}
	h.server.Topics.Subscribe(r.ClientID, known)
	cl.State.Subscriptions.Add(known.Filter, known)
	if err := h.join(s, r.TopicFilter, sub, h.store); err != nil {
		return err
	}
	if to.Kind == topics.Scope {
		s.leaveUnfinished([]string{to.Text}) // what was on its way to the client is lost
	}
	return nil
}
