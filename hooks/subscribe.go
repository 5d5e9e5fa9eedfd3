package hooks

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
	"github.com/ambitmq/ambit/topics"
)

// aside is where mochi's topic tree keeps the subscriptions to rooms: a topic
// that nobody can publish on and no wildcard matches. It makes mochi answer
// SUBSCRIBE and UNSUBSCRIBE right; the rooms engine has the members.
const aside = "$room/"

// invalidFilter is a topic filter that mochi refuses with 0x8F.
const invalidFilter = "#/"

// asideName escapes what would make a topic filter deep, or a wildcard.
func asideName(topicFilter string) string {
	return aside + strings.NewReplacer("%", "%25", "/", "%2F", "+", "%2B", "#", "%23").Replace(topicFilter)
}

// typedName undoes asideName. Other names stay as they are.
func typedName(name string) string {
	rest, ok := strings.CutPrefix(name, aside)
	if !ok {
		return name
	}
	return strings.NewReplacer("%2F", "/", "%2B", "+", "%23", "#", "%25", "%").Replace(rest)
}

// A request is one topic filter of a SUBSCRIBE in progress.
type request struct {
	text    string // with $share/<group>/
	sub     *subscription
	refused *refusal
}

// OnSubscribe reads the topic filters before mochi does. Rooms are put aside,
// what cannot be read becomes a filter that mochi refuses, and the user
// properties of the SUBACK say more.
func (h *Hook) OnSubscribe(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	s := h.session(cl.ID)
	if s == nil {
		return pk
	}
	filters := slices.Clone(pk.Filters)
	asking := make([]request, len(filters))
	pk.Properties.User = nil // SUBACK would echo the client's own
	for i := range filters {
		asking[i] = h.read(filters[i])
		switch r := &asking[i]; {
		case r.refused != nil:
			filters[i].Filter = invalidFilter
			pk.Properties.User = append(pk.Properties.User,
				packets.UserProperty{Key: "error-" + strconv.Itoa(i), Val: clip(r.refused.text)})
		case r.sub.isRoom():
			filters[i].Filter = asideName(r.text)
			pk.Properties.User = append(pk.Properties.User,
				packets.UserProperty{Key: "room-" + strconv.Itoa(i), Val: r.sub.hash})
		}
		filters[i].RetainHandling = 2 // the outbox sends what is retained
	}
	pk.Filters = filters
	s.mu.Lock()
	s.asking = asking
	s.mu.Unlock()
	return pk
}

// read understands one topic filter.
func (h *Hook) read(sub packets.Subscription) request {
	r := request{text: sub.Filter, sub: &subscription{qos: sub.Qos, opts: sub}}
	if sub.Identifier > 0 {
		r.sub.ids = []int{sub.Identifier}
	}
	to, err := topics.ParseFilter(sub.Filter, h.opts.Topics)
	if err != nil {
		r.refused = badFilter(err)
		return r
	}
	if err := h.resolve(&to, r.sub, nil); err != nil {
		r.refused = badFilter(err)
	}
	r.sub.to = to
	return r
}

// resolve finds the content filter of a room: the one that was typed, that of a
// room with the hash that was typed, or the one that the store remembers.
func (h *Hook) resolve(to *topics.Filter, sub *subscription, remembered []byte) error {
	var err error
	switch {
	case remembered != nil:
		sub.filter, err = filter.ParseWithin(remembered, filter.NoLimits())
	case to.Room.Hash != "":
		f, ok := h.rooms.Filter(to.Index, to.Collection, to.Room.Hash)
		if !ok && to.Kind == topics.Plain {
			return nil // a document that is named like a hash
		}
		if !ok {
			return fmt.Errorf("no room of %s/%s has the hash %s", to.Index, to.Collection, to.Room.Hash)
		}
		sub.filter = f
	case to.Kind == topics.Plain:
		return nil
	case to.Room.Filter == "":
		sub.filter, err = filter.Parse([]byte("{}"))
	default:
		sub.filter, err = filter.ParseWithin([]byte(to.Room.Filter), h.opts.Filters)
	}
	if err != nil {
		return err
	}
	if to.Kind == topics.Plain { // <index>/<collection>/<filterhash>
		to.Kind, to.Room.Options = topics.Room, topics.DefaultOptions
	}
	if err := rooms.Check(*to, sub.filter); err != nil {
		return err
	}
	sub.hash = sub.filter.Hash(to.Index, to.Collection)
	return nil
}

// OnSubscribed makes the subscriptions that mochi granted real, before SUBACK
// is written: they are on disk, and the rooms notify. It may still change the
// reason codes.
func (h *Hook) OnSubscribed(cl *mqtt.Client, pk packets.Packet, reasonCodes []byte) {
	s := h.session(cl.ID)
	if s == nil {
		return
	}
	s.mu.Lock()
	asking, persistent := s.asking, s.persistent
	s.asking = nil
	s.mu.Unlock()
	defer s.box.waits()()
	version := cl.Properties.ProtocolVersion
	var granted []request
	for i := range asking {
		if r := asking[i].refused; r != nil {
			reasonCodes[i] = r.suback(version)
			h.log.Warn("subscription refused", "client", cl.ID, "topic_filter", clip(asking[i].text), "reason", r.text)
		}
		if reasonCodes[i] < packets.ErrUnspecifiedError.Code {
			granted = append(granted, asking[i])
		}
	}
	if len(granted) == 0 {
		return
	}
	if err := h.subscribe(s, granted, persistent); err != nil {
		r := refuse(err)
		h.log.Error("subscribe", "client", cl.ID, "error", err)
		for i := range asking {
			if reasonCodes[i] >= packets.ErrUnspecifiedError.Code {
				continue
			}
			reasonCodes[i] = r.suback(version)
			if s.sub(asking[i].text) == nil { // else the one from before goes on
				h.server.Topics.Unsubscribe(pk.Filters[i].Filter, cl.ID)
				cl.State.Subscriptions.Delete(pk.Filters[i].Filter)
			}
		}
	}
}

// OnPacketProcessed starts to send what is retained once SUBACK is written: the
// standard lets it come before, but not every client does.
func (h *Hook) OnPacketProcessed(cl *mqtt.Client, pk packets.Packet, _ error) {
	if pk.FixedHeader.Type != packets.Subscribe {
		return
	}
	if s := h.session(cl.ID); s != nil {
		s.box.startSources()
	}
}

// subscribe adds subscriptions to a session, and has it told what they are told
// first.
func (h *Hook) subscribe(s *session, granted []request, persistent bool) error {
	var records []persistence.Record
	var first []*subscription
	for _, r := range granted {
		existed := s.sub(r.text) != nil
		if persistent {
			records = append(records, r.sub.record(s.id, r.text))
		}
		if rh := r.sub.opts.RetainHandling; rh == 0 || rh == 1 && !existed { // [MQTT-3.3.1-9] to [MQTT-3.3.1-11]
			first = append(first, r.sub)
		}
	}
	if s.box.reading(first)+len(first) > maxSources {
		return &refusal{packets.ErrQuotaExceeded.Code, "too many snapshots are being read"}
	}
	var failed error
	err := h.tellFirst(s, first, &persistence.Op{
		Records:  records,
		Snapshot: slices.ContainsFunc(granted, request.namesDocuments),
		Applied: func(result *persistence.Result) {
			for _, r := range granted {
				failed = errors.Join(failed, h.join(s, r.text, r.sub, result.Snapshot))
			}
		},
	})
	return errors.Join(err, failed)
}

// namesDocuments reports whether the rooms engine will ask for documents.
func (r request) namesDocuments() bool { return r.sub.isRoom() && len(r.sub.filter.Neighbours()) > 0 }

// join makes a subscription count from the next change on. docs are the
// documents up to that.
func (h *Hook) join(s *session, text string, sub *subscription, docs rooms.Documents) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil
	}
	if sub.isRoom() {
		if _, err := h.rooms.Join(s.id, sub.to, sub.filter, docs); err != nil {
			return err
		}
	}
	s.subs[text] = sub
	return nil
}

// tellFirst puts op into the pipeline, and has the session told what these
// subscriptions are told first, exactly as of that point of it. It waits until
// op is applied.
func (h *Hook) tellFirst(s *session, subs []*subscription, op *persistence.Op) error {
	subs = slices.DeleteFunc(subs, func(sub *subscription) bool {
		return sub.to.Share != "" || sub.to.Kind == topics.Room // [MQTT-4.8.2]
	})
	op.Snapshot = op.Snapshot || len(subs) > 0
	applied := op.Applied
	op.Applied = func(r *persistence.Result) {
		if applied != nil {
			applied(r)
		}
		if r.Snapshot == nil {
			return
		}
		snapshot := &shared{snap: r.Snapshot}
		snapshot.users.Store(int32(len(subs)) + 1)
		defer snapshot.release()
		for _, sub := range subs {
			if !s.box.addSource(newSource(sub, h.first(sub, r.Snapshot), snapshot.release)) {
				s.leaveUnfinished([]string{sub.to.Text})
			}
		}
	}
	return h.submit(op)
}

// OnUnsubscribe turns the topic filters of rooms into what mochi knows them as.
func (h *Hook) OnUnsubscribe(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	s := h.session(cl.ID)
	if s == nil {
		return pk
	}
	pk.Filters = slices.Clone(pk.Filters)
	for i := range pk.Filters {
		if sub := s.sub(pk.Filters[i].Filter); sub != nil && sub.isRoom() {
			pk.Filters[i].Filter = asideName(pk.Filters[i].Filter)
		}
	}
	pk.Properties.User = nil
	return pk
}

// OnUnsubscribed leaves rooms and forgets subscriptions, before UNSUBACK is
// written. mochi also calls it when a session ends.
func (h *Hook) OnUnsubscribed(cl *mqtt.Client, pk packets.Packet) {
	s := h.session(cl.ID)
	if s == nil {
		return
	}
	defer s.box.waits()()
	var records []persistence.Record
	for _, f := range pk.Filters {
		text := typedName(f.Filter)
		s.mu.Lock()
		sub, persistent := s.subs[text], s.persistent
		delete(s.subs, text)
		s.mu.Unlock()
		if sub == nil {
			continue
		}
		if sub.isRoom() {
			h.rooms.Leave(s.id, sub.to, sub.hash)
		}
		if sub.to.Share == "" {
			s.box.dropSource(sub.to.Text)
		}
		if persistent {
			records = append(records, persistence.DeleteSubscription(s.id, text))
		}
	}
	if len(records) == 0 {
		return
	}
	if err := h.submit(&persistence.Op{Records: records}); err != nil {
		h.log.Error("unsubscribe", "client", cl.ID, "error", err)
	}
}
