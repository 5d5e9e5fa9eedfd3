package filter

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// worstFilters are those within the limits that take longest to read, and a
// usual one.
func worstFilters() map[string]string {
	return map[string]string{
		"a usual one":                 `{"and":[{"geoDistance":{"position":[48.1,11.5],"distance":"2km"}},{"range":{"speed":{"gt":50}}}]}`,
		"960 fields":                  `{"or":[` + sequence(960, `{"exists":"%[1]d"}`) + `]}`,
		"640 values of an or":         `{"or":[` + sequence(640, `{"equals":{"a":%[1]d}}`) + `]}`,
		"500 values that are not":     `{"and":[` + sequence(500, `{"not":{"equals":{"a":%[1]d}}}`) + `]}`,
		"1,000 values":                `{"in":{"a":[` + sequence(1000, `"%[1]d-"`) + `]}}`,
		"700 elements":                `{"and":[` + sequence(700, `{"missing":"%[1]d[1]"}`) + `]}`,
		"400 ranges":                  `{"or":[` + sequence(400, `{"range":{"a":{"gt":%[1]d,"lt":%[1]d.5}}}`) + `]}`,
		"ten ors of ands":             tree(10, 10, 5),
		"ors with a part in common":   `{"and":[` + sequence(300, `{"or":[{"equals":{"a":7}},{"exists":"%[1]d"}]}`) + `]}`,
		"ands and ors in turn":        inTurn(14, 55, false),
		"the same in each and and or": inTurn(14, 60, true),
		"a tree of pairs":             tree(2, 2, 2, 2, 2, 2, 2, 2, 2),
		"selects":                     `{"or":[` + sequence(200, `{"select":{"field":"a","index":%[1]d,"query":{"exists":"a"}}}`) + `]}`,
		"a wide match":                `{"match":{"a":{` + sequence(999, `"%[1]d":%[1]d`) + `}}}`,
		"deep matches":                `{"and":[` + sequence(16, `{"match":{"a":`+strings.Repeat("[", 60)+"%[1]d"+strings.Repeat("]", 60)+`}}`) + `]}`,
		"circles":                     `{"or":[` + sequence(200, `{"geoDistance":{"p":"0.%[1]d,1","distance":"3 km"}}`) + `]}`,
		"CIDR blocks":                 `{"or":[` + sequence(450, `{"cidr":{"a":"2001:db8:%[1]d::/48"}}`) + `]}`,
		"times":                       `{"or":[` + sequence(320, `{"before":{"%[1]d":"2026-01-01T00:00:00Z"}}`) + `]}`,
		"short patterns":              `{"or":[` + sequence(120, `{"regexp":{"a":"%[1]d+"}}`) + `]}`,
		"long patterns":               `{"or":[` + sequence(6, `{"regexp":{"a":"%[1]d`+strings.Repeat("x", 250)+`"}}`) + `]}`,
		"patterns of one path":        `{"or":[` + sequence(4, `{"regexp":{"a":"^%[1]d(?:(?:[a-y]x){100}){2}$"}}`) + `]}`,
		"classes of Unicode":          `{"or":[` + sequence(10, `{"regexp":{"a":"(?i)%[1]d\\pL\\PN"}}`) + `]}`,
		"a range in any case":         `{"regexp":{"a":"(?i)[一-\\x{9a00}]"}}`,
		"a circle of points":          `{"geoShape":{"p":{"type":"Polygon","coordinates":[[` + circle(1000) + `]]}}}`,
		"300 polygons":                `{"geoShape":{"p":{"type":"MultiPolygon","coordinates":[` + sequence(300, `[[[0,%[1]d.1e-1],[1,%[1]d.1e-1],[0,%[1]d.9e-1]]]`) + `]}}}`,
		"a ring of the same points":   `{"geoShape":{"p":{"type":"Polygon","coordinates":[[` + strings.Repeat(`[0,0],[1,1],[0,1],`, 46) + `[0,0]` + `]]}}}`,
		"holes":                       withHoles(24),
	}
}

// sequence returns texts of a format, with the numbers from 0 on.
func sequence(n int, format string) string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf(format, i)
	}
	return strings.Join(texts, ",")
}

// tree returns ands of ors of ands, and so on, with so many members each.
func tree(members ...int) string {
	leaf := 0
	var grow func(level int) string
	grow = func(level int) string {
		if level == len(members) {
			leaf++
			return fmt.Sprintf(`{"exists":"%d"}`, leaf)
		}
		branches := make([]string, members[level])
		for i := range branches {
			branches[i] = grow(level + 1)
		}
		return fmt.Sprintf(`{"%s":[%s]}`, [...]string{"and", "or"}[level%2], strings.Join(branches, ","))
	}
	return grow(0)
}

// inTurn returns an and within an or within an and, and so on, each with so many
// conditions besides, be they the same.
func inTurn(levels, conditions int, same bool) string {
	text := `{"exists":"x"}`
	for level := range levels {
		prefix := "x"
		if !same {
			prefix = fmt.Sprint(level, "x")
		}
		text = fmt.Sprintf(`{"%s":[%s,%s]}`, [...]string{"and", "or"}[level%2], text, sequence(conditions, `{"exists":"`+prefix+`%[1]d"}`))
	}
	return text
}

// Target: a millisecond, and 10 µs for a usual filter.
func BenchmarkParse(b *testing.B) {
	filters := worstFilters()
	for _, name := range slices.Sorted(maps.Keys(filters)) {
		src := filters[name]
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			spent := cpuTime()
			for b.Loop() {
				if _, err := Parse([]byte(src)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpuTime()-spent)/float64(b.N), "cpu-ns")
		})
	}
}

// The work to read a filter is in proportion to its length. Allocations stand for
// it: for each of them there is a bounded piece of it.
func TestParseAllocatesInProportionToTheText(t *testing.T) {
	for name, src := range worstFilters() {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(src)); err != nil {
				t.Fatal(err)
			}
			allocations := testing.AllocsPerRun(3, func() { _, _ = Parse([]byte(src)) })
			if limit := float64(5000 + 2*len(src)); allocations > limit {
				t.Errorf("%.0f allocations for %d bytes", allocations, len(src))
			}
		})
	}
}
