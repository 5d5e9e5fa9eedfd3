package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// equals is W4: filters on ten fields, of which a document has eight.
func equals(size int) (problem, error) {
	return problem{
		size: size,
		filter: func(random *rand.Rand, _ int) condition {
			return condition{text: fmt.Sprintf(`{"equals":{"field%d":"value %d"}}`, random.IntN(10), random.IntN(size))}
		},
		documents: bodies(func(random *rand.Rand) string {
			members := []string{`"field0":1`}
			for i := 1; i < 8; i++ {
				members = append(members, fmt.Sprintf(`"field%d":"value %d"`, i, random.IntN(2*size)))
			}
			return "{" + strings.Join(members, ",") + "}"
		}),
	}, nil
}

// wideRanges is W5: ranges of which a document is in ten, however many there are.
func wideRanges(size int) (problem, error) {
	return problem{
		size: size,
		filter: func(random *rand.Rand, _ int) condition {
			low := uniform(random, 0, 1e6)
			return condition{text: fmt.Sprintf(`{"range":{"a":{"gte":%.3f,"lt":%.3f}}}`, low, low+uniform(random, 1e6, 2e7)/float64(size))}
		},
		documents: bodies(func(random *rand.Rand) string {
			return fmt.Sprintf(`{"a":%.3f,"b":1}`, uniform(random, 0, 1e6))
		}),
	}, nil
}

// oneSidedRanges is W5 with alarms: a document is above ten of the limits.
func oneSidedRanges(size int) (problem, error) {
	return problem{
		size: size,
		filter: func(random *rand.Rand, _ int) condition {
			return condition{text: fmt.Sprintf(`{"range":{"a":{"gt":%.3f}}}`, uniform(random, 0, 1e6))}
		},
		documents: bodies(func(random *rand.Rand) string {
			return fmt.Sprintf(`{"a":%.3f,"b":1}`, uniform(random, 0, 2e7/float64(size)))
		}),
	}, nil
}

// negations is W8: filters that ask for what is not there, with something that
// is there beside it, or alone. Of the latter every document matches nearly all,
// so there are a hundred.
func negations(size int) (problem, error) {
	return problem{
		size: size,
		filter: func(random *rand.Rand, _ int) condition {
			i := random.IntN(size)
			switch {
			case random.IntN(size) < 50:
				return condition{text: fmt.Sprintf(`{"not":{"equals":{"plate":"P%d"}}}`, i)}
			case random.IntN(size) < 50:
				return condition{text: fmt.Sprintf(`{"missing":"fault%d"}`, i)}
			case random.IntN(2) == 0:
				return condition{text: fmt.Sprintf(`{"and":[{"missing":"fault%d"},{"equals":{"line":%d}}]}`, random.IntN(1000), i)}
			}
			return condition{text: fmt.Sprintf(`{"and":[{"not":{"range":{"speed":{"lt":%d}}}},{"equals":{"driver":"D%d"}}]}`, random.IntN(80), i)}
		},
		documents: bodies(func(random *rand.Rand) string {
			return fmt.Sprintf(`{"plate":"P%d","line":%d,"driver":"D%d","speed":%d,"fault%d":true}`,
				random.IntN(size), random.IntN(size), random.IntN(size), random.IntN(80), random.IntN(1000))
		}),
	}, nil
}

// regexps is W9: patterns that have a part in common with few others.
func regexps(size int) (problem, error) {
	return problem{
		size: size,
		filter: func(random *rand.Rand, _ int) condition {
			return condition{text: fmt.Sprintf(`{"regexp":{"plate":"^[A-Z]+ ?%05d[a-f]*$"}}`, random.IntN(size))}
		},
		documents: bodies(func(random *rand.Rand) string {
			return fmt.Sprintf(`{"plate":"MUC %05db","speed":1}`, random.IntN(2*size))
		}),
	}, nil
}
