package sessions

import (
	"time"

	"github.com/ambitmq/ambit/persistence"
)

// willDue publishes the will of a connection that is over, or starts its delay
// [MQTT-3.1.2-8]. When the session ends with the connection there is none.
func (e *Engine) willDue(s *session, ends bool) {
	draining := e.away() != nil
	s.mu.Lock()
	left := s.will
	if draining {
		left, s.will = nil, nil
	}
	if left != nil && s.willDelay > 0 && !ends {
		e.delayWill(s, time.Now().Add(s.willDelay))
		left = nil
	} else {
		s.will = nil
	}
	s.mu.Unlock()
	e.publishWill(s.id, left)
}

// delayWill has the will of an absent client published at a time. The caller holds
// s.mu.
func (e *Engine) delayWill(s *session, at time.Time) {
	absence := s.connections
	s.delayed = e.schedule.at(at, func() {
		e.tasks.Go(func() { e.publishDelayed(s, absence) })
	})
}

// publishDelayed publishes a will whose time has come, unless the client is back,
// and then has the store forget it: after a crash in between it comes twice.
func (e *Engine) publishDelayed(s *session, absence int) {
	e.turns.take(s.id, &s.will)
	defer e.turns.give(&s.will)
	left := s.takeWill(absence)
	if left == nil {
		return
	}
	e.publishWill(s.id, left)
	if !s.persistent.Load() || s.unstored {
		return
	}
	record := s.keep(func(*persistence.Session) {})
	if err := e.append(&persistence.Op{Records: []persistence.Record{record}}); err != nil {
		e.log.Error("forget will", "client", s.id, "error", err)
	}
}

// restoreWill has the will published of a client that was connected when the process
// ended, or whose will waited then, unless it is back in time.
func (e *Engine) restoreWill(s *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.record.Will; w != nil {
		s.will, s.willDelay = e.willOf(s.record), w.Delay
		e.delayWill(s, s.record.DisconnectedAt.Add(w.Delay))
	}
}

// asWill returns a will, or nil, as the store keeps it.
func (m *Message) asWill(delay time.Duration) *persistence.Will {
	if m == nil {
		return nil
	}
	w := &persistence.Will{Message: m.stored(), Delay: delay, Life: m.life, Mortal: m.mortal}
	w.Message.Expiry = time.Time{} // its life has not begun
	return w
}

// willOf is the reverse of asWill, for the will of a session.
func (e *Engine) willOf(r persistence.Session) *Message {
	m := messageOf(r.Will.Message)
	m.rights = e.h.HeirOf(r.ClientID, r.User, r.Identity)
	m.life, m.mortal, m.User = r.Will.Life, r.Will.Mortal, r.User
	return m
}

// takeWill returns the will of a connection, unless there was another since.
func (s *session) takeWill(absence int) *Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.connections != absence {
		return nil
	}
	left := s.will
	s.will = nil
	return left
}

// takeBackWill has a connection that still has the session leave no will behind
// [MQTT-3.14.4-3].
func (s *session) takeBackWill(c *Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == c {
		s.will = nil
	}
}

// publishWill publishes a will, if there is one, as the client itself would
// have. Nobody is there to be told that it is refused.
func (e *Engine) publishWill(client string, m *Message) {
	if m == nil {
		return
	}
	n := *m
	if err := e.Publish(n.begin(time.Now())); err != nil {
		e.log.Warn("will refused", "client", client, "topic", clip(m.Topic), "reason", err)
	}
}
