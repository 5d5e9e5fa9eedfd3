// Package jsonobject takes JSON objects apart and puts them together again, with their
// values as they were written.
package jsonobject

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// A Member is one of an object, with the text of its value.
type Member struct {
	Name  string
	Value []byte
}

// Members returns the members of an object in their order. They keep nothing of its
// text. The error says that it is no JSON object; what comes behind its members is not
// looked at.
func Members(object []byte) ([]Member, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(object))
	if open, err := dec.ReadToken(); err != nil || open.Kind() != '{' {
		return nil, fmt.Errorf("jsonobject: no JSON object: %w", err)
	}
	var all []Member
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, fmt.Errorf("jsonobject: read member: %w", err)
		}
		m := Member{Name: name.String()}
		value, err := dec.ReadValue()
		if err != nil {
			return nil, fmt.Errorf("jsonobject: read value: %w", err)
		}
		m.Value = bytes.Clone(value)
		all = append(all, m)
	}
	return all, nil
}

// Append appends an object with these members, whose names are UTF-8.
func Append(b []byte, members []Member) []byte {
	b = append(b, '{')
	for i, m := range members {
		if i > 0 {
			b = append(b, ',')
		}
		b, _ = jsontext.AppendQuote(b, m.Name) // the error only reports what is no UTF-8
		b = append(append(b, ':'), m.Value...)
	}
	return append(b, '}')
}

// Is says whether a value, which has no space before it, is an object.
func Is(value []byte) bool { return len(value) > 0 && value[0] == '{' }
