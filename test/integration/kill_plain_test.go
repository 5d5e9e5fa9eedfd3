package integration

import (
	"encoding/json"
	"fmt"
	"math"
)

// A killPlainSubscriber gets the numbered messages of a publisher on a plain
// topic: none is lost in a crash, and at QoS 2 none comes twice.
type killPlainSubscriber struct {
	killClient
	qos      byte
	newest   int
	received map[uint16]bool // QoS 2: PUBREL has not come
	target   int             // number that was acknowledged to the publisher before this cycle
}

func (s *killPlainSubscriber) live(b *broker) error {
	w, err := s.dial(b)
	if err != nil {
		return err
	}
	s.caughtUp()
	for {
		p, err := w.read()
		if err != nil {
			return err
		}
		var answer []byte
		switch p.kind {
		case typePublish:
			m := parsePublish(s.run.t, p, s.o.v5)
			if err := s.take(m); err != nil {
				return err
			}
			answer = ackPacket(map[byte]byte{1: typePuback, 2: typePubrec}[m.qos], m.id)
		case typePubrel:
			id, _ := ackID(p)
			delete(s.received, id)
			answer = ackPacket(typePubcomp, id)
		default:
			return fmt.Errorf("%s: packet type %d", s.o.id, p.kind)
		}
		if _, err := w.Write(answer); err != nil {
			return err
		}
	}
}

// take notes a message: the next one, or at QoS 1 one that came before.
func (s *killPlainSubscriber) take(m message) error {
	if m.qos == 2 {
		if s.received[m.id] {
			return nil // it is sent again, and was not given to anybody twice
		}
		s.received[m.id] = true
	}
	var says killDocument
	if err := json.Unmarshal(m.payload, &says); err != nil {
		return err
	}
	ok := says.N == s.newest+1 || s.qos == 1 && says.N <= s.newest
	if !ok {
		s.run.fault("plain", "%s: message %d comes after %d", s.o.id, says.N, s.newest)
		return errFault
	}
	s.newest = max(s.newest, says.N)
	s.caughtUp()
	return nil
}

func (s *killPlainSubscriber) caughtUp() {
	if s.newest >= s.target {
		s.run.seen(s, math.MaxUint64)
	}
}
