package filter

import "fmt"

// A SyntaxError says what is wrong with a filter, in Koncorde's words.
type SyntaxError struct {
	Keyword string // the keyword at fault, "" if it is none
	Path    string // keywords and fields that lead to the fault, joined by dots; may be ""
	Text    string // what is wrong
	Limit   bool   // it is a limit of filters that is exceeded
}

// Error returns `"<path>": <text>`, or the text alone when there is no path.
func (e *SyntaxError) Error() string {
	if e.Path == "" {
		return e.Text
	}
	return fmt.Sprintf(`"%s": %s`, e.Path, e.Text)
}

// A place is where in a filter the parser is.
type place struct {
	keyword string
	path    string
	depth   int // how many keywords enclose this place, itself included
}

// at returns the place of a field or attribute within p.
func (p place) at(name string) place {
	if p.path != "" {
		name = p.path + "." + name
	}
	p.path = name
	return p
}

// overf returns the error of this place, where a limit is exceeded.
func (p place) overf(format string, args ...any) error {
	return &SyntaxError{Keyword: p.keyword, Path: p.path, Text: fmt.Sprintf(format, args...), Limit: true}
}

// errorf returns the error of this place.
func (p place) errorf(format string, args ...any) error {
	return &SyntaxError{Keyword: p.keyword, Path: p.path, Text: fmt.Sprintf(format, args...)}
}
