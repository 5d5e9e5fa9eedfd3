package filter

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// Hide returns a JSON object without the fields of some dotted paths, and what is
// within them. Paths are those that filters read, and lead on into the elements of
// arrays. It returns the object itself if there are no paths.
func Hide(object []byte, paths []string) ([]byte, error) {
	if len(paths) == 0 {
		return object, nil
	}
	h := hider{dec: jsontext.NewDecoder(bytes.NewReader(object)), paths: paths, out: make([]byte, 0, len(object))}
	if err := h.value(""); err != nil {
		return nil, fmt.Errorf("filter: hide fields: %w", err)
	}
	return h.out, nil
}

// A hider copies a JSON value.
type hider struct {
	dec   *jsontext.Decoder
	paths []string
	out   []byte
}

// value copies the value that has a path.
func (h *hider) value(path string) error {
	leadsOn := path == "" || slices.ContainsFunc(h.paths, func(hidden string) bool { return Within(hidden, path) })
	switch kind := h.dec.PeekKind(); {
	case leadsOn && kind == '{':
		return h.members('}', func() error { return h.member(path) })
	case leadsOn && kind == '[':
		return h.members(']', func() error { return h.value(path) })
	}
	v, err := h.dec.ReadValue()
	h.out = append(h.out, v...)
	return err
}

// members copies what is in an object or an array.
func (h *hider) members(end jsontext.Kind, each func() error) error {
	open, err := h.dec.ReadToken()
	if err != nil {
		return err
	}
	h.out = append(h.out, open.String()...)
	first := len(h.out)
	for h.dec.PeekKind() != end {
		if last := h.out[len(h.out)-1]; len(h.out) > first && last != ',' {
			h.out = append(h.out, ',')
		}
		if err := each(); err != nil {
			return err
		}
	}
	if len(h.out) > first {
		h.out = bytes.TrimSuffix(h.out, []byte{','})
	}
	h.out = append(h.out, end.String()[0])
	_, err = h.dec.ReadToken()
	return err
}

// member copies a member of the object that has a path, unless it is hidden.
func (h *hider) member(path string) error {
	name, err := h.dec.ReadToken()
	if err != nil {
		return err
	}
	text := name.String()
	if path != "" {
		path += "."
	}
	path += text
	if slices.ContainsFunc(h.paths, func(hidden string) bool { return Within(path, hidden) }) {
		return h.dec.SkipValue()
	}
	h.out = append(appendString(h.out, text), ':')
	return h.value(path)
}
