package hooks

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// A value is one of JSON: the members of an object, or the text of anything else.
type value struct {
	object  bool
	members []member
	text    []byte
}

type member struct {
	name  string
	value value
}

func (v value) isNull() bool { return string(v.text) == "null" }

// merge returns what a JSON Merge Patch (RFC 7396) makes of a JSON object, or of
// none if it is empty. Members keep their order and their values the text that they
// were written with; new members come last. What is not patched may differ in spaces.
func merge(object []byte, patch value) ([]byte, error) {
	if len(object) == 0 {
		object = []byte("{}")
	}
	was, err := parse(object)
	if err != nil {
		return nil, fmt.Errorf("read document: %w", err)
	}
	return was.patch(patch).append(make([]byte, 0, 2*len(object))), nil
}

func parse(object []byte) (value, error) {
	return readValue(jsontext.NewDecoder(bytes.NewReader(object)))
}

func readValue(dec *jsontext.Decoder) (value, error) {
	if dec.PeekKind() != '{' {
		text, err := dec.ReadValue()
		return value{text: bytes.Clone(text)}, err
	}
	v := value{object: true}
	if _, err := dec.ReadToken(); err != nil {
		return v, err
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return v, err
		}
		m := member{name: name.String()}
		if m.value, err = readValue(dec); err != nil {
			return v, err
		}
		v.members = append(v.members, m)
	}
	_, err := dec.ReadToken()
	return v, err
}

// patch returns v as a patch makes it.
func (v value) patch(p value) value {
	if !p.object {
		return p
	}
	changes := make(map[string]value, len(p.members))
	for _, m := range p.members {
		changes[m.name] = m.value
	}
	patched := value{object: true}
	for _, m := range v.members {
		change, ok := changes[m.name]
		if ok {
			m.value = m.value.patch(change)
			delete(changes, m.name)
		}
		if !ok || !change.isNull() {
			patched.members = append(patched.members, m)
		}
	}
	for _, m := range p.members {
		if change, ok := changes[m.name]; ok && !change.isNull() {
			patched.members = append(patched.members, member{m.name, value{}.patch(change)})
		}
	}
	return patched
}

func (v value) append(b []byte) []byte {
	if !v.object {
		return append(b, v.text...)
	}
	b = append(b, '{')
	for i, m := range v.members {
		if i > 0 {
			b = append(b, ',')
		}
		b, _ = jsontext.AppendQuote(b, m.name) // what the decoder has read is UTF-8
		b = m.value.append(append(b, ':'))
	}
	return append(b, '}')
}
