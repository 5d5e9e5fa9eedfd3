package koncorde

import "regexp"

// The deviations, in words of the table "Differences from Koncorde" of FILTERS.md.
const (
	openBounds        = "a bound of `range` is where it is"
	inScalars         = "`in` takes strings, numbers, booleans and null"
	notGeo            = "`not` a geo clause matches a document without a readable geopoint"
	nestedGeo         = "a geo clause may stand anywhere"
	twoGeoFields      = "two geo fields in one collection"
	upsideDown        = "boxes upside down or without area are refused by Parse"
	antimeridianBox   = "a box may lie across the antimeridian"
	secondOrder       = "a distance is of second order, to a centimetre at 100 km, and reaches as far in every direction"
	nowhere           = "a latitude beyond 90, or an infinite coordinate, is not a geopoint"
	unitless          = "a distance without a unit is metres, and so is a JSON number"
	mile              = "a mile is 1609.344 m"
	times             = "times (`1 h`, `1 day`, `10 ms`, `1 s`) are not distances"
	decaPrefix        = "`deca` is a prefix"
	prefixes          = "prefixes go with metres alone"
	wholeNumbers      = "a number is read as a whole: `1,234.5 ft`, `1.234,5 m`, `1_000 m`, `1/2 m`, `..5 m` are refused"
	negativeDistance  = "a negative distance is refused"
	negatedSelect     = "`select` and `nothing` may be negated"
	notRegexp         = "`regexp` never matches what is not a string, its negation always"
	statefulFlags     = "the flags `g` and `y` of `regexp` are ignored"
	elements          = "`exists` and `missing` of an element combine with others"
	regexpValue       = "the `value` of a `regexp` is a string"
	finiteNumbers     = "a number beyond the range of float64 is refused in a filter"
	aroundTheEarth    = "a polygon that goes around the Earth, or an edge of it halfway, is refused"
	ownKeywords       = "`before`, `after`, `geoShape`"
	coordinates       = "a coordinate is a number, or a string that begins with one"
	onePole           = "a pole is one place to a polygon, whatever its longitude"
	polarCap          = "a polygon around a pole is the cap, whichever way it is drawn"
	limits            = "the limits above"
	anyByte           = "`\\C` is not a part of a `regexp`"
	quotes            = "the error of a `regexp` quotes it as it is written"
	textOrList        = "a text or a list is no filter"
	namesOfJavaScript = "fields may be called `constructor` or `toString`"
	accidents         = "errors that Koncorde raises by accident, or while storing, have a keyword and a path"
	halfPair          = "half of a surrogate pair, `\\ud800`, is refused in a filter or document"
	namedTwice        = "a member that is named twice in a filter or document is refused"
	unreadable        = "a document with `{\"latLon\":null}` has no geopoint there"
)

// refusals are the filters that one side refuses, or both in different words. No
// pattern stands for a filter that is accepted. The last one is of the filter.
var refusals = []struct {
	deviation            string
	theirs, ours, filter *regexp.Regexp
}{
	{namesOfJavaScript, says(`: expected object to have exactly 1 property, got 0$`), nil, nil},
	{nestedGeo, says(`geospatial": unknown keyword$`), nil, nil},
	{inScalars, says(`: must hold only values of type "string"$`), nil, nil},
	{inScalars, says(`: must hold only values of type "string"$`), says(`: must either be a string, a number, a boolean, or null$`), nil},
	{textOrList, says(`^"0": unknown keyword|^Invalid filter syntax`), says(`^Invalid filter syntax. Filters must have one keyword only$`), nil},
	{antimeridianBox, says(`^min_lon argument cannot be greater or equal max_lon$`), nil, nil},
	{upsideDown, nil, says(`: min_lat argument cannot be greater or equal max_lat$`), nil},
	{accidents, says(`^Cannot convert undefined or null to object$`), says(`: unrecognized (geo-)?point format`), nil},
	{unitless, says(`^"(.+\.)?(geoDistance\.distance|geoDistanceRange\.(from|to))": must be a string$`), nil, nil},
	{unitless, says(`^unable to parse distance value "[\d.]+"$`), nil, nil},
	{unitless, says(`^unable to parse distance value "[\d.]+"$|: must be a string$`), says(`: inner radius must be smaller than outer radius$`), nil},
	{times, nil, says(`: unable to parse distance value "(1 h|1 day|10 ms)"$`), nil},
	{decaPrefix, says(`^unable to parse distance value "1 decameter"$`), nil, nil},
	{prefixes, nil, says(`: unable to parse distance value "1 (min|nmi|kft)"$`), nil},
	{wholeNumbers, nil, says(`: unable to parse distance value "(1,234.5 ft|1.234,5 m|1_000 m|1/2 m|..5 m)"$`), nil},
	{negativeDistance, says(`: must be a string$`), says(`: unable to parse distance value "-\d+"$`), nil},
	{wholeNumbers, says("^" + crash + "$"), says(`: unable to parse distance value "..5 m"$`), nil},
	{negativeDistance, nil, says(`: unable to parse distance value "(-5m|5-m)"$`), nil},
	{negatedSelect, says(`^this.storeOperand\[cond.keyword\] is not a function$`), nil, nil},
	{nowhere, says("^" + crash + "$"), says(`: unrecognized point format$`), says(`\[(91|-90\.5|"Infinity"),0|\[0,"-Infinity"`)},
	{nowhere, nil, says(`: unrecognized point format$`), says(`\[(91|-90\.5|"Infinity"),0|\[0,"-Infinity"`)},
	{coordinates, nil, says(`: unrecognized (geo-)?point format`), says(`"(lat|lon)":\[|":\[([^][{},]*,)?\[`)},
	{coordinates, nil, says(`: unrecognized point format ".*(\[\[|"?,\[|"(lat|lon)":\[)`), nil},
	{aroundTheEarth, nil, says(`: (the points of a polygon must leave one side of the Earth free|an edge of a polygon must be shorter than half the way around the Earth)$`), nil},
	{regexpValue, nil, says(`^"(.+\.)?regexp\..+\.value": must be a string$`), nil},
	{regexpValue, says(`\(Expected string, Buffer, RegExp, or RE2 as the 1st argument.\)$`), says(`^"(.+\.)?regexp\..+\.value": must be a string$`), nil},
	{anyByte, nil, says(`\(invalid escape sequence: \\C\)$`), nil},
	{anyByte, says(`: cannot parse regexp expression`), says(`\(invalid escape sequence: \\C\)$`), nil},
	{finiteNumbers, nil, says(`^not a JSON value: a number is out of range$`), nil},
	{ownKeywords, says(`(anyOf|prefix|suffix|contains|cidr|before|after|geoShape|changed|near|crossed)": unknown keyword$`), nil, nil},
	{limits, nil, says(`: keywords are nested \d+ deep, the limit is 16$`), nil},
	{halfPair, nil, says(`^not a JSON value: invalid surrogate pair`), nil},
	{namedTwice, nil, says(`^duplicate object member name`), nil},
}

func says(pattern string) *regexp.Regexp { return regexp.MustCompile(pattern) }

// shown are the differences that answers show, each by an example of its own.
var shown = []string{
	openBounds, inScalars, notGeo, nestedGeo, twoGeoFields, upsideDown, antimeridianBox, secondOrder, nowhere,
	unitless, mile, times, decaPrefix, prefixes, wholeNumbers, negativeDistance, negatedSelect, notRegexp, statefulFlags,
	elements, regexpValue, finiteNumbers, aroundTheEarth, ownKeywords, coordinates, onePole, polarCap, limits, anyByte, quotes, textOrList, namesOfJavaScript, accidents, halfPair, namedTwice, unreadable,
}

// unshown are the differences that are not about what one filter says of one
// document.
var unshown = []string{
	"order, repetition and rewriting do not make another room",
	"`and` and `or` are not multiplied out",
}

// patternFault finds an error of a regexp up to what it quotes of it.
var patternFault = regexp.MustCompile(`^.*cannot parse regexp expression .* \([^:()]+[)\]]?: `)
