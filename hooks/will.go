package hooks

import (
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// willOf returns the will of a CONNECT and its delay, or nil. mochi's own would
// lose most properties, and reach subscribers without a check and without
// becoming a document.
func willOf(cl *mqtt.Client, pk *packets.Packet) (*message, time.Duration) {
	if !pk.Connect.WillFlag {
		return nil, 0
	}
	will := packets.Packet{
		FixedHeader: packets.FixedHeader{Qos: pk.Connect.WillQos, Retain: pk.Connect.WillRetain},
		TopicName:   pk.Connect.WillTopic, Payload: pk.Connect.WillPayload, Properties: pk.Connect.WillProperties,
	}
	return newMessage(cl.ID, &will), time.Duration(pk.Connect.WillProperties.WillDelayInterval) * time.Second
}

// forgetWill drops the will of a client that disconnects as it should.
func (s *session) forgetWill(cl *mqtt.Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == cl {
		s.will = nil
	}
}

// willDue publishes the will of a connection that is over, or starts its delay
// [MQTT-3.1.2-8]. When the session ends with the connection there is none.
func (h *Hook) willDue(s *session, expire bool) {
	h.mu.RLock() // so that no delay begins after Drain
	s.mu.Lock()
	delay := s.willDelay
	if h.draining {
		s.will = nil
	}
	delayed := s.will != nil && delay > 0 && !expire
	if delayed {
		h.timers.Add(1)
		s.willTimer = time.AfterFunc(delay, func() {
			defer h.timers.Done()
			h.publishWill(s)
		})
	}
	s.mu.Unlock()
	h.mu.RUnlock()
	if !delayed {
		h.publishWill(s)
	}
}

// stopWill ends the delay of a will. The caller holds s.mu.
func (s *session) stopWill(h *Hook) {
	if s.willTimer != nil && s.willTimer.Stop() {
		h.timers.Done()
	}
	s.willTimer = nil
}

// publishWill publishes the will, once, as the client itself would have.
func (h *Hook) publishWill(s *session) {
	s.mu.Lock()
	m := s.will
	s.will, s.willTimer = nil, nil
	s.mu.Unlock()
	h.publishMessage(s.id, m)
}

// publishMessage publishes a message, if there is one, for a client that is not
// there to be told that it is refused.
func (h *Hook) publishMessage(client string, m *message) {
	if m == nil {
		return
	}
	m = m.published()
	op, err := h.operation(m)
	switch {
	case err != nil:
	case op == nil:
		h.fanOut(m)
	default:
		err = h.append(op)
	}
	if err != nil {
		h.log.Warn("will refused", "client", client, "topic", m.topic, "reason", err)
	}
}
