package koncorde

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// A generator makes filters and documents, the same ones for the same seed, in
// every spelling of the language. Fields and values are few, so that filters
// and documents meet.
type generator struct {
	*rand.Rand
	// odd is whether the filter in the making has a condition that only one side
	// accepts, or none. Two of them would hide each other.
	odd bool
	// places are those of the documents so far.
	places []place
}

func newGenerator(seed uint64) *generator {
	return &generator{Rand: rand.New(rand.NewPCG(seed, 1))}
}

func (g *generator) pick(from ...string) string { return from[g.IntN(len(from))] }

// some returns from least to most of what make makes, joined by commas.
func (g *generator) some(least, most int, make func() string) string {
	members := []string{}
	for range least + g.IntN(most-least+1) {
		members = append(members, make())
	}
	return strings.Join(members, ",")
}

// filter returns a filter of so many levels at most.
func (g *generator) filter(depth int) string {
	g.odd = false
	if g.IntN(50) == 0 {
		return g.pick("{}", "null", "[]", `""`, "0", "true")
	}
	return g.clause(depth)
}

func (g *generator) clause(depth int) string {
	if depth <= 1 || g.IntN(3) == 0 {
		return g.condition()
	}
	member := func() string { return g.clause(depth - 1) }
	switch g.IntN(6) {
	case 0, 1:
		return `{"and":[` + g.some(1, 3, member) + `]}`
	case 2, 3:
		return `{"or":[` + g.some(1, 3, member) + `]}`
	case 4:
		return `{"not":` + member() + `}`
	}
	return g.bool(member)
}

func (g *generator) bool(member func() string) string {
	parts := []string{}
	for _, name := range []string{"must", "must_not", "should", "should_not"} {
		if g.IntN(2) == 0 {
			parts = append(parts, `"`+name+`":[`+g.some(1, 2, member)+`]`)
		}
	}
	if len(parts) == 0 {
		return `{"bool":{"must":` + member() + `}}`
	}
	g.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	return `{"bool":{` + strings.Join(parts, ",") + `}}`
}

// condition returns a condition of a random keyword; one in fifteen is odd.
func (g *generator) condition() string {
	if !g.odd && g.IntN(15) == 0 {
		g.odd = true
		return g.pick(g.oddity(), g.fault())
	}
	keywords := []func() string{
		g.equals, g.equals, g.in, g.ids, g.exists, g.exists, g.ranges, g.ranges, g.regexp, g.match, g.selects,
		g.geoDistance, g.geoDistance, g.geoDistanceRange, g.geoBoundingBox, g.geoPolygon,
		func() string { return `{"nothing":` + g.pick("true", "null", "{}", "[1]") + `}` },
	}
	return keywords[g.IntN(len(keywords))]()
}

func (g *generator) field() string {
	return g.pick("a", "a", "b", "b", "n.x", "n.y.z", "n", "list", "_id", "missing", "é b")
}

func (g *generator) text() string {
	return g.pick("x", "y", "1", "true", "null", "", "é", "M-AM 4711")
}

func (g *generator) scalar() string {
	return g.pick("1", "2", "2.5", "1.0", "-3", "0", "true", "false", "null", `"`+g.text()+`"`, `"`+g.text()+`"`)
}

func (g *generator) value() string {
	if g.IntN(4) > 0 {
		return g.scalar()
	}
	return g.pick("["+g.some(0, 3, g.value)+"]", `{"`+g.pick("x", "y")+`":`+g.value()+`}`, "{}")
}

func (g *generator) equals() string { return `{"equals":{"` + g.field() + `":` + g.scalar() + `}}` }

func (g *generator) in() string {
	return `{"in":{"` + g.field() + `":[` + g.some(1, 4, func() string { return `"` + g.text() + `"` }) + `]}}`
}

func (g *generator) ids() string {
	return `{"ids":{"values":[` + g.some(1, 3, func() string { return g.pick(`"d1"`, `"d2"`, `"x"`) }) + `]}}`
}

func (g *generator) exists() string {
	field := g.field()
	switch g.IntN(6) {
	case 0, 1:
		field = g.pick("list", "list", "a") + "[" + strings.ReplaceAll(g.scalar(), `"`, `\"`) + "]"
	case 2:
		field = g.pick(`c\\[0\\]`, "[c]", `c\\[0\\][1]`)
	}
	keyword := g.pick("exists", "missing")
	if g.IntN(3) == 0 {
		return `{"` + keyword + `":{"field":"` + field + `"}}`
	}
	return `{"` + keyword + `":"` + field + `"}`
}

func (g *generator) ranges() string {
	numbers := []string{"-3", "-1e-11", "0", "1e-11", "1", "1.5", "2", "2.5", "5", "1048576", "1048577", "1699999999999", "1700000000000"}
	lower := g.IntN(len(numbers) - 1)
	upper := lower + 1 + g.IntN(len(numbers)-lower-1)
	bounds := []string{`"` + g.pick("gt", "gte") + `":` + numbers[lower], `"` + g.pick("lt", "lte") + `":` + numbers[upper]}
	switch g.IntN(3) {
	case 0:
		bounds = bounds[:1]
	case 1:
		bounds = bounds[1:]
	}
	return `{"range":{"` + g.field() + `":{` + strings.Join(bounds, ",") + `}}}`
}

func (g *generator) regexp() string {
	pattern := g.pick("^x", "1", "[0-9]+$", "^(true|null)$", "", "é", `\\u00e9`, `^\\w{1,2}-`, "(?i)m-am", "y?x*", `\\s`, "[^x]", `\\Q1\\E`, `\\p{Greek}|x`, `^[[:alpha:]]+$`, `\\/|y`)
	if !g.odd && g.IntN(3) == 0 {
		g.odd = true
		pattern = ""
		for range 1 + g.IntN(4) {
			pattern += strings.ReplaceAll(g.pick(atoms...), `\`, `\\`)
		}
	}
	field := g.pick("a", "b", "n.x", "_id")
	switch g.IntN(3) {
	case 0:
		return `{"regexp":{"` + field + `":{"value":"` + pattern + `","flags":"` + g.pick("i", "m", "s", "u", "im", "zz", "") + `"}}}`
	case 1:
		return `{"regexp":{"` + field + `":{"value":"` + pattern + `"}}}`
	}
	return `{"regexp":{"` + field + `":"` + pattern + `"}}`
}

// atoms are what patterns consist of, right or wrong.
var atoms = []string{
	"x", "a", "1", "é", ".", "^", "$", " ", "-", `\d`, `\w`, `\s`, `\b`, `\B`, `\D`, `\W`, `\S`, `\x41`, `\u0078`, `\u{78}`, `\cA`, `\/`, `\-`, `\_`,
	`\n`, `\t`, `\v`, `\f`, `\0`, `\07`, `\1`, `\a`, `\e`, `\z`, `\A`, `\Z`, `\C`, `\Q`, `\E`, `\k`, `\p{L}`, `\pN`, `\P{Lu}`, `\p{Foo}`,
	"[x]", "[^x]", "[a-z]", `[\d]`, `[\w-]`, "[-a]", "[]a]", "[a", "]", "[[:alpha:]]", `[^\s]`, "(x)", "(?:x)", "(?i)", "(?i:X)", "(?<n>x)", "(?P<m>x)",
	"(?s).", "(?m)^", "(?U)x*", "(?=x)", "(", ")", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,}", "{,2}", "{1,2}", "{", "}", "{0}", "|", "||",
}

func (g *generator) match() string {
	members := `"` + g.pick("a", "b", "n.x") + `":` + g.value()
	if g.IntN(2) == 0 {
		members += `,"` + g.pick("n", "list") + `":` + g.value()
	}
	return `{"match":{` + members + `}}`
}

func (g *generator) selects() string {
	query := strings.NewReplacer(`"a"`, `"value"`, `"n.x"`, `"value.x"`).Replace(g.clause(g.IntN(3)))
	return fmt.Sprintf(`{"select":{"field":"%s","index":%d,"query":%s}}`, g.pick("list", "list", "a"), g.IntN(5)-2, query)
}

// document returns a document; most of them have most of the fields.
func (g *generator) document() string {
	number := func() string {
		return g.pick("1048576", "1048577", "1700000000000", "1699999999999", "5e-12", "1.00000000005", "4.99999999995", "3", "-7")
	}
	members := []string{}
	for _, m := range []string{
		`"a":` + g.pick(g.value(), number()), `"b":` + g.pick(g.value(), number()),
		`"n":{"x":` + g.pick(g.value(), number()) + `,"y":{"z":` + g.scalar() + `}}`,
		`"list":` + g.pick("["+g.some(0, 4, g.value)+"]", "["+g.some(0, 4, g.value)+"]", g.value()),
		`"_id":"` + g.pick("d1", "d2", "d3") + `"`,
		`"c[0]":` + g.pick("1", "[1]"), `"[c]":1`, `"é b":` + g.value(),
		`"p":` + g.position(), `"q":` + g.position(),
	} {
		if g.IntN(5) > 0 {
			members = append(members, m)
		}
	}
	g.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return "{" + strings.Join(members, ",") + "}"
}

// position returns what a document has in a geo field: mostly a geopoint.
func (g *generator) position() string {
	if g.IntN(12) == 0 {
		return g.pick("null", `"nowhere"`, "5", "{}", "[1,2,3]", `{"latitude":1,"longitude":2}`, `{"lat":null,"lon":1}`, `"M-AM"`,
			"[91,0]", `{"latLon":null}`, "false", `""`, `{"type":"Point","coordinates":[11.5,48.1]}`)
	}
	lat, lon := g.near(math.Pow(10, -4+5*g.Float64()))
	g.places = append(g.places, place{lat, lon})
	return g.geopoint(lat, lon)
}
