package api

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// A member is one of a JSON object, with its value as it was written.
type member struct {
	name  string
	value []byte
}

// membersOf returns the members of a JSON object in their order.
func membersOf(object []byte) ([]member, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(object))
	if open, err := dec.ReadToken(); err != nil || open.Kind() != '{' {
		return nil, fmt.Errorf("api: no JSON object: %w", err)
	}
	var all []member
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, fmt.Errorf("api: read member: %w", err)
		}
		m := member{name: name.String()}
		value, err := dec.ReadValue()
		if err != nil {
			return nil, fmt.Errorf("api: read value: %w", err)
		}
		m.value = bytes.Clone(value)
		all = append(all, m)
	}
	return all, nil
}

func isObject(value []byte) bool { return len(value) > 0 && value[0] == '{' }

// merge returns an object with the members of changes, which replace those of
// the same name, or are merged with them where both are objects. What is in an
// array is replaced with it.
func merge(object, changes []byte) ([]byte, error) {
	into, err := membersOf(object)
	if err != nil {
		return nil, err
	}
	from, err := membersOf(changes)
	if err != nil {
		return nil, err
	}
	places := make(map[string]int, len(into))
	for i, m := range into {
		places[m.name] = i
	}
	for _, m := range from {
		i, ok := places[m.name]
		switch {
		case !ok:
			into = append(into, m)
		case isObject(into[i].value) && isObject(m.value):
			if into[i].value, err = merge(into[i].value, m.value); err != nil {
				return nil, err
			}
		default:
			into[i].value = m.value
		}
	}
	return appendObject(make([]byte, 0, len(object)+len(changes)), into), nil
}

func appendObject(b []byte, members []member) []byte {
	b = append(b, '{')
	for i, m := range members {
		if i > 0 {
			b = append(b, ',')
		}
		b, _ = jsontext.AppendQuote(b, m.name) // it was read as JSON, so it is UTF-8
		b = append(append(b, ':'), m.value...)
	}
	return append(b, '}')
}

// leaves are the dotted paths of what an object sets: of all values that are no
// objects, and of empty ones.
type leaves struct {
	paths []string
	bytes int
}

// maxLeafBytes bounds the paths: a long name with many members would make many
// long ones.
const maxLeafBytes = 64 << 10

func (l *leaves) add(path string) error {
	if l.bytes += len(path); l.bytes > maxLeafBytes {
		return badDocument.with("body", "fields whose paths have no more than "+itoa(maxLeafBytes)+" bytes together")
	}
	l.paths = append(l.paths, path)
	return nil
}

func (l *leaves) read(prefix string, object []byte) error {
	all, err := membersOf(object)
	if err != nil {
		return err
	}
	for _, m := range all {
		path, inside := prefix+m.name, []member(nil)
		if isObject(m.value) {
			if inside, err = membersOf(m.value); err != nil {
				return err
			}
		}
		if len(inside) > 0 {
			err = l.read(path+".", m.value)
		} else {
			err = l.add(path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func itoa(n int) string { return strconv.Itoa(n) }
