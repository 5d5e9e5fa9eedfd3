package rooms

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/ambitmq/ambit/filter"
)

// A View is what somebody is told by: a filter. While he goes over to it from others,
// and it cannot be said of which documents he was told so already, Earlier are
// those: what he takes for in scope is so by one of them, or by the filter.
type View struct {
	Filter  *filter.Filter
	Earlier []*filter.Filter
}

// ParseView reads the text of a view.
func ParseView(text []byte) (View, error) {
	texts := []json.RawMessage{text}
	if text = bytes.TrimSpace(text); len(text) > 0 && text[0] == '[' {
		if err := json.Unmarshal(text, &texts); err != nil || len(texts) == 0 {
			return View{}, fmt.Errorf("rooms: %q is no list of filters: %w", text, err)
		}
	}
	all := make([]*filter.Filter, len(texts))
	for i, text := range texts {
		var err error
		if all[i], err = parseFilter(text); err != nil {
			return View{}, err
		}
	}
	return View{Filter: all[0], Earlier: all[1:]}, nil
}

// String returns the canonical text of the filter, or a list: that and the earlier
// ones.
func (v View) String() string {
	if len(v.Earlier) == 0 {
		return textOf(v.Filter)
	}
	b := append([]byte{'['}, textOf(v.Filter)...)
	for _, f := range v.Earlier {
		b = append(append(b, ','), textOf(f)...)
	}
	return string(append(b, ']'))
}

// A ruled is the text of a filter under an access rule. No keyword has these names.
type ruled struct {
	Own    json.RawMessage `json:"$own"`
	Rule   json.RawMessage `json:"$rule"`
	Hidden []string        `json:"$hidden,omitempty"`
}

// textOf returns the canonical text of a filter; of one under a rule, with its parts.
func textOf(f *filter.Filter) string {
	if !f.Ruled() {
		return f.String()
	}
	text, err := json.Marshal(ruled{json.RawMessage(f.Own().String()), json.RawMessage(f.Rule().String()), f.Hidden()})
	if err != nil {
		panic(err) // canonical texts are JSON
	}
	return string(text)
}

// parseFilter reads what textOf returns.
func parseFilter(text []byte) (*filter.Filter, error) {
	var r ruled
	if json.Unmarshal(text, &r) != nil || r.Own == nil {
		return filter.ParseWithin(text, filter.NoLimits())
	}
	own, err := filter.ParseWithin(r.Own, filter.NoLimits())
	if err != nil {
		return nil, err
	}
	rule, err := filter.ParseWithin(r.Rule, filter.NoLimits())
	if err != nil {
		return nil, err
	}
	return own.Under(rule, r.Hidden)
}

// Is says whether the view is that of a filter alone.
func (v View) Is(f *filter.Filter) bool {
	return len(v.Earlier) == 0 && textOf(v.Filter) == textOf(f)
}

// To returns the view of who goes over from this one to a filter.
func (v View) To(f *filter.Filter) View {
	to := View{Filter: f}
	for _, earlier := range append([]*filter.Filter{v.Filter}, v.Earlier...) {
		if textOf(earlier) != textOf(f) {
			to.Earlier = append(to.Earlier, earlier)
		}
	}
	return to
}

// holds says whether a document is in scope of a filter. Nothing is in that of a
// momentary one. d may be nil.
func holds(f *filter.Filter, d *filter.Document) bool {
	return d != nil && !f.Momentary() && f.Match(d)
}

// standing says whether a document may have been taken for in scope, and whether it
// certainly was.
func (v View) standing(d *filter.Document) (maybe, surely bool) {
	maybe = holds(v.Filter, d)
	surely = maybe
	for _, f := range v.Earlier {
		in := holds(f, d)
		maybe, surely = maybe || in, surely && in
	}
	return maybe, surely
}
