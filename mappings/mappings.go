// Package mappings brings an existing fleet in without touching its firmware: it
// says which topics, beside those of three levels, are documents, and what document
// a payload on them is.
package mappings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/topics"
)

// A Mapping makes documents of the messages on some topics. In its texts, a
// variable such as {device} stands for the level of the topic at its place.
type Mapping struct {
	// Topic has literal levels and variables: "owntracks/{user}/{device}".
	Topic string
	// Index, Collection and ID are those of the document. They may hold variables.
	Index, Collection, ID string
	// When is the filter that the payload has to match, in JSON. One that does not is
	// an ordinary message. Empty is any payload.
	When string
	// Fields are members that the document has besides those of the payload. A text is
	// the path of a value in the payload, and left out if there is none, or, with
	// variables in it, itself; a map is an object of such; anything else is itself.
	Fields map[string]any
	// Only says that the document has nothing but Fields.
	Only bool
	// Text is the member that has a payload that is not JSON, as a string. Empty leaves
	// such a message an ordinary one.
	Text string
	// Fences are names of rooms of the collection, or [AllFences]: when a document enters one,
	// or leaves it, its device is told so as OwnTracks tells it, on the topic with /event behind.
	Fences []string
	// Merge says that the document is merged into the one that is there, so that several
	// topics make one document.
	Merge bool
}

// A Table finds the mapping of a topic. It may be used by many goroutines at once.
type Table struct {
	rules []*rule
}

// A rule is a mapping that was checked.
type rule struct {
	*Mapping
	levels []string // of Topic
	when   *filter.Filter
	fields []field
}

// A field is a member of a document, in the order of the names.
type field struct {
	name   string
	path   []string // in the payload, or
	text   string   // with variables, or
	fields []field  // of an object, or
	value  []byte   // JSON
}

// Compile checks mappings. Of those that fit a topic, the first one counts. The
// error says what is wrong with each, as "[0].topic: …".
func Compile(all []Mapping) (*Table, error) {
	t := &Table{}
	var faults faults
	for i := range all {
		t.rules = append(t.rules, compile(&all[i], func(key, format string, args ...any) {
			faults = append(faults, fmt.Errorf("[%d].%s: %s", i, key, fmt.Sprintf(format, args...)))
		}))
	}
	return t, faults.join()
}

func compile(m *Mapping, bad func(key, format string, args ...any)) *rule {
	r := &rule{Mapping: m, levels: strings.Split(m.Topic, "/")}
	known := r.variables(bad)
	for _, text := range []struct{ key, value string }{{"index", m.Index}, {"collection", m.Collection}, {"id", m.ID}} {
		if text.value == "" {
			bad(text.key, "is missing")
		}
		if name := unknown(text.value, known); name != "" {
			bad(text.key, "the topic has no level {%s}", name)
		}
	}
	if m.When != "" {
		var err error
		if r.when, err = filter.Parse([]byte(m.When)); err != nil {
			bad("when", "%v", err)
		} else if r.when.Momentary() {
			bad("when", "a payload is no change, which changed, crossed and near are about")
		}
	}
	if m.Only && len(m.Fields) == 0 {
		bad("only", "without fields the document would be empty")
	}
	r.fields = compileFields(m.Fields, "fields", known, bad)
	return r
}

// variables returns the names of those of the topic.
func (r *rule) variables(bad func(key, format string, args ...any)) []string {
	var known []string
	if err := topicFault(r.Topic); err != "" {
		bad("topic", "%s", err)
	}
	for _, level := range r.levels {
		name, ok := variable(level)
		switch {
		case !ok && strings.ContainsAny(level, "{}"):
			bad("topic", "%q: a variable is a whole level", level)
		case ok && slices.Contains(known, name):
			bad("topic", "{%s} is there twice", name)
		case ok:
			known = append(known, name)
		}
	}
	return known
}

// topicFault says what is wrong with a topic whose variables are any text.
func topicFault(topic string) string {
	switch {
	case topic == "":
		return "is missing"
	case strings.ContainsAny(topic, "+#"):
		return "write {name} for a level that may be anything, not + or #"
	}
	if _, err := topics.ParseName(topic, topics.Limits{}); err != nil {
		return err.Error()
	}
	return ""
}

// variable returns the name in {name}.
func variable(level string) (string, bool) {
	name, ok := strings.CutPrefix(level, "{")
	if name, ok2 := strings.CutSuffix(name, "}"); ok && ok2 && name != "" && !strings.ContainsAny(name, "{}") {
		return name, true
	}
	return "", false
}

// unknown returns the name of a variable in a text that is not known, or "".
func unknown(text string, known []string) string {
	for rest := text; ; {
		_, after, ok := strings.Cut(rest, "{")
		name, more, closed := strings.Cut(after, "}")
		if !ok || !closed {
			return ""
		}
		if !slices.Contains(known, name) {
			return name
		}
		rest = more
	}
}

// A Match is a topic that has a mapping.
type Match struct {
	rule      *rule
	variables []string // names and values, by turns
	// Index, Collection and ID are those of the document.
	Index, Collection, ID string
}

// Merge says that documents are merged into the one that is there.
func (m *Match) Merge() bool { return m.rule.Merge }

// Find returns what a topic is mapped to, or nil. The error says why it cannot be
// the document that its mapping makes it.
func (t *Table) Find(topic string) (*Match, error) {
	if t == nil {
		return nil, nil
	}
	for _, r := range t.rules {
		variables, ok := r.fit(topic)
		if !ok {
			continue
		}
		fill := strings.NewReplacer(variables...)
		m := &Match{
			rule: r, variables: variables,
			Index: fill.Replace(r.Index), Collection: fill.Replace(r.Collection), ID: fill.Replace(r.ID),
		}
		name, err := topics.ParseName(m.Index+"/"+m.Collection+"/"+m.ID, topics.Limits{})
		if err == nil && (name.Kind != topics.Document || name.ID != m.ID) {
			err = fmt.Errorf("%s/%s/%s is not the topic of a document", m.Index, m.Collection, m.ID)
		}
		if err != nil {
			return nil, fmt.Errorf("mapping of %s: %w", r.Topic, err)
		}
		return m, nil
	}
	return nil, nil
}

// fit returns the variables of a topic, if the rule is about it.
func (r *rule) fit(topic string) ([]string, bool) {
	var variables []string
	for i, want := range r.levels {
		level, rest, more := strings.Cut(topic, "/")
		if more != (i+1 < len(r.levels)) {
			return nil, false
		}
		topic = rest
		if _, ok := variable(want); ok {
			if level == "" {
				return nil, false
			}
			variables = append(variables, want, level)
		} else if level != want {
			return nil, false
		}
	}
	return variables, true
}
