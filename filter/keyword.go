package filter

// A parseFunc reads the argument of a keyword.
type parseFunc func(p *parser, at place, arg any) (node, error)

// keyword returns the reader of a keyword, or nil. This is the language: a row
// each, and a file each.
func keyword(name string) parseFunc {
	switch name {
	case "after":
		return parseAfter
	case "and":
		return parseAnd
	case "anyOf":
		return parseAnyOf
	case "before":
		return parseBefore
	case "bool":
		return parseBool
	case "changed":
		return parseChanged
	case "cidr":
		return parseCIDR
	case "contains":
		return parseContains
	case "crossed":
		return parseCrossed
	case "equals":
		return parseEquals
	case "exists":
		return parseExists
	case "geoBoundingBox":
		return parseGeoBoundingBox
	case "geoDistance":
		return parseGeoDistance
	case "geoDistanceRange":
		return parseGeoDistanceRange
	case "geoPolygon":
		return parseGeoPolygon
	case "geoShape":
		return parseGeoShape
	case "ids":
		return parseIDs
	case "in":
		return parseIn
	case "match":
		return parseMatch
	case "missing":
		return parseMissing
	case "near":
		return parseNear
	case "not":
		return parseNot
	case "nothing":
		return parseNothing
	case "or":
		return parseOr
	case "prefix":
		return parsePrefix
	case "range":
		return parseRange
	case "regexp":
		return parseRegexp
	case "select":
		return parseSelect
	case "suffix":
		return parseSuffix
	}
	return nil
}
