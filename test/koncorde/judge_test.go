package koncorde

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/ambitmq/ambit/filter"
)

// A judge compares answers, and counts the deviations by name.
type judge struct {
	oracle *oracle
	counts map[string]int
}

// errDiffers is the error of a difference that has no name.
var errDiffers = errors.New("differs from Koncorde")

// A document is the text of one, and what package filter makes of it.
type document struct {
	text   string
	parsed *filter.Document
}

func newDocument(text string) (document, error) {
	parsed, err := filter.ParseDocument([]byte(text), filter.DocumentLimits{})
	return document{text, parsed}, err
}

// judge compares what is said of a filter and of documents. It returns the
// filter, nil if it is refused.
func (j *judge) judge(source string, documents []document) (*filter.Filter, error) {
	texts := make([]string, len(documents))
	for i, d := range documents {
		texts[i] = d.text
	}
	theirs, err := j.oracle.ask(source, texts...)
	if err != nil {
		return nil, err
	}
	f, err := filter.Parse([]byte(source))
	if err := j.accepted(source, theirs.Error, err); err != nil {
		return nil, fmt.Errorf("%s\n%w", source, err)
	}
	if f == nil {
		return nil, nil
	}
	for i, d := range documents {
		var whole any // unknown, if Koncorde refuses the filter
		if theirs.Error == nil {
			whole = theirs.Answers[i]
		}
		if err := j.answered(source, d, f.Match(d.parsed), whole); err != nil {
			return nil, fmt.Errorf("%s\n%s\n%w", source, d.text, err)
		}
	}
	return f, nil
}

// accepted compares the errors of the two sides about a filter. Where Koncorde
// stumbles on one thing, and we on another, both must have a name, or Koncorde is
// asked again without the first.
func (j *judge) accepted(source string, theirs *refusal, ours error) error {
	differs := j.refused(source, theirs, ours)
	if differs == nil || theirs == nil || ours == nil || j.refused(source, theirs, nil) != nil {
		return differs
	}
	if j.refused(source, nil, ours) == nil {
		return nil
	}
	rest, err := faultsOf(source)
	if err != nil {
		return differs
	}
	again, err := j.oracle.ask(rest)
	if err != nil {
		return err
	}
	if _, err = filter.Parse([]byte(rest)); text(err) != ours.Error() {
		return fmt.Errorf("%w: the error is %q, but without what is right, %s, %q", errDiffers, ours.Error(), rest, text(err))
	}
	return j.refused(rest, again.Error, err)
}

// refused compares the errors of the two sides about a filter, nil for none. An accident of
// Koncorde has neither keyword nor path; then the text counts.
func (j *judge) refused(source string, theirs *refusal, err error) error {
	ours := new(filter.SyntaxError)
	if err != nil && !errors.As(err, &ours) {
		return fmt.Errorf("%T is not a SyntaxError: %w", err, err)
	}
	if theirs == nil {
		theirs = new(refusal)
	}
	if theirs.Message == ours.Error() && theirs.Keyword == ours.Keyword && theirs.Path == ours.Path || theirs.Message == "" && err == nil {
		return nil
	}
	if theirs.Message == ours.Text && theirs.Path == "" && theirs.Keyword == "" {
		j.counts[accidents]++
		return nil
	}
	if fault := patternFault.FindString(text(err)); fault != "" && fault == patternFault.FindString(theirs.Message) {
		j.counts[quotes]++
		return nil
	}
	accepts := func(pattern *regexp.Regexp, message string) bool {
		return pattern == nil && message == "" || pattern != nil && pattern.MatchString(message)
	}
	for _, r := range refusals {
		if accepts(r.theirs, theirs.Message) && accepts(r.ours, text(err)) && (r.filter == nil || r.filter.MatchString(source)) {
			j.counts[r.deviation]++
			return nil
		}
	}
	return fmt.Errorf("%w: the error is %q, keyword %q, path %q, not %+v", errDiffers, text(err), ours.Keyword, ours.Path, *theirs)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// answered compares two answers for a document. Where they differ, the
// conditions of the filter are asked about one by one: the whole must be what
// our answers to them amount to, and the difference one that has a name.
func (j *judge) answered(source string, d document, ours bool, whole any) error {
	if whole == ours {
		return nil
	}
	names, err := j.explain(source, d, ours, whole)
	if err != nil {
		return err
	}
	for _, name := range names {
		j.counts[name]++
	}
	return nil
}

// explain names the deviations that make the difference between our answer and
// Koncorde's, which is a bool, a string if it throws, nil if it is not known.
func (j *judge) explain(source string, d document, ours bool, whole any) ([]string, error) {
	t, err := treeOf(source)
	if err != nil {
		return nil, err
	}
	said, names := map[string]opinion{}, []string{}
	for _, c := range t.conditions(nil) {
		if _, known := said[c]; known {
			continue
		}
		o, why, err := j.condition(c, d)
		if err != nil {
			return nil, err
		}
		said[c], names = o, append(names, why...)
	}
	if t.ours(said) != ours {
		return nil, fmt.Errorf("%w: our answer %v is not what ours to the conditions amount to", errDiffers, ours)
	}
	// Koncorde's answer is what its answers to the conditions amount to, or it
	// contradicts itself.
	if composed := t.theirs(said, false); whole == composed || whole == nil {
		if composed != ours && len(names) == 0 {
			return nil, fmt.Errorf("%w: ours is %v, theirs %v, and no condition differs", errDiffers, ours, composed)
		}
		return names, nil
	}
	if name := contradiction(t.conditions(nil), d.text, whole); name != "" {
		return append(names, name), nil
	}
	return nil, fmt.Errorf("%w: ours is %v, theirs %v, which contradicts its answers to the conditions", errDiffers, ours, whole)
}

// An opinion is what both sides say of a condition, and Koncorde of its
// negation, which may be the same.
type opinion struct{ ours, theirs, negated bool }

// ours composes our opinions.
func (t tree) ours(said map[string]opinion) bool {
	switch t.keyword {
	case "and":
		return !slices.ContainsFunc(t.members, func(m tree) bool { return !m.ours(said) })
	case "or":
		return slices.ContainsFunc(t.members, func(m tree) bool { return m.ours(said) })
	case "not":
		return !t.members[0].ours(said)
	}
	return said[t.condition].ours
}

// theirs composes Koncorde's opinions of the tree, or of its negation.
func (t tree) theirs(said map[string]opinion, negated bool) bool {
	holds := func(m tree) bool { return m.theirs(said, negated) }
	switch {
	case t.keyword == "not":
		return t.members[0].theirs(said, !negated)
	case t.keyword == "and" && !negated, t.keyword == "or" && negated:
		return !slices.ContainsFunc(t.members, func(m tree) bool { return !holds(m) })
	case t.keyword != "":
		return slices.ContainsFunc(t.members, holds)
	case negated:
		return said[t.condition].negated
	}
	return said[t.condition].theirs
}

// condition asks both sides about a condition, and names the differences. What
// Koncorde does not answer counts as our answer.
func (j *judge) condition(source string, d document) (opinion, []string, error) {
	f, err := filter.Parse([]byte(source))
	if err != nil {
		return opinion{}, nil, err
	}
	ours := f.Match(d.parsed)
	o := opinion{ours: ours, theirs: ours, negated: !ours}
	plain, err := j.oracle.ask(source, d.text)
	if err != nil {
		return o, nil, err
	}
	negated, err := j.oracle.ask(`{"not":`+source+`}`, d.text)
	if err != nil {
		return o, nil, err
	}
	thrown := false
	for a, into := range map[*answer]*bool{&plain: &o.theirs, &negated: &o.negated} {
		if a.Error == nil {
			if is, ok := a.Answers[0].(bool); ok {
				*into = is
			} else {
				thrown = true
			}
		}
	}
	if o.theirs == ours && o.negated == !ours && !thrown {
		return o, nil, nil
	}
	names, err := j.conditionNames(source, d, o)
	if err == nil && len(names) == 0 {
		err = fmt.Errorf("%w: %s is %v, theirs %v, negated %v", errDiffers, source, ours, plain.Answers, negated.Answers)
	}
	return o, names, err
}
