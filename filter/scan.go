package filter

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// scan reads a JSON value in one pass: the body is copied once, names and strings
// are found there, and only what is escaped or nested is written anew. It gives
// up on whatever breaks a limit, and never reads anything differently
// than decodeDocument.
func scan(body []byte, lim DocumentLimits) (*Document, bool) {
	d := new(Document)
	// Room for the metadata that Set adds.
	d.text.Grow(len(body) + len(body)/4 + 128)
	d.text.Write(body)
	d.cells = make([]cell, 1, min(roomFor(body), 1+lim.values()))
	s := scanner{d: d, body: d.text.String(), depth: lim.Depth, members: lim.Members, elements: lim.Elements, digits: lim.Digits}
	s.space()
	if !s.value(0) {
		return nil, false
	}
	s.space()
	return d, s.at == len(s.body)
}

// fewBytes is how long a body is that scan reads at once.
const fewBytes = 4 << 10

// exceeds says of a long body, before any memory is taken for it, that it breaks a limit of
// scan's. It stops where that is so. Of what is no JSON it may say anything.
func exceeds(body []byte, lim DocumentLimits) bool {
	if len(body) < fewBytes {
		return false
	}
	depth, members, values, digits := 0, 0, 0, 0
	for i := 0; i < len(body); i++ {
		c := body[i]
		if c-'0' <= 9 {
			if digits++; digits > lim.Digits {
				return true
			}
			continue
		}
		digits = 0
		switch c {
		case '"':
			i = endOfString(body, i)
		case '{', '[':
			if depth++; depth > lim.Depth {
				return true
			}
		case '}', ']':
			depth--
		case ':':
			if members++; members > lim.Members {
				return true
			}
		case ',':
			if values++; values > lim.values() {
				return true
			}
		}
	}
	return false
}

// values returns how many values a document may have besides itself. What is no limit is
// so large that the sum would be none.
func (l DocumentLimits) values() int {
	return min(l.Members, 1<<29) + min(l.Elements, 1<<29)
}

// endOfString returns where a string ends that begins at i.
func endOfString(body []byte, i int) int {
	for i++; i < len(body) && body[i] != '"'; i++ {
		if body[i] == '\\' {
			i++
		}
	}
	return i
}

// roomFor returns how many cells a body is likely to have. To count is worth it
// where growing would cost more. A string of commas must not take more either.
func roomFor(body []byte) int {
	if len(body) < 1<<10 {
		return 8 + len(body)/16
	}
	n := 2
	for _, c := range []string{",", "[", "{"} {
		n += bytes.Count(body, []byte(c))
	}
	return min(n, len(body)/4)
}

// A scanner reads the body of a document into its cells.
type scanner struct {
	d        *Document
	body     string
	at       int // in body
	depth    int // nested objects and arrays that are still allowed
	members  int // members of objects that are still allowed, all together
	elements int // elements of arrays, likewise
	digits   int // that a number may have
}

func (s *scanner) peek() byte {
	if s.at < len(s.body) {
		return s.body[s.at]
	}
	return 0
}

// space skips white space.
func (s *scanner) space() {
	for s.at < len(s.body) {
		switch s.body[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// value reads a value into the cell at i, which is the last one.
func (s *scanner) value(i int) (ok bool) {
	switch s.peek() {
	case '"':
		var at span
		at, ok = s.string()
		s.d.cells[i].kind, s.d.cells[i].bits = stringKind, at.bits()
	case '{':
		ok = s.nested(i, objectKind, '}', s.member)
	case '[':
		ok = s.nested(i, arrayKind, ']', s.element)
	case 't':
		ok = s.literal(i, trueKind, "true")
	case 'f':
		ok = s.literal(i, falseKind, "false")
	case 'n':
		ok = s.literal(i, nullKind, "null")
	default:
		var n float64
		n, ok = s.number()
		s.d.cells[i].kind, s.d.cells[i].bits = numberKind, math.Float64bits(n)
	}
	s.d.cells[i].end = uint32(len(s.d.cells))
	return ok
}

func (s *scanner) literal(i int, k kind, text string) bool {
	s.d.cells[i].kind = k
	if !strings.HasPrefix(s.body[s.at:], text) {
		return false
	}
	s.at += len(text)
	return true
}

// nested reads an object or array, whose members or elements read takes.
func (s *scanner) nested(i int, k kind, end byte, read func(i int) bool) bool {
	if s.depth == 0 {
		return false
	}
	s.depth--
	s.d.cells[i].kind = k
	s.at++
	s.space()
	if s.peek() == end {
		s.at++
		s.depth++
		return true
	}
	for {
		s.space()
		if !read(i) {
			return false
		}
		s.space()
		switch s.peek() {
		case ',':
			s.at++
		case end:
			s.at++
			s.depth++
			return true
		default:
			return false
		}
	}
}

func (s *scanner) element(int) bool {
	if s.elements == 0 {
		return false
	}
	s.elements--
	return s.value(s.d.add(cell{}))
}

// member reads a member of the object at i.
func (s *scanner) member(i int) bool {
	if s.peek() != '"' || s.members == 0 {
		return false
	}
	s.members--
	at, ok := s.string()
	if !ok {
		return false
	}
	m := s.d.member(i, s.d.string(at), at)
	if s.twice(i, m) {
		return false
	}
	s.space()
	if s.peek() != ':' {
		return false
	}
	s.at++
	s.space()
	return s.value(m)
}

// fewMembers is up to how many members of an object are compared with each
// other. A map would cost more than all the rest.
const fewMembers = 64

// twice reports whether the object at i has a member of the same name as m, the
// last one, or so many that decodeDocument had better look.
func (s *scanner) twice(i, m int) bool {
	cells := s.d.cells
	last := &cells[m]
	n := 0
	for j := i + 1; j < m; j = int(cells[j].end) {
		if cells[j].hash == last.hash && s.d.string(cells[j].path) == s.d.string(last.path) {
			return true
		}
		n++
	}
	return n > fewMembers
}

// string reads a string.
func (s *scanner) string() (span, bool) {
	from := s.at + 1
	ascii := true
	for i := from; i < len(s.body); i++ {
		switch c := s.body[i]; {
		case c == '"':
			s.at = i + 1
			text := s.body[from:i]
			return span{uint32(from), uint32(len(text))}, ascii || utf8.ValidString(text)
		case c == '\\':
			return s.escaped(i)
		case c < ' ':
			return span{}, false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return span{}, false
}

// escaped reads a string with a backslash at i, and writes it anew.
func (s *scanner) escaped(i int) (span, bool) {
	for i < len(s.body) && s.body[i] != '"' {
		if s.body[i] == '\\' {
			i++
		}
		i++
	}
	if i >= len(s.body) {
		return span{}, false
	}
	text, err := jsontext.AppendUnquote(nil, s.body[s.at:i+1])
	s.at = i + 1
	return s.d.append(string(text)), err == nil
}

// number reads a number.
func (s *scanner) number() (float64, bool) {
	from := s.at
	negative := s.peek() == '-'
	if negative {
		s.at++
	}
	first := s.at
	whole := s.run(0)
	if s.at == first || s.body[first] == '0' && s.at > first+1 {
		return 0, false
	}
	mantissa, decimals := whole, 0
	if s.peek() == '.' {
		s.at++
		point := s.at
		mantissa = s.run(whole)
		if decimals = s.at - point; decimals == 0 {
			return 0, false
		}
	}
	// Up to 15 digits and 22 decimals, quotients are exact to the last bit.
	short := s.at-first <= min(16, s.digits) && decimals <= 15
	if c := s.peek(); c == 'e' || c == 'E' {
		if short = false; !s.exponent() {
			return 0, false
		}
	}
	if !short {
		if s.at-from > s.digits || digitsOf(s.body[from:s.at]) > s.digits {
			return 0, false
		}
		f, _ := strconv.ParseFloat(s.body[from:s.at], 64) // out of range is infinite
		return f + 0, true                                // -0 becomes 0
	}
	f := float64(mantissa) / math.Pow10(decimals)
	if negative {
		f = -f
	}
	return f + 0, true
}

func (s *scanner) exponent() bool {
	s.at++
	if c := s.peek(); c == '+' || c == '-' {
		s.at++
	}
	from := s.at
	s.run(0)
	return s.at > from
}

// run reads digits, which follow those of n.
func (s *scanner) run(n uint64) uint64 {
	for s.at < len(s.body) && s.body[s.at]-'0' <= 9 {
		n = n*10 + uint64(s.body[s.at]-'0')
		s.at++
	}
	return n
}
