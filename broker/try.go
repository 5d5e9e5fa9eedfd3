package broker

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/ambitmq/ambit/hooks"
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
	o := hooks.Options{
		Documents: documentLimits(cfg), AutoCreate: cfg.AutoCreate, Collections: hookCollections(cfg), Mappings: mappingTable(cfg),
	}
	m, err := o.Meaning(topic, topicLimits(cfg), payload)
	if m == nil || err != nil {
		return Written{}, err
	}
	return Written{Topic: m.Key.Index + "/" + m.Key.Collection + "/" + m.Key.ID, Document: m.Body, Merge: m.Merged}, nil
}
