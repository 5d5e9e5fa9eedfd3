package sessions

import (
	"errors"
	"iter"
	"strings"
	"sync"

	"github.com/tidwall/btree"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// retained holds the retained messages of plain topics, in the order of their
// topics. A copy costs nothing until one of the two changes.
type retained struct {
	mu       sync.Mutex // guards what follows
	messages btree.Map[string, kept]
}

// A kept message has a date if it expires.
type kept struct {
	m       *Message
	expires *date
}

// put keeps a message, or forgets that of its topic if it is empty. It returns
// what was there before.
func (r *retained) put(m *Message, expires *date) kept {
	r.mu.Lock()
	defer r.mu.Unlock()
	var old kept
	if len(m.Payload) == 0 {
		old, _ = r.messages.Delete(m.Topic)
	} else {
		old, _ = r.messages.Set(m.Topic, kept{m, expires})
	}
	return old
}

// expire forgets a message, unless another has taken its place.
func (r *retained) expire(m *Message) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now, ok := r.messages.Get(m.Topic); !ok || now.m != m {
		return false
	}
	r.messages.Delete(m.Topic)
	return true
}

func (r *retained) has(topic string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.messages.Get(topic)
	return ok
}

func (r *retained) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.messages.Len()
}

// match yields the messages of the topics that a topic filter matches, as they
// are now, however long that takes.
func (r *retained) match(topicFilter string) iter.Seq[*Message] {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !hasWildcard(topicFilter) {
		k, ok := r.messages.Get(topicFilter)
		return func(yield func(*Message) bool) {
			if ok {
				yield(k.m)
			}
		}
	}
	frozen := r.messages.Copy()
	prefix := topicFilter[:strings.IndexAny(topicFilter, "+#")]
	if prefix+"#" == topicFilter {
		prefix = strings.TrimSuffix(prefix, "/") // the parent level, too
	}
	return func(yield func(*Message) bool) {
		frozen.Ascend(prefix, func(topic string, k kept) bool {
			if !strings.HasPrefix(topic, prefix) {
				return false
			}
			return !topics.Match(topicFilter, topic) || yield(k.m)
		})
	}
}

// retain keeps a plain retained message, until it expires.
func (e *Engine) retain(m *Message) {
	var expires *date
	if m.mortal && len(m.Payload) > 0 {
		expires = e.schedule.at(m.expires, func() {
			e.tasks.Go(func() { e.expireRetained(m) })
		})
	}
	e.schedule.cancel(e.retained.put(m, expires).expires)
}

// unretain forgets the plain retained message of a topic.
func (e *Engine) unretain(topic string) { e.retain(&Message{Topic: topic}) }

// expireRetained forgets a retained message whose time is over.
func (e *Engine) expireRetained(m *Message) {
	if !e.retained.expire(m) {
		return
	}
	op := &persistence.Op{Records: []persistence.Record{persistence.DeleteRetained(m.Topic)}}
	if err := e.append(op); err != nil {
		e.log.Error("forget retained message", "topic", m.Topic, "error", err)
	}
}

// first yields what a new subscription is told first: what is in a scope, or the
// plain retained messages and the documents that were published with retain.
func (e *Engine) first(sub *Subscription, snap *persistence.Snapshot) iter.Seq2[*Message, error] {
	if sub.Target.Kind == topics.Scope {
		return e.h.First(sub.To, sub.Target, snap)
	}
	plain := e.retained.match(sub.To.Text)
	return func(yield func(*Message, error) bool) {
		for m := range plain {
			if !yield(m, nil) {
				return
			}
		}
		for doc, err := range retainedDocuments(snap, sub.To.Text) {
			if err != nil {
				yield(nil, err)
				return
			}
			topic := topicOf(doc.Key)
			if !e.retained.has(topic) && !yield(&Message{Topic: topic, Payload: doc.Body, QoS: 2, Retain: true}, nil) {
				return
			}
		}
	}
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
