package filter

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Words are a filter as it is spelled: and, or and not with their members, or a
// condition on a field of its own.
type words struct {
	keyword string // "" for a condition
	members []words
	field   string
	text    string // of a condition
}

func (w words) String() string {
	switch w.keyword {
	case "":
		return w.text
	case "not":
		return `{"not":` + w.members[0].String() + `}`
	}
	texts := make([]string, len(w.members))
	for i, m := range w.members {
		texts[i] = m.String()
	}
	return fmt.Sprintf(`{"%s":[%s]}`, w.keyword, strings.Join(texts, ","))
}

func join(keyword string, members ...words) words { return words{keyword: keyword, members: members} }
func negation(w words) words                      { return join("not", w) }

func condition(field, format string, args ...any) words {
	return words{field: field, text: fmt.Sprintf(format, append([]any{field}, args...)...)}
}

func opposite(keyword string) string {
	if keyword == "and" {
		return "or"
	}
	return "and"
}

// A writer makes filters, and says them in other words.
type writer struct {
	*rand.Rand
	fields int // that it has used
}

// field returns a field that is not used yet.
func (w *writer) field() string {
	w.fields++
	return fmt.Sprintf("f%d", w.fields-1)
}

func (w *writer) filter(depth int) words {
	if depth == 0 || w.IntN(4) == 0 {
		return w.condition()
	}
	members := make([]words, 2+w.IntN(2))
	for i := range members {
		members[i] = w.filter(depth - 1)
	}
	switch w.IntN(5) {
	case 0:
		return negation(members[0])
	case 1, 2:
		return join("and", members...)
	default:
		return join("or", members...)
	}
}

func (w *writer) condition() words {
	formats := []string{
		`{"equals":{"%[1]s":%[2]d}}`, `{"in":{"%[1]s":[%[2]d,"x",null]}}`, `{"range":{"%[1]s":{"gt":%[2]d}}}`, `{"range":{"%[1]s":{"gte":%[2]d,"lt":%[2]d.5}}}`,
		`{"exists":"%[1]s"}`, `{"missing":"%[1]s"}`, `{"anyOf":{"%[1]s":[%[2]d,"x"]}}`, `{"exists":"%[1]s[%[2]d]"}`, `{"prefix":{"%[1]s":"x%[2]d"}}`,
		`{"suffix":{"%[1]s":"%[2]d"}}`, `{"contains":{"%[1]s":"%[2]d"}}`, `{"regexp":{"%[1]s":"^x?%[2]d"}}`, `{"cidr":{"%[1]s":"10.%[2]d.0.0/16"}}`,
		`{"before":{"%[1]s":"2026-01-0%[2]dT00:00:00Z"}}`, `{"after":{"%[1]s":"2026-01-0%[2]dT00:00:00Z"}}`, `{"geoDistance":{"%[1]s":[0,%[2]d],"distance":"50km"}}`,
		`{"geoBoundingBox":{"%[1]s":{"top":1,"left":0,"bottom":-1,"right":%[2]d}}}`, `{"match":{"%[1]s":{"x":%[2]d}}}`, `{"select":{"field":"%[1]s","index":0,"query":{"equals":{"value":%[2]d}}}}`,
	}
	return condition(w.field(), formats[w.IntN(len(formats))], 1+w.IntN(3))
}

func (w *writer) document() string {
	members := []string{}
	for i := range w.fields {
		n := 1 + w.IntN(3)
		values := []string{
			fmt.Sprint(n), fmt.Sprintf("%d.25", n), fmt.Sprintf(`"x%d"`, n), fmt.Sprintf(`"%d"`, n), `"x"`, "null", "true", fmt.Sprintf("[%d]", n), fmt.Sprintf(`["x",%d]`, n),
			fmt.Sprintf(`"10.%d.1.1"`, n), fmt.Sprintf(`"2026-01-0%dT12:00:00Z"`, n), fmt.Sprintf("[0,%d.1]", n), fmt.Sprintf(`{"x":%d}`, n),
		}
		if w.IntN(5) > 0 {
			members = append(members, fmt.Sprintf(`"f%d":%s`, i, values[w.IntN(len(values))]))
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

// rewrite says f, or something within it, in other words.
func (w *writer) rewrite(f words) words {
	if len(f.members) > 0 && w.IntN(3) > 0 {
		f.members = slices.Clone(f.members)
		i := w.IntN(len(f.members))
		f.members[i] = w.rewrite(f.members[i])
		return f
	}
	rules := []func(words) words{w.shuffle, w.repeat, w.nest, w.negateTwice, w.deMorgan, w.distribute, w.absorb, w.addNothing, w.demandField, w.split}
	return rules[w.IntN(len(rules))](f)
}

func (w *writer) shuffle(f words) words {
	f.members = slices.Clone(f.members)
	w.Shuffle(len(f.members), func(i, j int) { f.members[i], f.members[j] = f.members[j], f.members[i] })
	return f
}

func (w *writer) repeat(f words) words { return join([]string{"and", "or"}[w.IntN(2)], f, f) }

func (w *writer) nest(f words) words {
	if len(f.members) < 3 {
		return join("and", f)
	}
	return join(f.keyword, f.members[0], join(f.keyword, f.members[1:]...))
}

func (w *writer) negateTwice(f words) words { return negation(negation(f)) }

func (w *writer) deMorgan(f words) words {
	if f.keyword != "and" && f.keyword != "or" {
		return f
	}
	negated := make([]words, len(f.members))
	for i, m := range f.members {
		negated[i] = negation(m)
	}
	return negation(join(opposite(f.keyword), negated...))
}

// distribute turns a and (b or c) into (a and b) or (a and c), and the same with
// and and or exchanged.
func (w *writer) distribute(f words) words {
	if f.keyword != "and" && f.keyword != "or" {
		return f
	}
	for i, m := range f.members {
		if m.keyword != opposite(f.keyword) {
			continue
		}
		others := slices.Delete(slices.Clone(f.members), i, i+1)
		if len(others) == 0 {
			return m
		}
		alternatives := make([]words, len(m.members))
		for j, part := range m.members {
			alternatives[j] = join(f.keyword, append(slices.Clone(others), part)...)
		}
		return join(m.keyword, alternatives...)
	}
	return f
}

// absorb turns a condition a into a or (a and b), or a and (a or b).
func (w *writer) absorb(f words) words {
	if f.keyword != "" {
		return f
	}
	keyword := []string{"and", "or"}[w.IntN(2)]
	return join(keyword, f, join(opposite(keyword), f, w.condition()))
}

// addNothing adds an alternative that cannot be.
func (w *writer) addNothing(f words) words {
	field := w.field()
	contradictions := []words{
		join("and", condition(field, `{"equals":{"%s":1}}`), condition(field, `{"equals":{"%s":2}}`)),
		join("and", condition(field, `{"missing":"%s"}`), condition(field, `{"regexp":{"%s":"x"}}`)),
		join("and", condition(field, `{"range":{"%s":{"gt":1}}}`), condition(field, `{"range":{"%s":{"lt":1}}}`), w.condition()),
		join("and", condition(field, `{"prefix":{"%s":"x"}}`), condition(field, `{"in":{"%s":[null,1]}}`)),
		condition(field, `{"exists":"%s[{}]"}`),
	}
	return join("or", f, contradictions[w.IntN(len(contradictions))])
}

// demandField says of a condition that the field is there, or, of one that holds
// without it, that it may be missing.
func (w *writer) demandField(f words) words {
	switch {
	case f.keyword != "":
		return f
	case strings.HasPrefix(f.text, `{"missing"`):
		return join("or", f, negation(condition(f.field, `{"exists":"%s"}`)))
	}
	return join("and", f, condition(f.field, `{"exists":"%s"}`))
}

// split says a condition as several.
func (w *writer) split(f words) words {
	var n int
	is := func(format string) bool {
		_, err := fmt.Sscanf(f.text, strings.ReplaceAll(format, "F", f.field), &n)
		return err == nil
	}
	switch {
	case is(`{"in":{"F":[%d,`):
		return join("or", condition(f.field, `{"in":{"%s":[%d,null]}}`, n), condition(f.field, `{"equals":{"%s":"x"}}`))
	case is(`{"anyOf":{"F":[%d,`):
		return join("or", condition(f.field, `{"exists":"%s[%d]"}`, n), condition(f.field, `{"exists":"%s[\"x\"]"}`))
	case is(`{"range":{"F":{"gte":%d,`):
		return join("and", condition(f.field, `{"range":{"%s":{"gte":%d}}}`, n), condition(f.field, `{"range":{"%s":{"lt":%d.5}}}`, n))
	case is(`{"range":{"F":{"gt":%d`):
		return join("or", condition(f.field, `{"range":{"%s":{"gt":%d,"lte":9}}}`, n), condition(f.field, `{"range":{"%s":{"gt":7}}}`))
	case is(`{"equals":{"F":%d`):
		return join("and", condition(f.field, `{"in":{"%s":[%d,"x"]}}`, n), condition(f.field, `{"range":{"%s":{"gt":0}}}`))
	}
	return f
}

// Filters whose conditions are about different fields keep their hash in whatever
// words they are said, and with the hash their meaning.
func TestAFilterInOtherWordsHasTheSameHash(t *testing.T) {
	for seed := range uint64(300) {
		w := &writer{Rand: rand.New(rand.NewPCG(seed, 0))}
		original := w.filter(3)
		f := parsed(t, original.String())
		rewritten := original
		for range 1 + w.IntN(6) {
			rewritten = w.rewrite(rewritten)
		}
		src := rewritten.String()
		raw, _, err := parse([]byte(src), NoLimits())
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		again, err := ParseWithin([]byte(src), NoLimits())
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		if again.Hash("i", "c") != f.Hash("i", "c") {
			t.Fatalf("seed %d: %s\nis %s\n%s\nis %s", seed, original, f, src, again)
		}
		for range 1000 {
			d := document(t, w.document())
			if raw.match(d) != f.Match(d) {
				t.Fatalf("%s\nis %s, which matches %v: %v", src, f, fields(d), f.Match(d))
			}
		}
	}
}
