package koncorde

// oddity returns a condition that only one side accepts, or that the two
// understand in different ways.
func (g *generator) oddity() string {
	names := g.pick("constructor", "toString", "__proto__", "hasOwnProperty")
	return g.pick(
		`{"in":{"a":[`+g.some(1, 4, g.scalar)+`]}}`,
		`{"geoBoundingBox":{"p":{"top":-10,"left":179,"bottom":-20,"right":-179}}}`,
		`{"geoBoundingBox":{"p":{"top":10,"left":0,"bottom":20,"right":10}}}`,
		`{"geoBoundingBox":{"p":null}}`,
		`{"geoDistance":{"p":[0,0],"distance":`+g.pick("1000", `"1000"`, `"1 h"`, `"1 day"`, `"10 ms"`, `"1 min"`, `"1 nmi"`, `"1 kft"`, `"1 decameter"`,
			`"1,234.5 ft"`, `"1.234,5 m"`, `"1_000 m"`, `"1/2 m"`, `"..5 m"`, `"-5m"`, `"5-m"`)+`}}`,
		`{"geoDistanceRange":{"p":[0,0],"from":10,"to":"1km"}}`,
		`{"geoDistance":{"p":[`+g.pick("91,0", "-90.5,0", `"Infinity",0`, `0,"-Infinity"`)+`],"distance":"1km"}}`,
		`{"geoPolygon":{"p":{"points":`+g.pick("[[0,0],[0,120],[0,-120]]", "[[0,0],[0,180],[10,0]]", "[[0,0],[0,90],[0,180]]", "[[45,0],[45,180],[5,90]]")+`}}}`,
		`{"regexp":{"a":{"value":`+g.pick("1", "null", "true", "[]")+`}}}`,
		`{"regexp":{"a":{"value":"x","flags":"`+g.pick("g", "y", "gi")+`"}}}`,
		`{"equals":{"a":1e400}}`, `{"range":{"a":{"lt":1e400}}}`, `{"range":{"a":{"gt":-1e400}}}`,
		`{"equals":{"a":1,"a":2}}`, `{"equals":{"a":"\ud800"}}`, `{"exists":"a","exists":"b"}`,
		`{"exists":"`+names+`"}`, `{"missing":"`+names+`"}`, `{"equals":{"`+names+`":1}}`, `{"range":{"constructor":{"gt":0}}}`,
		`{"anyOf":{"list":[1,"x"]}}`, `{"prefix":{"a":"x"}}`, `{"suffix":{"a":"x"}}`, `{"contains":{"a":"x"}}`, `{"cidr":{"a":"10.0.0.0/8"}}`,
		`{"before":{"a":"2026-01-01T00:00:00Z"}}`, `{"after":{"a":"2026-01-01T00:00:00Z"}}`,
		`{"geoShape":{"p":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}}}`,
	)
}
