package hooks

import (
	"errors"
	"iter"
	"strings"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
	"github.com/ambitmq/ambit/topics"
)

// retain keeps a plain retained message. A document that is published with
// retain is its own retained message: what was there before it goes.
func (h *Hook) retain(m *message) {
	h.server.Topics.RetainMessage(m.packet())
}

// unretain forgets the plain retained message of a topic.
func (h *Hook) unretain(topic string) {
	h.server.Topics.RetainMessage((&message{topic: topic}).packet()) // an empty one
}

// retained says whether a topic has a plain retained message.
func (h *Hook) retained(topic string) bool {
	_, ok := h.server.Topics.Retained.Get(topic)
	return ok
}

// OnRetainedExpired forgets a retained message that the server has expired.
func (h *Hook) OnRetainedExpired(topic string) {
	op := &persistence.Op{Records: []persistence.Record{persistence.DeleteRetained(topic)}}
	if err := h.append(op); err != nil {
		h.log.Error("forget retained message", "topic", topic, "error", err)
	}
}

// scopeMessages yields a snapshot of the documents in scope.
func scopeMessages(sub *subscription, snap *persistence.Snapshot) iter.Seq2[*message, error] {
	return func(yield func(*message, error) bool) {
		for rm, err := range rooms.Snapshot(snap, sub.to, sub.filter) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(roomMessage(rm), nil) {
				return
			}
		}
	}
}

// retainedMessages yields the plain retained messages and the documents that
// were published with retain, of the topics that a topic filter matches.
func (h *Hook) retainedMessages(topicFilter string, snap *persistence.Snapshot) iter.Seq2[*message, error] {
	plain := h.server.Topics.Messages(topicFilter)
	return func(yield func(*message, error) bool) {
		for i := range plain {
			if !yield(retainedMessage(&plain[i]), nil) {
				return
			}
		}
		for doc, err := range retainedDocuments(snap, topicFilter) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !h.retained(topicOf(doc.Key)) && !yield(retainedDocument(doc), nil) {
				return
			}
		}
	}
}

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
