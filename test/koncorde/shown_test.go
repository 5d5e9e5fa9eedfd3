package koncorde

import (
	"strings"
	"testing"
)

// Each deviation that random answers may show is shown by an example here, so that
// none is only a name.
func TestEachDeviationHasAnExample(t *testing.T) {
	examples := map[string][2]string{ // a filter and a document
		openBounds:        {`{"range":{"a":{"gt":1700000000000}}}`, `{"a":1700000000000}`},
		inScalars:         {`{"in":{"a":[1,null]}}`, `{"a":1}`},
		notGeo:            {`{"not":{"geoDistance":{"p":[0,0],"distance":"1km"}}}`, `{"p":"nowhere!"}`},
		nestedGeo:         {`{"not":{"not":{"or":[{"and":[{"geoDistance":{"p":[0,0],"distance":"1km"}},{"equals":{"a":1}}]},{"exists":"b"}]}}}`, `{"p":[0,0],"a":1}`},
		twoGeoFields:      {`{"or":[{"geoDistance":{"p":[0,0],"distance":"1km"}},{"geoDistance":{"q":[0,0],"distance":"1km"}}]}`, `{"p":[0,0],"q":[0,0]}`},
		upsideDown:        {`{"and":[{"geoBoundingBox":{"p":{"top":10,"left":0,"bottom":20,"right":10}}},{"exists":"a"},{"missing":"a"}]}`, `{}`},
		antimeridianBox:   {`{"geoBoundingBox":{"p":{"top":10,"left":170,"bottom":0,"right":-170}}}`, `{"p":[5,180]}`},
		secondOrder:       {`{"geoDistance":{"p":[0,0],"distance":"1km"}}`, `{"p":[0.009,0]}`},
		nowhere:           {`{"geoDistance":{"p":[91,0],"distance":"1km"}}`, `{}`},
		unitless:          {`{"geoDistance":{"p":[0,0],"distance":"1000"}}`, `{"p":[0,0]}`},
		mile:              {`{"geoDistance":{"p":[0,0],"distance":"1000mi"}}`, `{"p":[0,14.456966]}`},
		times:             {`{"geoDistance":{"p":[0,0],"distance":"1 h"}}`, `{}`},
		decaPrefix:        {`{"geoDistance":{"p":[0,0],"distance":"1 decameter"}}`, `{"p":[0,0]}`},
		prefixes:          {`{"geoDistance":{"p":[0,0],"distance":"1 nmi"}}`, `{}`},
		wholeNumbers:      {`{"geoDistance":{"p":[0,0],"distance":"1,234.5 ft"}}`, `{}`},
		negativeDistance:  {`{"geoDistance":{"p":[0,0],"distance":"-5m"}}`, `{}`},
		negatedSelect:     {`{"not":{"nothing":true}}`, `{}`},
		notRegexp:         {`{"not":{"regexp":{"a":"1"}}}`, `{"a":1}`},
		statefulFlags:     {`{"or":[{"regexp":{"a":{"value":"x","flags":"g"}}},{"exists":"zz"}]}`, `{"a":"x"}`},
		elements:          {`{"and":[{"exists":"a[\"x\"]"},{"missing":"a[\"y\"]"}]}`, `{"a":["x"]}`},
		regexpValue:       {`{"regexp":{"a":{"value":1}}}`, `{}`},
		finiteNumbers:     {`{"equals":{"a":1e400}}`, `{}`},
		aroundTheEarth:    {`{"geoPolygon":{"p":{"points":[[0,0],[0,180],[10,0]]}}}`, `{}`},
		ownKeywords:       {`{"prefix":{"a":"x"}}`, `{"a":"x"}`},
		coordinates:       {`{"geoDistance":{"p":[[1],2],"distance":"1km"}}`, `{}`},
		onePole:           {`{"geoPolygon":{"p":{"points":[[45,0],[45,180],[5,90]]}}}`, `{"p":[20,180]}`},
		polarCap:          {`{"geoPolygon":{"p":{"points":[[-60,0],[-60,120],[-60,-120]]}}}`, `{"p":[0,0]}`},
		limits:            {strings.Repeat(`{"not":`, 16) + `{"exists":"a"}` + strings.Repeat(`}`, 16), `{}`},
		anyByte:           {`{"regexp":{"a":"\\C"}}`, `{}`},
		quotes:            {`{"regexp":{"a":"(?<n>x)("}}`, `{}`},
		textOrList:        {`"abc"`, `{}`},
		namesOfJavaScript: {`{"exists":"constructor"}`, `{"constructor":1}`},
		accidents:         {`{"geoBoundingBox":{"p":null}}`, `{}`},
		halfPair:          {`{"equals":{"a":"\ud800"}}`, `{}`},
		namedTwice:        {`{"exists":"a","exists":"b"}`, `{}`},
		unreadable:        {`{"geoDistance":{"p":[0,0],"distance":"1km"}}`, `{"p":{"latLon":null}}`},
	}
	oracle := consult(t)
	for _, name := range shown {
		j := &judge{oracle: oracle, counts: map[string]int{}}
		example, there := examples[name]
		if !there {
			t.Errorf("%s: no example", name)
			continue
		}
		d, err := newDocument(example[1])
		if err != nil {
			t.Fatal(err)
		}
		// Twice, for some are about what Koncorde remembers.
		for range 2 {
			clear(oracle.known)
			if _, err := j.judge(example[0], []document{d, d}); err != nil {
				t.Error(err)
			}
		}
		if j.counts[name] == 0 {
			t.Errorf("%s: %s shows %v", name, example[0], j.counts)
		}
	}
}
