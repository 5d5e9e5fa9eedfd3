package koncorde

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/ambitmq/ambit/filter"
)

// conditionNames names the deviations that make the two sides differ about a
// condition and a document.
func (j *judge) conditionNames(source string, d document, o opinion) ([]string, error) {
	keyword, field, argument := takeApart(source)
	value, there := valueAt(d.text, field)
	named := func(name string, is bool) ([]string, error) {
		if is {
			return []string{name}, nil
		}
		return nil, nil
	}
	if slices.Contains([]string{"constructor", "toString", "__proto__", "hasOwnProperty"}, field) {
		return []string{namesOfJavaScript}, nil
	}
	switch keyword {
	case "range":
		return named(openBounds, isAtBound(argument, value))
	case "regexp":
		_, isString := value.(string)
		return named(notRegexp, there && !isString && o.theirs == o.ours)
	case "select":
		return j.selectNames(source, value)
	case "geoDistance", "geoDistanceRange", "geoBoundingBox", "geoPolygon":
		return geoNames(source, value, o), nil
	}
	return nil, nil
}

// takeApart returns the keyword of a condition, its field if it has just one,
// and the argument for it.
func takeApart(source string) (keyword, field string, argument any) {
	var members map[string]any
	if json.Unmarshal([]byte(source), &members) != nil || len(members) != 1 {
		return "", "", nil
	}
	keyword = slices.Collect(maps.Keys(members))[0]
	switch a := members[keyword].(type) {
	case string:
		return keyword, a, nil
	case map[string]any:
		for _, name := range []string{"distance", "from", "to", "index", "query"} {
			delete(a, name)
		}
		if keyword == "select" || keyword == "exists" || keyword == "missing" {
			field, _ = a["field"].(string)
			return keyword, field, nil
		}
		for field, argument = range a {
			return keyword, field, argument
		}
	}
	return keyword, "", nil
}

// valueAt returns what a document has at a path.
func valueAt(document, path string) (value any, there bool) {
	if json.Unmarshal([]byte(document), &value) != nil {
		return nil, false
	}
	if o, ok := value.(map[string]any); ok {
		if v, there := o[path]; there {
			return v, true
		}
	}
	for name := range strings.SplitSeq(path, ".") {
		o, ok := value.(map[string]any)
		if !ok {
			return nil, false
		}
		if value, there = o[name]; !there {
			return nil, false
		}
	}
	return value, true
}

// isAtBound says whether a number is as near to a bound of a range as Koncorde
// moves it, or, for large numbers, is the bound.
func isAtBound(bounds, value any) bool {
	n, ok := value.(float64)
	if !ok {
		return false
	}
	for _, b := range bounds.(map[string]any) {
		if b, ok := b.(float64); ok && math.Abs(n-b) <= 2e-10 {
			return true
		}
	}
	return false
}

// selectNames names the deviations in the query of a select.
func (j *judge) selectNames(source string, array any) ([]string, error) {
	var f struct {
		Select struct {
			Index int
			Query json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(source), &f); err != nil {
		return nil, err
	}
	list, ok := array.([]any)
	i := f.Select.Index
	if i < 0 {
		i += len(list)
	}
	if !ok || i < 0 || i >= len(list) {
		return nil, nil
	}
	text, err := json.Marshal(map[string]any{"value": list[i]})
	if err != nil {
		return nil, err
	}
	d, err := newDocument(string(text))
	if err != nil {
		return nil, err
	}
	query, err := filter.Parse(f.Select.Query)
	if err != nil {
		return nil, err
	}
	ours := query.Match(d.parsed)
	theirs, err := j.oracle.ask(string(f.Select.Query), d.text)
	if err != nil || theirs.Error != nil {
		return []string{nestedGeo}, err
	}
	return j.explain(string(f.Select.Query), d, ours, theirs.Answers[0])
}

// geoNames names the deviations about places.
func geoNames(source string, value any, o opinion) []string {
	if latLon, ok := value.(map[string]any); ok {
		if inner, there := latLon["latLon"]; there && inner == nil {
			return []string{unreadable}
		}
	}
	at, ok := placeOf(value)
	switch {
	case !ok && o.theirs == o.negated && !o.ours:
		return []string{notGeo}
	case !ok:
		return unreadNames(value)
	}
	if strings.Contains(source, "geoPolygon") && o.theirs != o.negated {
		return polygonNames(source, at, o)
	}
	for name, factor := range map[string]float64{secondOrder: 1, mile: 1609.34 / 1609.344} {
		if name == mile && !strings.Contains(strings.ToLower(source), "mi") {
			continue
		}
		if is, known := theirCircle(source, at, factor); known && is == o.theirs && o.theirs != o.negated {
			return []string{name}
		}
	}
	return nil
}

// unreadNames names the deviation for which a value is a geopoint to Koncorde alone.
func unreadNames(value any) []string {
	switch v := value.(type) {
	case map[string]any:
		for _, name := range []string{"lat", "lon", "latLon", "lat_lon"} {
			if names := unreadNames(v[name]); names != nil {
				return names
			}
		}
	case []any:
		for _, element := range v {
			if _, isList := element.([]any); isList {
				return []string{coordinates}
			}
			if names := unreadNames(element); names != nil {
				return names
			}
		}
	case string, float64:
		if beyond.MatchString(fmt.Sprint(v)) {
			return []string{nowhere}
		}
	}
	return nil
}

// beyond finds a number that is above 90, or infinite.
var beyond = regexp.MustCompile(`Infinity|\b(9[1-9]|[1-9]\d\d|90\.0*[1-9])`)

// polygonNames names the deviations about a polygon and a place.
func polygonNames(source string, at place, o opinion) []string {
	points := pointsOf(source)
	around, over := goesAroundAPole(points)
	switch {
	case math.Abs(at.Lat) == 90 || over:
		return []string{onePole}
	case around && o.ours == capHolds(points, at):
		return []string{polarCap}
	}
	return nil
}

// contradiction names the reason for which Koncorde answers something else than
// its answers to the conditions amount to.
func contradiction(conditions []string, document string, whole any) string {
	if whole == "Cannot convert undefined or null to object" && strings.Contains(document, `{"latLon":null}`) {
		return unreadable
	}
	geo, perField := map[string]bool{}, map[string][]string{}
	for _, c := range conditions {
		keyword, field, argument := takeApart(c)
		if strings.HasPrefix(keyword, "geo") {
			geo[field] = true
		}
		if keyword == "regexp" && strings.ContainsAny(flagsOf(argument), "gy") {
			return statefulFlags
		}
		if name, _, found := strings.Cut(field, "["); found && (keyword == "exists" || keyword == "missing") {
			perField[name] = append(perField[name], "element")
		} else {
			perField[field] = append(perField[field], keyword)
		}
	}
	// One that cannot be read ends the search in the others.
	unread := func(field string) bool {
		value, there := valueAt(document, field)
		_, read := placeOf(value)
		return there && !read
	}
	if len(geo) > 1 && (whole == "subfilters is not iterable" || slices.ContainsFunc(slices.Collect(maps.Keys(geo)), unread)) {
		return twoGeoFields
	}
	for _, keywords := range perField {
		equals := 0
		for _, k := range keywords {
			if k == "equals" || k == "in" || k == "ids" {
				equals++
			}
		}
		if len(keywords) > 1 && slices.Contains(keywords, "element") || equals > 1 {
			return elements
		}
	}
	return ""
}

func flagsOf(argument any) string {
	if o, ok := argument.(map[string]any); ok {
		return fmt.Sprint(o["flags"])
	}
	return ""
}
