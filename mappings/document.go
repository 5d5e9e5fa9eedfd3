package mappings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ambitmq/ambit/filter"
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
	members, err := membersOf(payload)
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	body.WriteByte('{')
	if !m.rule.Only {
		for _, member := range members {
			if !slices.ContainsFunc(m.rule.fields, func(f field) bool { return f.name == member.name }) {
				appendMember(&body, member.name, member.value)
			}
		}
	}
	m.append(&body, m.rule.fields, payload)
	body.WriteByte('}')
	return body.Bytes(), nil
}

// append writes fields behind what is in an object already.
func (m *Match) append(body *bytes.Buffer, fields []field, payload []byte) {
	for _, f := range fields {
		switch {
		case f.fields != nil:
			var inner bytes.Buffer
			inner.WriteByte('{')
			m.append(&inner, f.fields, payload)
			if inner.WriteByte('}'); inner.Len() > len("{}") {
				appendMember(body, f.name, inner.Bytes())
			}
		case f.path != nil:
			if value := lookup(payload, f.path); value != nil {
				appendMember(body, f.name, value)
			}
		case f.text != "":
			value, _ := jsontext.AppendQuote(nil, strings.NewReplacer(m.variables...).Replace(f.text)) // topics are UTF-8
			appendMember(body, f.name, value)
		default:
			appendMember(body, f.name, f.value)
		}
	}
}

func appendMember(body *bytes.Buffer, name string, value []byte) {
	if body.Len() > 1 {
		body.WriteByte(',')
	}
	quoted, _ := jsontext.AppendQuote(nil, name) // it comes from JSON or YAML
	body.Write(quoted)
	body.WriteByte(':')
	body.Write(value)
}

// A member is one of a JSON object.
type member struct {
	name  string
	value []byte
}

// membersOf returns the members of a JSON object in their order.
func membersOf(object []byte) ([]member, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(object))
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	var all []member
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		m := member{name: name.String()}
		value, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		m.value = bytes.Clone(value)
		all = append(all, m)
	}
	return all, nil
}

// lookup returns the value at a path, or nil.
func lookup(object []byte, path []string) []byte {
	if len(path) == 0 {
		return object
	}
	if len(object) == 0 || bytes.TrimLeft(object, " \t\r\n")[0] != '{' {
		return nil
	}
	members, err := membersOf(object)
	if err != nil {
		return nil
	}
	for _, m := range members {
		if m.name == path[0] {
			return lookup(m.value, path[1:])
		}
	}
	return nil
}
