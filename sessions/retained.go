package sessions

import (
	"bytes"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// Retained messages are read in pieces, so that a slow client holds no more than
// one in memory: so many messages, or so many bytes.
const (
	retainedPiece      = 256
	retainedPieceBytes = 256 << 10
)

// A system holds the retained messages below $SYS. No others are in memory, and
// these are not on disk.
type system struct {
	mu       sync.Mutex // guards what follows
	messages []*Message // in the order of their topics
}

// put keeps a message in place of that of its topic, and says whether it has another
// payload.
func (s *system) put(m *Message) (changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := slices.BinarySearchFunc(s.messages, m.Topic, func(m *Message, topic string) int { return strings.Compare(m.Topic, topic) })
	if ok {
		changed = !bytes.Equal(s.messages[i].Payload, m.Payload)
		s.messages[i] = m
		return changed
	}
	s.messages = slices.Insert(s.messages, i, m)
	return true
}

func (s *system) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.messages)
}

// match returns the messages of the topics that a topic filter matches.
func (s *system) match(topicFilter string) []*Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.messages), func(m *Message) bool { return !topics.Match(topicFilter, m.Topic) })
}

// first yields what a new subscription is told first: what is in a scope, or the
// plain retained messages and the documents that were published with retain.
func (e *Engine) first(s *session, sub *Subscription, snap *persistence.Snapshot) iter.Seq2[*Message, error] {
	if !sub.isPlain() {
		told, since := e.toldOf(s, sub)
		return e.h.First(s.id, sub.To, told, since, snap)
	}
	system := e.system.match(sub.To.Text)
	return func(yield func(*Message, error) bool) {
		for _, m := range system {
			if !yield(m, nil) {
				return
			}
		}
		for m, err := range e.retainedMessages(snap, sub.To.Text) {
			if !yield(m, err) || err != nil {
				return
			}
		}
		for doc, err := range retainedDocuments(snap, sub.To.Text) {
			if err != nil {
				yield(nil, err)
				return
			}
			topic := topicOf(doc.Key)
			plain, err := e.retainedMessage(snap, topic)
			if err == nil && plain == nil {
				plain = &Message{Topic: topic, Payload: doc.Body, QoS: 2, Retain: true, Subject: e.h.Subject(doc)}
			} else if err == nil {
				continue // it was told instead
			}
			if !yield(plain, err) || err != nil {
				return
			}
		}
	}
}

// retainedMessages yields the plain retained messages of a snapshot whose topics a
// topic filter matches, in the order of their topics.
func (e *Engine) retainedMessages(snap *persistence.Snapshot, topicFilter string) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		prefix, wildcard := topicFilter, strings.IndexAny(topicFilter, "+#")
		if wildcard >= 0 {
			prefix = topicFilter[:wildcard]
		}
		if wildcard < 0 || prefix != "" && prefix+"#" == topicFilter { // the topic itself, or the parent level
			m, err := e.retainedMessage(snap, strings.TrimSuffix(topicFilter, "/#"))
			if (m != nil || err != nil) && !yield(m, err) || err != nil {
				return
			}
		}
		for after, more := "", wildcard >= 0; more; {
			var piece []*Message
			var err error
			if piece, after, more, err = e.retainedAfter(snap, topicFilter, prefix, after); err != nil {
				yield(nil, err)
				return
			}
			for _, m := range piece {
				if !yield(m, nil) {
					return
				}
			}
		}
	}
}

// retainedAfter returns the next retained messages that a topic filter matches, of
// the topics with a prefix, and the last topic that it has read. More says that there
// may be others behind it.
func (e *Engine) retainedAfter(snap *persistence.Snapshot, topicFilter, prefix, after string) (piece []*Message, last string, more bool, err error) {
	keep := func(topic string) bool { return topics.Match(topicFilter, topic) }
	now, size := e.store.Now(), 0
	for r, err := range snap.RetainedMessages(prefix, after, keep) {
		if err != nil {
			return nil, "", false, err
		}
		if last = r.Topic; expiredAt(r, now) {
			continue
		}
		m := restored(r, now)
		piece = append(piece, m)
		if size += m.size(); len(piece) == retainedPiece || size >= retainedPieceBytes {
			return piece, last, true, nil
		}
	}
	return piece, last, false, nil
}

// retainedMessage returns the plain retained message of a topic, or nil.
func (e *Engine) retainedMessage(snap *persistence.Snapshot, topic string) (*Message, error) {
	r, err := snap.RetainedMessage(topic)
	if errors.Is(err, persistence.ErrNotFound) {
		return nil, nil
	}
	now := e.store.Now()
	if err != nil || expiredAt(r, now) {
		return nil, err
	}
	return restored(r, now), nil
}

// expiredAt says whether a message is told no more: the store deletes it a little
// later.
func expiredAt(r persistence.Retained, now time.Time) bool {
	return !r.Properties.Expiry.IsZero() && !r.Properties.Expiry.After(now)
}

func topicOf(k persistence.Key) string { return k.Index + "/" + k.Collection + "/" + k.ID }

// retainedDocuments yields the documents with the retain flag whose topic
// matches, reading only the collections that can have any.
func retainedDocuments(snap *persistence.Snapshot, topicFilter string) iter.Seq2[*persistence.Document, error] {
	return func(yield func(*persistence.Document, error) bool) {
		index, rest, _ := strings.Cut(topicFilter, "/")
		collection, id, _ := strings.Cut(rest, "/")
		if id != "" && !strings.ContainsAny(topicFilter, "+#") {
			doc, err := snap.Get(persistence.Key{Index: index, Collection: collection, ID: id})
			if !errors.Is(err, persistence.ErrNotFound) && (err != nil || doc.Retained) {
				yield(doc, err)
			}
			return
		}
		for name, err := range snap.Collections() {
			if err != nil {
				yield(nil, err)
				return
			}
			if !mayMatch(topicFilter, name.Index, name.Name) {
				continue
			}
			for doc, err := range snap.Documents(name.Index, name.Name, "") {
				skip := err == nil && (!doc.Retained || !topics.Match(topicFilter, topicOf(doc.Key)))
				if !skip && !yield(doc, err) {
					return
				}
			}
		}
	}
}

// mayMatch says whether a topic filter can match a document of a collection.
func mayMatch(topicFilter, index, collection string) bool {
	for _, level := range []string{index, collection} {
		f, rest, _ := strings.Cut(topicFilter, "/")
		if f == "#" {
			return true
		}
		if f != "+" && f != level {
			return false
		}
		topicFilter = rest
	}
	return topicFilter == "#" || topicFilter != "" && !strings.Contains(topicFilter, "/")
}
