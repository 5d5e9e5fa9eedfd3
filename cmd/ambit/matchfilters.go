package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ambitmq/ambit/filter"
)

// A filterSet are the filters of ambit match. In the matcher each has its place
// in the order of the ids.
type filterSet struct {
	ids     []json.RawMessage
	matcher *filter.Matcher[uint32]
	filters []*filter.Filter // to explain them; else the matcher's memory is all that is needed
}

// readFilters reads filters until the end.
func (t *matchTask) readFilters(in *lineReader, keep bool) (*filterSet, error) {
	type named struct {
		id     string
		filter *filter.Filter
	}
	var all []named
	lines := map[string]int{} // by the id
	for {
		id, f, err := nextEntry(in, "filter", filter.Parse)
		first, known := lines[id]
		if err == nil && known {
			err = &badRowError{in.line, fmt.Errorf("id %s: line %d has it, too", stringJSON(id), first)}
		}
		if bad := (*badRowError)(nil); errors.As(err, &bad) {
			t.skip(in.name, err)
			continue
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		lines[id] = in.line
		all = append(all, named{id, f})
		if f.Momentary() && t.latest == nil {
			t.latest = map[string]*filter.Document{}
		}
	}
	slices.SortFunc(all, func(a, b named) int { return strings.Compare(a.id, b.id) })
	s := &filterSet{matcher: new(filter.Matcher[uint32])}
	for i, n := range all {
		s.ids = append(s.ids, stringJSON(n.id))
		s.matcher.Add(uint32(i), n.filter)
		if keep {
			s.filters = append(s.filters, n.filter)
		}
	}
	return s, nil
}

// write writes the answer to a document, and its explanations.
func (s *filterSet) write(out *bufio.Writer, m matchedDocument) error {
	slices.Sort(m.found)
	id := stringJSON(m.id)
	line := append(append([]byte(`{"id":`), id...), `,"match":[`...)
	for i, place := range m.found {
		if i > 0 {
			line = append(line, ',')
		}
		line = append(line, s.ids[place]...)
	}
	if _, err := out.Write(append(line, "]}\n"...)); err != nil {
		return err
	}
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for i, f := range s.filters {
		if err := enc.Encode(explained{id, s.ids[i], f.Explain(m.doc)}); err != nil {
			return err
		}
	}
	return nil
}

// An explained filter is a line of ambit match --explain.
type explained struct {
	ID      json.RawMessage    `json:"id"`
	Filter  json.RawMessage    `json:"filter"`
	Explain filter.Explanation `json:"explain"`
}
