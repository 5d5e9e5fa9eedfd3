package filter

import (
	"slices"
	"strings"
)

// Under returns f as it is for somebody whom an access rule lets see only the
// documents that rule matches, and of those not the fields of the paths in hidden:
// what matches it matches both. Hidden fields are part of its hash, since what is
// told of a document depends on them.
func (f *Filter) Under(rule *Filter, hidden []string) (*Filter, error) {
	hidden = slices.Compact(slices.Sorted(slices.Values(hidden)))
	if rule.root == node(constant(true)) && len(hidden) == 0 {
		return f, nil
	}
	form, err := canonical(and{f.root, rule.root}, ruleLimits())
	if err != nil {
		return nil, err
	}
	return &Filter{root: form.tree(), text: form.text, cost: f.cost, own: f, rule: rule, hidden: hidden}, nil
}

// ruleLimits are those of a filter and a rule that were each within theirs.
func ruleLimits() Limits {
	l := NoLimits()
	l.Cost = 2 * maxCost
	return l
}

// Own returns the filter that Under was called on, f itself if there is none.
func (f *Filter) Own() *Filter {
	if f.own != nil {
		return f.own
	}
	return f
}

// Admits reports whether the access rule that f is under lets d be seen.
func (f *Filter) Admits(d *Document) bool { return f.rule == nil || f.rule.Match(d) }

// Rule returns the access rule that f is under, or nil.
func (f *Filter) Rule() *Filter { return f.rule }

// Ruled says whether f is under an access rule.
func (f *Filter) Ruled() bool { return f.rule != nil }

// Hidden returns the dotted paths of the fields that are not told.
func (f *Filter) Hidden() []string { return f.hidden }

// Everything reports whether f is the filter that every document matches, and Nothing
// whether none does.
func (f *Filter) Everything() bool { return f.root == node(constant(true)) }

// Nothing is the opposite of Everything.
func (f *Filter) Nothing() bool { return f.root == node(constant(false)) }

// Reads returns the first of some dotted paths that f asks about: the field itself,
// one within it, or one that it is within.
func (f *Filter) Reads(paths []string) (path string, ok bool) {
	if len(paths) == 0 {
		return "", false
	}
	return reads(f.root, paths)
}

func reads(n node, paths []string) (path string, ok bool) {
	if l, ok := n.(leaf); ok {
		for _, path := range paths {
			if Within(l.path(), path) || Within(path, l.path()) {
				return path, true
			}
		}
	}
	for _, part := range partsOf(n) {
		if path, ok := reads(part, paths); ok {
			return path, true
		}
	}
	return "", false
}

// Within says whether a dotted path is another one, or leads on from it.
func Within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (rest == "" || rest[0] == '.')
}
