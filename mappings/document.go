package mappings

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/jsonobject"
)

// ErrOrdinary says that a message on a mapped topic is an ordinary one.
var ErrOrdinary = errors.New("the message is no document")

type faults []error

func (f faults) join() error { return errors.Join(f...) }

// compileFields returns the members that fields make.
func compileFields(fields map[string]any, key string, known []string, bad func(key, format string, args ...any)) []field {
	var all []field
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		at := key + "." + name
		f := field{name: name}
		switch v := fields[name].(type) {
		case map[string]any:
			f.fields = compileFields(v, at, known, bad)
		case string:
			if !strings.ContainsAny(v, "{}") {
				f.path = strings.Split(v, ".")
				break
			}
			if f.text = v; unknown(v, known) != "" {
				bad(at, "the topic has no level {%s}", unknown(v, known))
			}
		default:
			var err error
			if f.value, err = json.Marshal(v); err != nil {
				bad(at, "%v", err)
			}
		}
		all = append(all, f)
	}
	return all
}

// Document returns the body of the document that a payload is: empty if it is
// deleted. The error is [ErrOrdinary] for a message that is no document, and else
// says which limit it breaks.
func (m *Match) Document(payload []byte, lim filter.DocumentLimits) ([]byte, error) {
	r := m.rule
	if len(payload) == 0 {
		if r.Only || r.Text != "" || r.Merge && r.when != nil {
			return nil, ErrOrdinary // it is about a part of the document
		}
		return nil, nil
	}
	doc, err := filter.ParseDocument(payload, lim)
	if errors.Is(err, filter.ErrNotObject) && r.Text != "" && !jsontext.Value(payload).IsValid() {
		return m.text(payload)
	}
	switch {
	case errors.Is(err, filter.ErrNotObject):
		return nil, ErrOrdinary
	case err != nil:
		return nil, err
	case r.when != nil && !r.when.Match(doc):
		return nil, ErrOrdinary
	}
	return m.object(payload)
}

// text returns the document that has a payload which is not JSON.
func (m *Match) text(payload []byte) ([]byte, error) {
	value, err := jsontext.AppendQuote(nil, string(payload))
	if err != nil {
		return nil, ErrOrdinary // it is not UTF-8
	}
	return m.object(fmt.Appendf(nil, `{%q:%s}`, m.rule.Text, value))
}

// object returns the payload, a JSON object, with the fields of the rule.
func (m *Match) object(payload []byte) ([]byte, error) {
	all, err := jsonobject.Members(payload)
	if err != nil {
		return nil, err
	}
	var body []jsonobject.Member
	if !m.rule.Only {
		body = slices.DeleteFunc(slices.Clone(all), func(member jsonobject.Member) bool {
			return slices.ContainsFunc(m.rule.fields, func(f field) bool { return f.name == member.Name })
		})
	}
	return jsonobject.Append(nil, append(body, m.members(m.rule.fields, all)...)), nil
}

// members returns what fields make of the members of a payload.
func (m *Match) members(fields []field, payload []jsonobject.Member) []jsonobject.Member {
	var all []jsonobject.Member
	for _, f := range fields {
		value := f.value
		switch {
		case f.fields != nil:
			if inner := m.members(f.fields, payload); len(inner) > 0 {
				value = jsonobject.Append(nil, inner)
			}
		case f.path != nil:
			value = lookup(payload, f.path)
		case f.text != "":
			value, _ = jsontext.AppendQuote(nil, strings.NewReplacer(m.variables...).Replace(f.text)) // topics are UTF-8
		}
		if value != nil {
			all = append(all, jsonobject.Member{Name: f.name, Value: value})
		}
	}
	return all
}

// lookup returns the value at a path, or nil.
func lookup(object []jsonobject.Member, path []string) []byte {
	for _, m := range object {
		if m.Name != path[0] {
			continue
		}
		if len(path) == 1 {
			return m.Value
		}
		if inside, err := jsonobject.Members(m.Value); err == nil {
			return lookup(inside, path[1:])
		}
	}
	return nil
}
