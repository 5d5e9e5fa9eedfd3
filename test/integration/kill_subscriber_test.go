package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// errFault ends a client that has found a broken promise, which was noted.
var errFault = errors.New("a promise is broken")

// A killSubscriber is told what happens to fastTrucks, and compares it with what
// happened whenever the checker's marker comes by.
type killSubscriber struct {
	killClient
	topicFilter string
	token       bool // it has no session, and comes back with since=
	every       int  // it is there in every so many cycles

	verified uint64              // up to there, it was told what happened
	newest   uint64              // change that it was told of
	told     map[uint64]killTold // those after verified
	repeats  int
	// scope is what it knows of a scope, by id. It is nil for a room.
	scope map[string]inScope
	times int // how often it has connected
	// snapshot says that one has begun and not come to its end: what happened
	// meanwhile has overtaken it, and if the connection ends before it does, what was
	// missed is told behind that.
	snapshot bool
}

// inScope is a document, and with which connection it came.
type inScope struct {
	killDocument
	times int
}

// live reads until the connection ends. Some clients end it themselves, and
// connect again; some take no more messages, and do not acknowledge them.
func (s *killSubscriber) live(b *broker) error {
	for {
		leave, quiet := math.MaxInt, math.MaxInt
		if s.random.IntN(4) == 0 {
			leave = s.random.IntN(500)
		}
		if s.random.IntN(3) == 0 && !s.run.last.Load() {
			quiet = s.random.IntN(300)
			s.run.seen(s, math.MaxUint64) // it may not get as far as the marker
		}
		w, err := s.dial(b)
		if err != nil {
			return err
		}
		if s.snapshot {
			s.snapshot, s.newest = false, s.verified
		}
		if err := s.listen(w, leave, quiet); err != nil {
			return err
		}
		w.Close()
	}
}

// listen takes messages until the connection ends, or so many have come.
func (s *killSubscriber) listen(w *wire, leave, quiet int) error {
	s.times++
	var last uint64 // change in this connection
	if s.token {
		if err := s.subscribe(w, 1, s.topicFilter+"&since="+strconv.FormatUint(s.newest, 10)); err != nil {
			return err
		}
	}
	var acks []byte
	for count := range leave {
		p, err := w.read()
		slow := count > quiet && (err != nil || p.kind == typeDisconnect)
		switch {
		case slow && !s.run.killing.Load():
			return nil // the broker has ended it
		case err != nil:
			return err
		case p.kind != typePublish:
			return fmt.Errorf("%s: packet type %d with % x", s.o.id, p.kind, p.body)
		case count >= quiet:
			continue // it was not told: it will be again
		}
		m := parsePublish(s.run.t, p, s.o.v5)
		if err := s.take(m, &last); err != nil {
			return err
		}
		acks = append(acks, ackPacket(typePuback, m.id)...)
		if w.in.Buffered() > 0 && len(acks) < 100 && count+1 < quiet {
			continue
		}
		if _, err := w.Write(acks); err != nil {
			return err
		}
		acks = acks[:0]
	}
	return nil
}

// take notes a message. Last is the change before it on this connection.
func (s *killSubscriber) take(m message, last *uint64) error {
	n, err := s.parse(m)
	switch {
	case err != nil:
		return err
	case s.scope != nil && strings.HasSuffix(m.topic, "/$synced"):
		return s.synced(m)
	case s.scope != nil:
		s.enterOrExit(n)
		if m.retain {
			s.snapshot = true
			return nil // by id and not in order; $synced says what it was
		}
	}
	old, again := s.told[n.Seq]
	happened, known := s.run.truth.change(n.Seq)
	switch {
	case n.Seq <= *last:
		return s.broken("%+v comes after seq %d on one connection", n, *last)
	case (again || n.Seq <= s.verified) && s.token:
		return s.broken("%+v is told again, after seq %d was asked for", n, s.newest)
	case again && old != n, known && !s.matches(n, happened):
		return s.broken("%+v: it was told before as %+v, and what happened is %+v", n, old, happened)
	case again || n.Seq <= s.verified:
		s.repeats++
	case n.Seq < s.newest:
		return s.broken("%+v comes after seq %d, and not as something told again", n, s.newest)
	}
	*last = n.Seq
	s.newest = max(s.newest, n.Seq)
	if n.Seq > s.verified {
		s.told[n.Seq] = n
	}
	if n.Result.ID == "marker" && n.Seq > s.verified {
		return s.check(n.Seq)
	}
	return nil
}

// parse reads a notification, or what the user properties say of one.
func (s *killSubscriber) parse(m message) (n killTold, err error) {
	if s.scope == nil {
		return n, json.Unmarshal(m.payload, &n)
	}
	n.Result.ID = m.topic[strings.LastIndexByte(m.topic, '/')+1:]
	n.Transition = m.user["transition"]
	if n.Seq, err = strconv.ParseUint(m.user["seq"], 10, 64); err == nil && len(m.payload) > 0 {
		err = json.Unmarshal(m.payload, &n.Result.Source)
	}
	return n, err
}

func (s *killSubscriber) matches(n killTold, c killChange) bool {
	if s.scope == nil {
		return n.matches(c)
	}
	in := c.after.fast()
	return n.Result.ID == c.id && n.Transition == c.transition() && (!in || n.Result.Source == *c.after)
}

func (s *killSubscriber) broken(format string, args ...any) error {
	s.run.fault("subscriber", s.o.id+": "+format, args...)
	return errFault
}

func (s *killSubscriber) enterOrExit(n killTold) {
	if n.Transition == "exit" {
		delete(s.scope, n.Result.ID)
		return
	}
	s.scope[n.Result.ID] = inScope{n.Result.Source, s.times}
}

// synced ends a snapshot: what was not told in it is not in scope any more.
func (s *killSubscriber) synced(m message) error {
	if len(m.payload) == 0 {
		return nil // what comes is all, as always here
	}
	var says struct{ Seq uint64 }
	if err := json.Unmarshal(m.payload, &says); err != nil {
		return err
	}
	for id, d := range s.scope {
		if d.times != s.times {
			delete(s.scope, id)
		}
	}
	for seq := range s.told {
		if seq <= says.Seq {
			delete(s.told, seq)
		}
	}
	s.snapshot = false
	s.verified, s.newest = max(s.verified, says.Seq), max(s.newest, says.Seq)
	s.run.seen(s, s.verified)
	return nil
}

// check compares what it was told up to a marker with what happened.
func (s *killSubscriber) check(marker uint64) error {
	documents, ok := s.run.truth.at(marker)
	if !ok {
		return s.broken("the marker at seq %d is none", marker)
	}
	for _, c := range s.run.truth.between(s.verified, marker) {
		n, ok := s.told[c.seq]
		if !ok || !s.matches(n, c) {
			return s.broken("it was not told that %+v is a %s of %+v, but %+v", c, c.transition(), c.after, n)
		}
		delete(s.told, c.seq)
	}
	for seq, n := range s.told {
		if seq <= marker {
			return s.broken("it was told %+v, which did not happen", n)
		}
	}
	s.verified = max(s.verified, marker)
	if s.scope != nil {
		if err := s.checkScope(documents); err != nil {
			return err
		}
	}
	s.run.seen(s, marker)
	return nil
}

func (s *killSubscriber) checkScope(documents map[string]killDocument) error {
	members := 0
	for id, d := range documents {
		if !d.fast() {
			continue
		}
		members++
		if s.scope[id].killDocument != d {
			return s.broken("%s is %+v in its scope and %+v in truth", id, s.scope[id], d)
		}
	}
	if members != len(s.scope) {
		return s.broken("it has %d documents in scope, which are %d", len(s.scope), members)
	}
	return nil
}
