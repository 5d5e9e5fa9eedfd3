package broker

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/mappings"
	"github.com/ambitmq/ambit/topics"
)

// CheckFiles reads the files that settings name, which have to be valid, and reports
// each that cannot be used.
func CheckFiles(cfg Config) error {
	log := slog.New(slog.DiscardHandler)
	_, err := loadGate(cfg, log)
	faults := []error{err}
	for i, l := range cfg.Listeners {
		if l.isSecure() {
			if err := (&certificates{files: l.TLS, log: log}).load(); err != nil {
				faults = append(faults, fmt.Errorf("listeners[%d].tls.%w", i, err))
			}
		}
	}
	return errors.Join(faults...)
}

// Written is what a message does to a document.
type Written struct {
	// Topic is that of the document, "" if the message is an ordinary one alone.
	Topic string `json:"topic,omitempty"`
	// Document is what is written, empty if the document is deleted.
	Document json.RawMessage `json:"document,omitempty"`
	// Merge says that it is merged into the document that is there.
	Merge bool `json:"merge,omitempty"`
}

// TryTopic says what a message does to a document by settings, which have to be
// valid. The error says why it would be refused.
func TryTopic(cfg Config, topic string, payload []byte) (Written, error) {
	name, err := topics.ParseName(topic, topics.Limits{Levels: cfg.Limits.TopicLevels, Bytes: cfg.Limits.TopicBytes})
	if err != nil {
		return Written{}, err
	}
	limits := documentLimits(cfg)
	m, err := mappingTable(cfg).Find(topic)
	if err != nil {
		return Written{}, err
	}
	if m == nil && name.Kind != topics.Document {
		return Written{}, nil
	}
	w := Written{Topic: topic, Document: payload}
	if m != nil {
		w.Topic, w.Merge = m.Index+"/"+m.Collection+"/"+m.ID, m.Merge()
		w.Document, err = m.Document(payload, limits)
	} else if len(payload) > 0 {
		_, err = filter.ParseDocument(payload, limits)
		if errors.Is(err, filter.ErrNotObject) {
			err = mappings.ErrOrdinary
		}
	}
	if errors.Is(err, mappings.ErrOrdinary) {
		return Written{}, nil
	}
	for _, c := range cfg.Collections {
		w.Merge = w.Merge || c.Write == "merge" && (m != nil && c.Name == m.Index+"/"+m.Collection || m == nil && c.Name == name.Index+"/"+name.Collection)
	}
	return w, err
}
