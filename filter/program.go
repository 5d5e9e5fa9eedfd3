package filter

import (
	"cmp"
	"slices"
	"strings"
)

// A program tells for a candidate whether the rest of its filter holds. Filters
// with the same rest share it.
type program struct {
	repeats repeats
	// tests are run from the last one on; each says which one is next. Without
	// any, everything passes.
	tests []test

	print fingerprint // with repeats, its name; the writer's, as is
	users int
}

// Repeats says whether several of the entries under which one is noted may hold
// for one document, so that it is to be looked at once all are known.
type repeats byte

const (
	never repeats = iota
	asCondition
	asFilter // after all conditions
)

// Where a program ends.
const (
	accepted = -1
	refused  = -2
)

// A test is a condition on a field, in one line of the cache: most need no look at
// other memory.
type test struct {
	field     *field
	kind      testKind
	constant  kind  // null, true or false
	yes, no   int16 // the next test, or an end
	low, high float64
	text      string
	leaf      leaf // for what has no kind of its own
}

type testKind byte

const (
	isPresent testKind = iota
	isNumber           // from low to high
	isText
	isConstant
	isPlace
	isPattern // text is in what matches
	isChange
	isOther
)

// compile returns the program of a condition, which may be nil for everything.
// No program means that all pass, at once.
func (x *index) compile(n node, how repeats) *program {
	if n == nil && how == never {
		return nil
	}
	var print fingerprint
	if n != nil {
		print = x.printOfText(n)
	}
	print = print.with(fingerprint{uint64(how), uint64(how)})
	p, ok := x.programs[print]
	if !ok {
		p = &program{print: print, repeats: how}
		if n != nil {
			x.emit(p, n, accepted, refused)
		}
		if x.programs == nil {
			x.programs = map[fingerprint]*program{}
		}
		x.programs[print] = p
	}
	p.users++
	return p
}

// dismiss ends the use of a program.
func (x *index) dismiss(p *program) {
	if p == nil {
		return
	}
	if p.users--; p.users == 0 {
		delete(x.programs, p.print)
		for i := range p.tests {
			x.closeField(p.tests[i].field)
		}
	}
}

// emit adds the tests of n, which go on at yes or no, and returns the first of
// them. It adds the last one first, so that the ways on are known.
func (x *index) emit(p *program, n node, yes, no int16) int16 {
	switch n := n.(type) {
	case and:
		for _, member := range byEffort(n) {
			yes = x.emit(p, member, yes, no)
		}
		return yes
	case or:
		for _, member := range byEffort(n) {
			no = x.emit(p, member, yes, no)
		}
		return no
	case not:
		return x.emit(p, n.filter, no, yes)
	}
	t := testOf(n.(leaf))
	t.field, t.yes, t.no = x.openField(n.(leaf).path()), yes, no
	p.tests = append(p.tests, t)
	return int16(len(p.tests) - 1)
}

// byEffort returns nodes with the dearest first.
func byEffort(nodes []node) []node {
	return slices.SortedStableFunc(slices.Values(nodes), func(a, b node) int { return cmp.Compare(effort(b), effort(a)) })
}

// effort orders conditions by the time that a test takes.
func effort(n node) int {
	switch n := n.(type) {
	case not:
		return effort(n.filter)
	case existence, between:
		return 0
	case membership, substring, subnet, timing:
		return 1
	case geo:
		return 2
	case element:
		return 3
	case and, or:
		return 4
	}
	return 5
}

func testOf(n leaf) test {
	switch n := n.(type) {
	case existence:
		return test{kind: isPresent}
	case between:
		low, high := n.closed()
		return test{kind: isNumber, low: low, high: high}
	case membership:
		if len(n.values) > 1 {
			break
		}
		switch v := n.values[0].(type) {
		case float64:
			return test{kind: isNumber, low: v, high: v}
		case string:
			return test{kind: isText, text: v}
		case bool:
			if v {
				return test{kind: isConstant, constant: trueKind}
			}
			return test{kind: isConstant, constant: falseKind}
		default:
			return test{kind: isConstant, constant: nullKind}
		}
	case geo:
		return test{kind: isPlace, leaf: n}
	case difference:
		return test{kind: isChange, leaf: n}
	case pattern:
		if literals := n.literals(); len(literals) == 1 {
			return test{kind: isPattern, text: literals[0], leaf: n}
		}
	}
	return test{kind: isOther, leaf: n}
}

// run reports whether the document passes.
func (s *search) run(p *program) bool {
	if p == nil || p.tests == nil {
		return true
	}
	next := int16(len(p.tests) - 1)
	for next >= 0 {
		t := &p.tests[next]
		next = t.no
		if s.holds(t) {
			next = t.yes
		}
	}
	return next == accepted
}

func (s *search) holds(t *test) bool {
	v, ok := s.valueOf(t.field)
	if !ok {
		return t.kind == isChange && t.leaf.(difference).vanished(s.d)
	}
	switch t.kind {
	case isNumber:
		f, ok := v.number()
		return ok && f >= t.low && f <= t.high
	case isText:
		text, ok := v.string()
		return ok && text == t.text
	case isConstant:
		return v.kind() == t.constant
	case isPlace:
		p, ok := s.pointOf(t.field, v)
		return ok && t.leaf.(geo).shape.Contains(p)
	case isPattern:
		// Looking for the literal first takes a tenth of the time.
		text, ok := v.string()
		return ok && strings.Contains(text, t.text) && t.leaf.holds(v)
	case isChange, isOther:
		return t.leaf.holds(v)
	case isPresent:
	}
	return true
}
