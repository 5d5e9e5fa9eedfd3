package broker

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ambitmq/ambit/mappings"
	"github.com/ambitmq/ambit/topics"
)

// A Mapping makes documents of the messages on some topics, which stay ordinary
// messages, too. It is a preset, or has settings of its own; see [mappings.Mapping].
type Mapping struct {
	// Preset is a convention: owntracks, tasmota or zigbee2mqtt. Nothing else is given then but
	// fences.
	Preset string `mapstructure:"preset"`
	// Fences are for the preset owntracks: names of rooms of people/phones, without their @,
	// or "*" for all. A phone that enters or leaves one is told so by a transition message on
	// owntracks/<user>/<device>/event.
	Fences []string `mapstructure:"fences"`
	// Topic has literal levels, and variables for others: "owntracks/{user}/{device}".
	Topic string `mapstructure:"topic"`
	// Index, Collection and ID are those of the document, with variables of the topic in
	// them: "{user}-{device}".
	Index      string `mapstructure:"index"`
	Collection string `mapstructure:"collection"`
	ID         string `mapstructure:"id"`
	// When is a filter, as JSON text, that the payload has to match. What does not is an
	// ordinary message alone.
	When string `mapstructure:"when"`
	// Fields are members that the document has besides those of the payload. A text is the
	// path of a value in the payload, or, with {variables}, itself; names with values make an object of them.
	Fields map[string]any `mapstructure:"fields"`
	// Only says that the document has these fields and nothing else.
	Only bool `mapstructure:"only"`
	// Text is the name of the member that has a payload which is not JSON, as a string.
	// Without it, such a message is an ordinary one alone.
	Text string `mapstructure:"text"`
	// Merge says that the document is merged into the one that is there, as with the
	// collection's write: merge.
	Merge bool `mapstructure:"merge"`
}

// compile returns what is meant by the mapping.
func (m Mapping) compile() []mappings.Mapping {
	if all, ok := mappings.Preset(m.Preset); ok {
		for i := range all {
			all[i].Fences = m.Fences
		}
		return all
	}
	return []mappings.Mapping{{
		Topic: m.Topic, Index: m.Index, Collection: m.Collection, ID: m.ID, When: m.When,
		Fields: m.Fields, Only: m.Only, Text: m.Text, Merge: m.Merge,
	}}
}

// mappingTable returns the mappings of valid settings.
func mappingTable(c Config) *mappings.Table {
	var all []mappings.Mapping
	for _, m := range c.Mappings {
		all = append(all, m.compile()...)
	}
	t, _ := mappings.Compile(all) // Validate has looked at each
	return t
}

func (c Config) checkMappings(k *check) {
	for i, m := range c.Mappings {
		key := fmt.Sprintf("mappings[%d]", i)
		m.checkFences(k.in(key))
		if m.Preset != "" {
			k := k.in(key)
			k.oneOf("preset", m.Preset, mappings.Presets()...)
			for _, s := range []struct{ key, value string }{{"topic", m.Topic}, {"index", m.Index}, {"collection", m.Collection}, {"id", m.ID}, {"when", m.When}, {"text", m.Text}} {
				k.absent(s.key, s.value, "where there is a preset")
			}
			continue
		}
		_, err := mappings.Compile(m.compile())
		var joined interface{ Unwrap() []error }
		if errors.As(err, &joined) {
			for _, err := range joined.Unwrap() {
				*k.faults = append(*k.faults, errors.New(strings.Replace(err.Error(), "[0]", key, 1)))
			}
		}
	}
}

// checkFences wants names of rooms that a device can be told of.
func (m Mapping) checkFences(k *check) {
	if len(m.Fences) > 0 && m.Preset != "owntracks" {
		k.bad("fences", m.Fences, "absent unless preset is owntracks")
	}
	for i, name := range m.Fences {
		if err := topics.CheckRoomName(name); err != nil && name != mappings.AllFences {
			k.bad(fmt.Sprintf("fences[%d]", i), quoted(name), `the name of a room, without @, or "*"`)
		}
	}
}
