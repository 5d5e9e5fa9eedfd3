package hooks

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/topics"
)

// rights are what the policy, as it is now, lets a client do.
type rights struct {
	hook    *Hook
	who     *access.Identity
	client  string
	current atomic.Pointer[access.Rights]
	heir    *heir // of a will, or nil
}

var _ sessions.Rights = (*rights)(nil)

// rightsOf returns the rights of somebody, or nil without a policy.
func (h *Hook) rightsOf(who *access.Identity, client string) sessions.Rights {
	if h.opts.Access.Policy() == nil {
		return nil
	}
	return &rights{hook: h, who: who, client: client}
}

// now returns the rights by the policy as it is now.
func (r *rights) now() *access.Rights {
	p, known := r.hook.opts.Access.Policy(), r.current.Load()
	if r.heir != nil {
		who, err := r.heir.now()
		if err != nil { // mayPublish has said so, unless it was only just
			who = access.Nobody()
		}
		return p.Rights(who, r.client)
	}
	if !known.Of(p) {
		known = p.Rights(r.who, r.client)
		r.current.Store(known)
	}
	return known
}

// nowOf returns what somebody may do, nil for everything.
func nowOf(by sessions.Rights) *access.Rights {
	if r, ok := by.(*rights); ok {
		return r.now()
	}
	return nil
}

// Rights returns the rights of a client that was there before the process was.
func (h *Hook) Rights(client, user string, stored []byte) sessions.Rights {
	who, _ := h.door.Recall(user, stored)
	return h.rightsOf(who, client)
}

// MayPublish says whether a client may publish on a topic, and be answered where it
// says. Documents of a collection with rules are up to those.
func (r *rights) MayPublish(name topics.Name, m *sessions.Message) error {
	if r.heir != nil {
		return r.heir.mayPublish(name, m)
	}
	now := r.now()
	if to, ok := m.ResponseTopic(); ok && !isAnswer(to) {
		if err := r.mayBeAnswered(now, name.Kind == topics.Request, to); err != nil {
			return err
		}
	}
	if name.Kind == topics.Request || name.Kind == topics.Document && name.Mapping == nil && now.Ruled(name.Index, name.Collection) {
		return nil
	}
	if err := now.MayPublish(m.Topic); err != nil {
		return refuse(err)
	}
	return nil
}

// mayBeAnswered says whether a client may have its messages be answered on a topic. The
// broker answers requests to nobody else. Other clients publish there, by rights of their own,
// what may be as the client wants it: so it has to be a topic on which it may publish anything.
func (r *rights) mayBeAnswered(now *access.Rights, request bool, to string) error {
	if request {
		if _, err := now.MaySubscribe(to); err != nil {
			return &sessions.Error{Code: packets.ErrNotAuthorized.Code, Text: "not authorized to subscribe to the response topic"}
		}
		return nil
	}
	name, err := r.hook.Name(to)
	if err == nil && name.Kind == topics.Document && now.Ruled(name.Index, name.Collection) {
		for _, op := range []access.Operation{access.Create, access.Update, access.Delete} {
			if _, every := now.MayWrite(name.Index, name.Collection, op); !every {
				err = access.ErrForbidden
			}
		}
		if name.Mapping == nil && err == nil {
			return nil
		}
	}
	if err == nil {
		err = now.MayPublish(to)
	}
	if err != nil {
		return &sessions.Error{Code: packets.ErrNotAuthorized.Code, Text: "not authorized to publish on the response topic"}
	}
	return nil
}

// isAnswer says whether a topic is the one of answers, on which everybody gets its own.
func isAnswer(topic string) bool {
	return topic == topics.ResponseName || topic == topics.Response("Kuzzle/request")
}

// maySubscribe says whether a plain topic filter may be subscribed to.
func maySubscribe(by sessions.Rights, to topics.Filter) error {
	if by == nil || isAnswer(to.Text) {
		return nil
	}
	_, err := nowOf(by).MaySubscribe(to.Text)
	return err
}

// refuseForbidden returns an error with its reason code, if it is that of a policy.
func refuseForbidden(err error) error {
	if errors.Is(err, access.ErrForbidden) {
		return refuse(err)
	}
	return err
}

// under returns a content filter as it is for somebody.
func under(by sessions.Rights, to topics.Filter, own *filter.Filter) (*filter.Filter, error) {
	if by == nil {
		return own, nil
	}
	if to.Room.Options.View {
		return nowOf(by).UnderView(to.Index, to.Collection, own)
	}
	return nowOf(by).Under(to.Index, to.Collection, own)
}

// mayWrite has a write be refused that somebody may not make, now or when it is made.
// A nil write is that of an ordinary message, on a topic of documents.
func mayWrite(by sessions.Rights, topic string, w *persistence.Write) error {
	now := nowOf(by)
	if w == nil {
		if err := now.MayPublish(topic); err != nil {
			return refuse(err)
		}
		return nil
	}
	if err := now.MayTry(w.Key.Index, w.Key.Collection, w.Body == nil && w.Edit == nil); err != nil {
		return refuse(err)
	}
	w.Check = func(c *persistence.Change) error {
		if err := rooms.MayWrite(now, c); err != nil {
			return refuse(err)
		}
		return nil
	}
	return nil
}

// A subject is a document that a message is about. Those who see the same of it share
// the answer.
type subject struct {
	doc *persistence.Document

	mu       sync.Mutex // guards what follows
	prepared *filter.Document
	seen     map[string]*sessions.Message // by access.Sight.Key; nil is nothing
}

// Subject returns a document for [rights.See].
func (h *Hook) Subject(doc *persistence.Document) any {
	if doc == nil || h.opts.Access.Policy() == nil {
		return nil
	}
	return &subject{doc: doc}
}

// See returns what the client is given of a message: the message itself, or without
// what is hidden, or nil.
func (r *rights) See(m *sessions.Message) *sessions.Message {
	now := r.now()
	s, _ := m.Subject.(*subject)
	if s == nil {
		if s = r.hook.guess(now, m); s == nil {
			if mayReceive(now, m.Topic) {
				return m
			}
			return nil
		}
	}
	k := s.doc.Key
	if !now.Ruled(k.Index, k.Collection) {
		if now.MayReceive(m.Topic) {
			return m
		}
		return nil
	}
	return s.see(now.View(k.Index, k.Collection, k.ID), m)
}

// mayReceive says whether a message that is about no document may be received. Who is in
// a room may be known to those who may find its documents.
func mayReceive(now *access.Rights, topic string) bool {
	if room, ok := strings.CutPrefix(topic, topics.PresenceOfRooms); ok {
		index, rest, _ := strings.Cut(room, "/")
		collection, _, _ := strings.Cut(rest, "/")
		_, err := now.List(index, collection)
		return err == nil
	}
	return isAnswer(topic) || now.MayReceive(topic)
}

func (s *subject) see(sight *access.Sight, m *sessions.Message) *sessions.Message {
	if sight.Filter.Everything() && len(sight.Hidden) == 0 {
		return m
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if seen, known := s.seen[sight.Key]; known {
		return seen
	}
	seen := s.look(sight, m)
	if s.seen == nil {
		s.seen = map[string]*sessions.Message{}
	}
	s.seen[sight.Key] = seen
	return seen
}

// look finds what may be seen of the message. One that cannot be read is not seen.
func (s *subject) look(sight *access.Sight, m *sessions.Message) *sessions.Message {
	if !sight.Filter.Everything() {
		if s.prepared == nil {
			d, err := rooms.Prepare(s.doc)
			if err != nil {
				return nil
			}
			s.prepared = d
		}
		if !sight.Filter.Match(s.prepared) {
			return nil
		}
	}
	if len(m.Payload) == 0 || len(sight.Hidden) == 0 {
		return m
	}
	payload, err := filter.Hide(m.Payload, sight.Hidden)
	if err != nil {
		return nil
	}
	seen := *m
	seen.Payload = payload
	return &seen
}

// guess returns the document that a message of a collection with rules is about if
// nobody knows any more: one that has waited in the store, or whose change is still to
// come. It is the one that the message holds. Of what that cannot be said, one sees
// nothing who may not see everything. An ordinary message has none.
func (h *Hook) guess(now *access.Rights, m *sessions.Message) *subject {
	name, err := topics.ParseName(m.Topic, h.topics)
	if err != nil || name.Kind != topics.Document || !now.Ruled(name.Index, name.Collection) {
		return nil
	}
	k := persistence.Key{Index: name.Index, Collection: name.Collection, ID: name.ID}
	if len(m.Payload) > 0 && !strings.HasPrefix(strings.TrimSpace(string(m.Payload)), "{") {
		return nil
	}
	s := &subject{doc: &persistence.Document{Key: k, Body: m.Payload}}
	if h.now().Collections[name.Index+"/"+name.Collection].Merge {
		s.doc.Body = nil // a patch is no document
	}
	return s
}

// Review has all members of rooms and scopes go over to what they may see by the policy
// as it is now. Those who are away do so when they are back.
func (h *Hook) Review() {
	op := &persistence.Op{Snapshot: true, Applied: func(r *persistence.Result) {
		if r.Err == nil {
			h.presence.Rename("", time.Now().UTC())
			h.engine.ShiftAll(r)
		}
	}}
	if err := h.store.Append(context.Background(), op); err != nil {
		h.opts.Log.Error("review rights", "error", err)
	}
}
