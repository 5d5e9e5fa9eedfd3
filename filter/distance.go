package filter

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/ambitmq/ambit/geofilter"
)

// distanceOf reads a distance: a JSON number of metres, or a string of a number
// and a unit, "3 280,84 ft". Spaces and capitals mean nothing, a comma is a
// decimal point, and without a unit it is metres.
func distanceOf(at place, v any) (geofilter.Meters, error) {
	if n, ok := v.(float64); ok {
		if n < 0 {
			return 0, at.errorf(`unable to parse distance value "%s"`, appendNumber(nil, n))
		}
		return geofilter.Meters(n), nil
	}
	s, err := stringOf(at, v)
	if err != nil {
		return 0, err
	}
	m := numberAndUnit.FindStringSubmatch(strings.Join(strings.Fields(strings.ToLower(s)), ""))
	if m == nil {
		return 0, at.errorf(`unable to parse distance value "%s"`, s)
	}
	n, err := strconv.ParseFloat(strings.Replace(m[1], ",", ".", 1), 64)
	factor, known := metersIn(m[2])
	length := n * factor
	if factor != 1 {
		length = rounded(length)
	}
	if err != nil || !known || math.IsInf(length, 0) {
		return 0, at.errorf(`unable to parse distance value "%s"`, s)
	}
	return geofilter.Meters(length), nil
}

// rounded drops what is beyond the 15 digits of which a float64 is sure, so that
// 63,360 inches are a mile.
func rounded(v float64) float64 {
	// What has been formatted can be parsed.
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 15, 64), 64)
	return v
}

var numberAndUnit = regexp.MustCompile(`^\+?(\d*[.,]?\d+)([a-z]*)$`)

// metersIn returns the length of a unit in metres. As in Koncorde, an s or es at
// the end is that of a plural, but for a unit of two letters: "ms" is no metre.
func metersIn(unit string) (float64, bool) {
	if factor, ok := metersInOne(unit); ok || len(unit) == 2 {
		return factor, ok
	}
	for _, plural := range [...]string{"s", "es"} {
		if one, cut := strings.CutSuffix(unit, plural); cut && one != "" {
			if factor, ok := metersInOne(one); ok {
				return factor, true
			}
		}
	}
	return 0, false
}

// metersInOne returns the length of a unit that is not a plural.
func metersInOne(unit string) (float64, bool) {
	switch unit {
	case "", "m", "meter":
		return 1, true
	case "in", "inch":
		return 0.0254, true
	case "ft", "feet":
		return 0.3048, true
	case "yd", "yard":
		return 0.9144, true
	case "mi", "mile":
		return 1609.344, true
	}
	if prefix, ok := strings.CutSuffix(unit, "meter"); ok {
		return longPrefix(prefix)
	}
	prefix, ok := strings.CutSuffix(unit, "m")
	if !ok {
		return 0, false
	}
	if factor, ok := shortPrefix(prefix); ok {
		return factor, true
	}
	return longPrefix(prefix)
}

// shortPrefix returns the factor of an SI prefix as it stands before m. They
// are in lower case, so that there is no symbol for mega and above.
func shortPrefix(prefix string) (float64, bool) {
	switch prefix {
	case "k":
		return 1e3, true
	case "h":
		return 1e2, true
	case "da":
		return 1e1, true
	case "d":
		return 1e-1, true
	case "c":
		return 1e-2, true
	case "m":
		return 1e-3, true
	case "mu":
		return 1e-6, true
	case "n":
		return 1e-9, true
	case "p":
		return 1e-12, true
	case "f":
		return 1e-15, true
	case "a":
		return 1e-18, true
	case "z":
		return 1e-21, true
	case "y":
		return 1e-24, true
	}
	return 0, false
}

// longPrefix returns the factor of an SI prefix as it stands before meter.
func longPrefix(prefix string) (float64, bool) {
	for _, p := range [...]struct {
		name   string
		factor float64
	}{
		{"yotta", 1e24}, {"zeta", 1e21}, {"exa", 1e18}, {"peta", 1e15}, {"tera", 1e12}, {"giga", 1e9}, {"mega", 1e6},
		{"kilo", 1e3}, {"hecto", 1e2}, {"deca", 1e1}, {"deka", 1e1}, {"deci", 1e-1}, {"centi", 1e-2}, {"milli", 1e-3}, {"micro", 1e-6},
		{"nano", 1e-9}, {"pico", 1e-12}, {"femto", 1e-15}, {"atto", 1e-18}, {"zepto", 1e-21}, {"yocto", 1e-24},
	} {
		if p.name == prefix {
			return p.factor, true
		}
	}
	return 0, false
}
