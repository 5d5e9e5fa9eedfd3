package integration

import (
	"fmt"
	"strconv"
)

// A killChurner subscribes and unsubscribes while others write. What was
// acknowledged is what its session has afterwards.
type killChurner struct {
	killClient
	next    int
	has     []string        // acknowledged, the oldest first
	unsure  map[string]bool // asked for, or given up, without an answer
	dropped map[string]bool // UNSUBACK came
}

// live waits until the marker has come on each subscription, makes another one
// and gives up an old one.
func (c *killChurner) live(b *broker) error {
	w, err := c.dial(b)
	if err != nil {
		return err
	}
	marker := c.run.marker.Load()
	missing := map[string]bool{}
	for _, f := range c.has {
		missing[f] = !c.unsure[f]
		if !missing[f] {
			delete(missing, f)
		}
	}
	for len(missing) > 0 {
		if err := c.read(w, typePublish, marker, missing); err != nil {
			return err
		}
	}
	c.run.seen(c, marker)
	for {
		f := fmt.Sprintf(`fleet/trucks/?{"range":{"marker":{"gte":%d}}}&payload=none`, -c.next)
		c.next++
		if err := c.ask(w, subscribePacket(w.id(), true, f), typeSuback, f); err != nil {
			return err
		}
		c.has = append(c.has, f)
		if len(c.has) <= 6 {
			continue
		}
		old := c.has[0]
		c.has = c.has[1:]
		if err := c.ask(w, unsubscribePacket(w.id(), true, old), typeUnsuback, old); err != nil {
			return err
		}
		c.dropped[old] = true
	}
}

// ask sends a packet and waits for its answer. Until then it is not sure whether
// there is such a subscription.
func (c *killChurner) ask(w *wire, p []byte, answer byte, topicFilter string) error {
	c.unsure[topicFilter] = true
	if _, err := w.Write(p); err != nil {
		return err
	}
	if err := c.read(w, answer, 0, nil); err != nil {
		return err
	}
	delete(c.unsure, topicFilter)
	return nil
}

// read takes packets until one of that kind, and notes for which subscription
// the marker has come.
func (c *killChurner) read(w *wire, kind byte, marker uint64, missing map[string]bool) error {
	for {
		p, err := w.read()
		if err != nil {
			return err
		}
		if p.kind == typePublish {
			m := parsePublish(c.run.t, p, true)
			if c.dropped[m.topic] {
				c.run.fault("subscription", "%s: UNSUBSCRIBE of %s was acknowledged, and it still is told", c.o.id, m.topic)
				return errFault
			}
			if m.user["seq"] == strconv.FormatUint(marker, 10) {
				delete(missing, m.topic)
			}
			if _, err := w.Write(ackPacket(typePuback, m.id)); err != nil {
				return err
			}
		}
		if p.kind == kind {
			return nil
		}
	}
}
