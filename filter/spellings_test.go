package filter

import "testing"

// A sameFilter is a filter in several spellings.
type sameFilter struct {
	name    string
	filters []string
}

// spellings are filters that say the same in different words.
func spellings() []sameFilter {
	return []sameFilter{
		{"everything", []string{`{}`, `null`, `[]`, `""`, `0`, `true`, `{"not":{"nothing":true}}`, `{"or":[{"exists":"a"},{"not":{"nothing":1}}]}`, `{"missing":"a[{}]"}`}},
		{"nothing", []string{`{"nothing":true}`, `{"nothing":0}`, `{"and":[{"exists":"a"},{"nothing":1}]}`, `{"exists":"a[[1]]"}`, `{"and":[{"range":{"a":{"gt":2}}},{"range":{"a":{"lt":1}}}]}`}},
		{"white space, escapes and number formats", []string{`{"equals":{"speed":1}}`, ` { "equals" : { "\u0073peed" : 1.0 } } `, `{"equals":{"speed":1e0}}`, `{"equals":{"speed":10E-1}}`}},
		{"minus zero", []string{`{"equals":{"a":0}}`, `{"equals":{"a":-0}}`, `{"equals":{"a":-0.0e5}}`}},
		{"order of and", []string{`{"and":[{"equals":{"a":1}},{"equals":{"b":2}}]}`, `{"and":[{"equals":{"b":2}},{"equals":{"a":1}}]}`}},
		{"order of or", []string{`{"or":[{"exists":"a"},{"exists":"b"}]}`, `{"or":[{"exists":"b"},{"exists":"a"}]}`}},
		{"and in and", []string{`{"and":[{"exists":"a"},{"exists":"b"},{"exists":"c"}]}`, `{"and":[{"and":[{"exists":"c"},{"exists":"a"}]},{"exists":"b"}]}`, `{"and":[{"exists":"a"},{"and":[{"exists":"b"},{"and":[{"exists":"c"}]}]}]}`}},
		{"said twice", []string{`{"equals":{"a":1}}`, `{"and":[{"equals":{"a":1}},{"equals":{"a":1}}]}`, `{"or":[{"equals":{"a":1}},{"equals":{"a":1.0}}]}`, `{"in":{"a":[1,1]}}`, `{"match":{"a":1}}`}},
		{"double negation", []string{`{"exists":"a"}`, `{"not":{"not":{"exists":"a"}}}`, `{"not":{"missing":"a"}}`, `{"exists":{"field":"a"}}`}},
		{"De Morgan", []string{`{"not":{"and":[{"exists":"a"},{"equals":{"b":1}}]}}`, `{"or":[{"missing":"a"},{"not":{"equals":{"b":1}}}]}`, `{"bool":{"should_not":[{"equals":{"b":1}},{"exists":"a"}]}}`}},
		{"De Morgan, the other way", []string{`{"not":{"or":[{"exists":"a"},{"equals":{"b":1}}]}}`, `{"and":[{"missing":"a"},{"not":{"equals":{"b":1}}}]}`, `{"bool":{"must_not":[{"equals":{"b":1}},{"exists":"a"}]}}`}},
		{"bool", []string{`{"bool":{"must":[{"exists":"a"}],"must_not":[{"exists":"b"}],"should":[{"exists":"c"},{"exists":"d"}]}}`, `{"and":[{"exists":"a"},{"missing":"b"},{"or":[{"exists":"d"},{"exists":"c"}]}]}`}},
		{"distribution", []string{`{"and":[{"exists":"a"},{"or":[{"exists":"b"},{"exists":"c"}]}]}`, `{"or":[{"and":[{"exists":"a"},{"exists":"b"}]},{"and":[{"exists":"c"},{"exists":"a"}]}]}`}},
		{"distribution, the other way", []string{`{"or":[{"exists":"a"},{"and":[{"exists":"b"},{"missing":"c"}]}]}`, `{"and":[{"or":[{"exists":"b"},{"exists":"a"}]},{"not":{"and":[{"exists":"c"},{"missing":"a"}]}}]}`}},
		{"distribution over in", []string{`{"and":[{"exists":"a"},{"in":{"b":[1,2]}}]}`, `{"or":[{"and":[{"exists":"a"},{"equals":{"b":1}}]},{"and":[{"exists":"a"},{"equals":{"b":2}}]}]}`}},
		{"absorption", []string{`{"exists":"a"}`, `{"or":[{"exists":"a"},{"and":[{"exists":"a"},{"exists":"b"}]}]}`, `{"and":[{"exists":"a"},{"or":[{"exists":"b"},{"exists":"a"}]}]}`}},
		{"in", []string{`{"in":{"a":["x","y"]}}`, `{"in":{"a":["y","x","y"]}}`, `{"or":[{"equals":{"a":"y"}},{"equals":{"a":"x"}}]}`, `{"or":[{"in":{"a":["x"]}},{"in":{"a":["y"]}}]}`}},
		{"anyOf", []string{`{"anyOf":{"a":["x","y"]}}`, `{"anyOf":{"a":["y","x","y"]}}`, `{"or":[{"exists":"a[\"y\"]"},{"exists":"a[\"x\"]"}]}`, `{"or":[{"anyOf":{"a":["y"]}},{"exists":"a[\"x\"]"}]}`, `{"not":{"and":[{"missing":"a[\"x\"]"},{"missing":"a[\"y\"]"}]}}`}},
		{"anyOf one", []string{`{"exists":"a[1]"}`, `{"anyOf":{"a":[1]}}`, `{"anyOf":{"a":[1.0,1]}}`, `{"not":{"not":{"anyOf":{"a":[1]}}}}`}},
		{"not anyOf", []string{`{"not":{"anyOf":{"a":["x","y"]}}}`, `{"and":[{"missing":"a[\"x\"]"},{"missing":"a[\"y\"]"}]}`, `{"and":[{"not":{"anyOf":{"a":["y"]}}},{"not":{"anyOf":{"a":["y","x"]}}}]}`}},
		{"distribution over anyOf", []string{`{"and":[{"exists":"b"},{"anyOf":{"a":[1,2]}}]}`, `{"or":[{"and":[{"exists":"b"},{"exists":"a[1]"}]},{"and":[{"exists":"b"},{"exists":"a[2]"}]}]}`}},
		{"not in", []string{`{"not":{"in":{"a":["x","y"]}}}`, `{"and":[{"not":{"equals":{"a":"x"}}},{"not":{"equals":{"a":"y"}}}]}`}},
		{"ids", []string{`{"ids":{"values":["1","2"]}}`, `{"in":{"_id":["2","1"]}}`, `{"or":[{"equals":{"_id":"1"}},{"ids":{"values":["2"]}}]}`}},
		{"range", []string{`{"range":{"a":{"gte":1,"lt":5}}}`, `{"range":{"a":{"lt":5.0,"gte":1}}}`, `{"and":[{"range":{"a":{"lt":5}}},{"range":{"a":{"gte":1}}}]}`, `{"and":[{"range":{"a":{"lt":5}}},{"range":{"a":{"gte":1,"lt":6}}}]}`}},
		{"a range of one number", []string{`{"equals":{"a":1}}`, `{"and":[{"range":{"a":{"gte":1}}},{"range":{"a":{"lte":1}}}]}`}},
		{"not range", []string{`{"not":{"range":{"a":{"gte":1,"lt":5}}}}`, `{"or":[{"not":{"range":{"a":{"gte":1}}}},{"not":{"range":{"a":{"lt":5}}}}]}`}},
		{"geoDistance", []string{`{"geoDistance":{"p":{"lat":1,"lon":2},"distance":"1km"}}`, `{"geoDistance":{"distance":"1 000 m","p":[1,2]}}`, `{"geoDistance":{"p":"1,2","distance":1000}}`, `{"geoDistance":{"p":{"lat_lon":"1, 362"},"distance":"3280.839895013123 ft"}}`}},
		{"a geohash", []string{`{"geoDistance":{"p":"s00000000000","distance":"1m"}}`, `{"geoDistance":{"p":[8.381903171539307e-8,1.6763806343078613e-7],"distance":"1m"}}`}},
		{"geoBoundingBox", []string{`{"geoBoundingBox":{"p":{"top":2,"left":170,"bottom":1,"right":-170}}}`, `{"geoBoundingBox":{"p":{"top_left":"2,170","bottom_right":[1,190]}}}`, `{"geoBoundingBox":{"p":{"topLeft":{"lat":2,"lon":-190},"bottomRight":{"latLon":[1,-170]}}}}`}},
		{"geoDistanceRange", []string{`{"geoDistanceRange":{"p":[1,2],"from":"1km","to":"2km"}}`, `{"geoDistanceRange":{"to":2000,"from":"1000m","p":"1,2"}}`}},
		{"geoPolygon", []string{
			`{"geoPolygon":{"p":{"points":[[0,0],[0,10],[10,0]]}}}`,
			`{"geoPolygon":{"p":{"points":["0,0",{"lat":0,"lon":370},[10,0]]}}}`,
			`{"geoPolygon":{"p":{"points":[[0,10],[10,0],[0,0]]}}}`,
			`{"geoPolygon":{"p":{"points":[[10,0],[0,10],[0,0]]}}}`,
			`{"geoPolygon":{"p":{"points":[[0,10],[0,10],[10,0],[0,0],[0,10]]}}}`,
		}},
		{"a geoPolygon that crosses itself", []string{`{"geoPolygon":{"p":{"points":[[0,0],[10,10],[10,0],[0,10]]}}}`, `{"geoPolygon":{"p":{"points":[[10,0],[10,10],[0,0],[0,10],[10,0]]}}}`}},
		{"a geoPolygon that is a line", []string{`{"geoPolygon":{"p":{"points":[[0,0],[0,10],[0,10]]}}}`, `{"geoPolygon":{"p":{"points":[[0,10],[0,0],[0,0],[0,10]]}}}`}},
		{"a geoPolygon that is a point", []string{`{"geoPolygon":{"p":{"points":[[1,2],[1,2],[1,2]]}}}`, `{"geoPolygon":{"p":{"points":["1,2","1,2","1,2","1,2"]}}}`}},
		{"a pole", []string{`{"geoDistance":{"p":[90,0],"distance":5}}`, `{"geoDistance":{"p":[90,120],"distance":5}}`, `{"geoDistance":{"p":"90,-180","distance":5}}`}},
		{"a pole in a ring", []string{`{"geoDistanceRange":{"p":[-90,0],"from":1,"to":5}}`, `{"geoDistanceRange":{"p":[-90,33],"from":1,"to":5}}`}},
		{"a pole in a geoPolygon", []string{`{"geoPolygon":{"p":{"points":[[90,0],[0,0],[0,90]]}}}`, `{"geoPolygon":{"p":{"points":[[90,50],[90,77],[0,0],[0,90]]}}}`}},
		{"a pole in a geoShape", []string{`{"geoShape":{"p":{"type":"Polygon","coordinates":[[[0,90],[0,0],[90,0]]]}}}`, `{"geoShape":{"p":{"type":"Polygon","coordinates":[[[77,90],[5,90],[0,0],[90,0]]]}}}`}},
		{"a ring without a hole", []string{`{"geoDistance":{"p":[1,2],"distance":5}}`, `{"geoDistanceRange":{"p":[1,2],"from":0,"to":5}}`, `{"geoDistanceRange":{"p":[1,2],"from":"0 km","to":"5m"}}`}},
		{"regexp", []string{`{"regexp":{"a":"x"}}`, `{"regexp":{"a":{"value":"x"}}}`, `{"regexp":{"a":{"value":"x","flags":"g"}}}`}},
		{"geoShape", []string{
			`{"geoShape":{"p":{"type":"Polygon","coordinates":[[[0,0],[10,0],[10,5],[0,5],[0,0]]]}}}`,
			`{"geoShape":{"p":{"coordinates":[[[10,5],[10,0],[360,0],[0,5]]],"bbox":[0,0,10,5],"type":"Polygon"}}}`,
			`{"geoShape":{"p":{"type":"MultiPolygon","coordinates":[[[[0,5,100],[0,0],[0,0],[10,0,7],[10,5]]]]}}}`,
			`{"geoShape":{"p":{"type":"MultiPolygon","coordinates":[[[[0,0],[10,0],[10,5],[0,5]]],[[[0,0],[0,5],[10,5],[10,0]]]]}}}`,
		}},
		{"geoShape with holes", []string{
			`{"geoShape":{"p":{"type":"Polygon","coordinates":[[[0,0],[10,0],[0,10]],[[1,1],[1,2],[2,1]],[[3,3],[3,4],[4,3]]]}}}`,
			`{"geoShape":{"p":{"type":"Polygon","coordinates":[[[10,0],[0,10],[0,0]],[[4,3],[3,4],[3,3],[4,3]],[[2,1],[1,1],[1,2],[2,1]]]}}}`,
		}},
		{"geoShape of two polygons", []string{
			`{"geoShape":{"p":{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[0,1]]],[[[5,5],[6,5],[5,6]]]]}}}`,
			`{"geoShape":{"p":{"type":"MultiPolygon","coordinates":[[[[5,6],[5,5],[6,5]]],[[[0,0],[0,1],[1,0],[0,0]]]]}}}`,
		}},
		{"prefix", []string{`{"prefix":{"a":"ab"}}`, ` {"prefix": {"a": "\u0061b"}}`, `{"not":{"not":{"and":[{"prefix":{"a":"ab"}},{"prefix":{"a":"ab"}}]}}}`}},
		{"cidr", []string{`{"cidr":{"a":"10.0.0.0/8"}}`, `{"cidr":{"a":"10.1.2.3/8"}}`, `{"cidr":{"a":"::ffff:10.1.2.3/104"}}`, `{"cidr":{"a":"::ffff:a00:0/104"}}`}},
		{"cidr of IPv6", []string{`{"cidr":{"a":"2001:db8::/32"}}`, `{"cidr":{"a":"2001:0DB8:0:0::1/32"}}`}},
		{"before", []string{`{"before":{"a":"2026-01-01T00:00:00Z"}}`, `{"before":{"a":"2026-01-01T00:00:00.000Z"}}`, `{"before":{"a":"2026-01-01T05:30:00+05:30"}}`, `{"before":{"a":"2025-12-31T23:00:00-01:00"}}`}},
		{"after", []string{`{"after":{"a":"2026-01-01T00:00:00.05Z"}}`, `{"after":{"a":"2026-01-01T00:00:00.050000000Z"}}`}},
		{"match", []string{`{"match":{"a":1,"n":{"x":1,"y":2}}}`, `{"and":[{"match":{"n":{"y":2,"x":1}}},{"equals":{"a":1}}]}`}},
		{"select", []string{`{"select":{"field":"a","index":0,"query":{"or":[{"exists":"value.x"},{"exists":"value.y"}]}}}`, `{"select":{"field":"a","index":0,"query":{"or":[{"exists":"value.y"},{"exists":"value.x"}]}}}`}},
		{"everything and nothing among others", []string{`{"exists":"a"}`, `{"and":[{"exists":"a"},{"not":{"nothing":1}}]}`, `{"or":[{"exists":"a"},{"nothing":1}]}`, `{"and":[{"exists":"a"},{"missing":"b[{}]"}]}`}},
		{"nothing among others", []string{`{"nothing":1}`, `{"and":[{"nothing":1},{"nothing":2}]}`, `{"or":[{"nothing":1}]}`, `{"not":{"not":{"nothing":1}}}`, `{"bool":{"must":[{"nothing":1}],"should":[{"exists":"a"}]}}`}},
		{"order of objects", []string{`{"match":{"a":{"x":1,"y":{"p":[1],"q":2}}}}`, `{"match":{"a":{"y":{"q":2,"p":[1]},"x":1}}}`}},
		{"order and nesting of three", []string{`{"or":[{"exists":"a"},{"exists":"b"},{"exists":"c"}]}`, `{"or":[{"or":[{"exists":"c"},{"exists":"b"}]},{"exists":"a"}]}`, `{"bool":{"should":[{"exists":"b"},{"bool":{"should":[{"exists":"c"},{"exists":"a"}]}}]}}`, `{"not":{"and":[{"missing":"c"},{"missing":"b"},{"missing":"a"}]}}`, `{"not":{"bool":{"must_not":[{"exists":"a"},{"exists":"b"},{"exists":"c"}]}}}`}},
		{"duplicates of an and of two", []string{`{"and":[{"exists":"a"},{"exists":"b"}]}`, `{"and":[{"and":[{"exists":"a"},{"exists":"b"}]},{"and":[{"exists":"b"},{"exists":"a"}]}]}`, `{"or":[{"and":[{"exists":"a"},{"exists":"b"}]},{"and":[{"exists":"b"},{"exists":"a"}]}]}`}},
		{"double negation of an and", []string{`{"and":[{"exists":"a"},{"exists":"b"}]}`, `{"not":{"not":{"and":[{"exists":"b"},{"exists":"a"}]}}}`, `{"not":{"or":[{"missing":"a"},{"missing":"b"}]}}`, `{"bool":{"must_not":[{"missing":"a"},{"missing":"b"}]}}`}},
		{"De Morgan of three levels", []string{`{"and":[{"missing":"a"},{"or":[{"exists":"b"},{"missing":"c"}]}]}`, `{"not":{"or":[{"exists":"a"},{"and":[{"missing":"b"},{"exists":"c"}]}]}}`, `{"not":{"or":[{"exists":"a"},{"not":{"or":[{"exists":"b"},{"not":{"exists":"c"}}]}}]}}`}},
		{"De Morgan of geo clauses", []string{`{"not":{"and":[{"geoDistance":{"p":[1,2],"distance":5}},{"exists":"a"}]}}`, `{"or":[{"missing":"a"},{"not":{"geoDistance":{"p":[1,2],"distance":"5m"}}}]}`}},
		{"distribution over three", []string{`{"and":[{"exists":"a"},{"or":[{"exists":"b"},{"exists":"c"},{"exists":"d"}]}]}`, `{"or":[{"and":[{"exists":"a"},{"exists":"b"}]},{"and":[{"exists":"a"},{"exists":"c"}]},{"and":[{"exists":"d"},{"exists":"a"}]}]}`, `{"or":[{"and":[{"exists":"a"},{"or":[{"exists":"b"},{"exists":"c"}]}]},{"and":[{"exists":"d"},{"exists":"a"}]}]}`}},
		{"distribution of two common parts", []string{`{"and":[{"exists":"a"},{"exists":"b"},{"or":[{"exists":"c"},{"exists":"d"}]}]}`, `{"or":[{"and":[{"exists":"a"},{"exists":"b"},{"exists":"c"}]},{"and":[{"exists":"d"},{"exists":"b"},{"exists":"a"}]}]}`}},
		{"distribution of different keywords", []string{`{"and":[{"prefix":{"a":"x"}},{"or":[{"cidr":{"b":"10.0.0.0/8"}},{"before":{"c":"2026-01-01T00:00:00Z"}}]}]}`, `{"or":[{"and":[{"before":{"c":"2026-01-01T01:00:00+01:00"}},{"prefix":{"a":"x"}}]},{"and":[{"cidr":{"b":"10.9.9.9/8"}},{"prefix":{"a":"x"}}]}]}`}},
		{"absorption among others", []string{`{"or":[{"exists":"a"},{"exists":"c"}]}`, `{"or":[{"exists":"a"},{"and":[{"exists":"a"},{"exists":"b"}]},{"exists":"c"}]}`, `{"or":[{"exists":"c"},{"and":[{"exists":"c"},{"exists":"b"}]},{"and":[{"exists":"a"},{"exists":"d"}]},{"exists":"a"}]}`}},
		{"absorption among others, in an and", []string{`{"and":[{"exists":"a"},{"exists":"c"}]}`, `{"and":[{"exists":"a"},{"or":[{"exists":"b"},{"exists":"a"}]},{"exists":"c"}]}`, `{"and":[{"exists":"a"},{"exists":"c"},{"or":[{"and":[{"exists":"a"},{"exists":"c"}]},{"exists":"b"}]}]}`}},
		{"equals in other spellings", []string{`{"equals":{"a":"x"}}`, `{"in":{"a":["x"]}}`, `{"match":{"a":"x"}}`, `{"or":[{"equals":{"a":"x"}},{"in":{"a":["x","x"]}}]}`, `{"and":[{"in":{"a":["x","y"]}},{"in":{"a":["x","z"]}}]}`, `{"and":[{"in":{"a":["x","y"]}},{"not":{"equals":{"a":"y"}}}]}`}},
		{"equals implies exists", []string{`{"equals":{"a":1}}`, `{"and":[{"equals":{"a":1}},{"exists":"a"}]}`, `{"not":{"or":[{"missing":"a"},{"not":{"equals":{"a":1}}}]}}`}},
		{"null is there", []string{`{"equals":{"a":null}}`, `{"and":[{"equals":{"a":null}},{"exists":"a"}]}`}},
		{"exists or equals", []string{`{"exists":"a"}`, `{"or":[{"exists":"a"},{"equals":{"a":1}}]}`, `{"or":[{"exists":"a"},{"range":{"a":{"gt":1}}},{"prefix":{"a":"x"}},{"anyOf":{"a":[1]}}]}`}},
		{"missing or not equals", []string{`{"not":{"equals":{"a":1}}}`, `{"or":[{"missing":"a"},{"not":{"equals":{"a":1}}}]}`, `{"not":{"and":[{"exists":"a"},{"equals":{"a":1}}]}}`}},
		{"missing and not equals", []string{`{"missing":"a"}`, `{"and":[{"missing":"a"},{"not":{"equals":{"a":1}}}]}`, `{"and":[{"missing":"a"},{"not":{"regexp":{"a":"x"}}},{"not":{"geoDistance":{"a":[1,2],"distance":1}}}]}`, `{"missing":{"field":"a"}}`, `{"not":{"exists":"a"}}`}},
		{"what cannot be", []string{`{"nothing":1}`, `{"and":[{"equals":{"a":1}},{"equals":{"a":2}}]}`, `{"and":[{"in":{"a":[1,2]}},{"in":{"a":["1","2"]}}]}`, `{"and":[{"missing":"a"},{"equals":{"a":null}}]}`, `{"and":[{"exists":"a"},{"missing":"a"}]}`, `{"and":[{"equals":{"a":5}},{"range":{"a":{"gt":5}}}]}`, `{"and":[{"range":{"a":{"gte":5}}},{"range":{"a":{"lt":5}}}]}`, `{"and":[{"range":{"a":{"gt":5}}},{"regexp":{"a":"5"}}]}`, `{"and":[{"anyOf":{"a":[1]}},{"equals":{"a":1}}]}`, `{"and":[{"match":{"a":{"b":1}}},{"match":{"a":[1]}}]}`, `{"and":[{"prefix":{"a":"x"}},{"not":{"prefix":{"a":"x"}}}]}`, `{"and":[{"after":{"a":"2026-01-01T00:00:00Z"}},{"before":{"a":"2026-01-01T00:00:00Z"}}]}`, `{"and":[{"geoDistance":{"a":[1,2],"distance":1}},{"cidr":{"a":"::/0"}},{"range":{"a":{"gt":0}}}]}`, `{"and":[{"equals":{"a":true}},{"not":{"in":{"a":[true,false]}}}]}`, `{"bool":{"must":[{"range":{"a":{"gte":1,"lt":2}}}],"must_not":[{"range":{"a":{"gt":0}}}]}}`}},
		{"what must be", []string{`{}`, `{"or":[{"exists":"a"},{"missing":"a"}]}`, `{"or":[{"equals":{"a":1}},{"not":{"equals":{"a":1}}}]}`, `{"or":[{"not":{"equals":{"a":1}}},{"not":{"equals":{"a":2}}}]}`, `{"or":[{"regexp":{"a":"x"}},{"not":{"regexp":{"a":"x"}}}]}`, `{"or":[{"not":{"prefix":{"a":"x"}}},{"not":{"range":{"a":{"gt":1}}}}]}`, `{"or":[{"exists":"a"},{"not":{"anyOf":{"a":[1]}}}]}`}},
		{"values within a range", []string{`{"in":{"a":[2,3]}}`, `{"and":[{"in":{"a":[1,2,3,4]}},{"range":{"a":{"gt":1,"lte":3}}}]}`, `{"and":[{"in":{"a":[2,3,"2",null,true]}},{"range":{"a":{"gt":0}}}]}`, `{"and":[{"in":{"a":[1,2,3]}},{"not":{"range":{"a":{"lt":2}}}}]}`}},
		{"values of a kind", []string{`{"and":[{"in":{"a":["x","y"]}},{"regexp":{"a":"x"}}]}`, `{"and":[{"in":{"a":["x","y",1,null]}},{"regexp":{"a":"x"}}]}`, `{"and":[{"in":{"a":["x","y"]}},{"regexp":{"a":"x"}},{"not":{"equals":{"a":1}}},{"not":{"anyOf":{"a":["x"]}}}]}`}},
		{"a range without an end", []string{`{"range":{"a":{"gt":1,"lt":5}}}`, `{"and":[{"range":{"a":{"gte":1,"lt":5}}},{"not":{"equals":{"a":1}}}]}`, `{"and":[{"range":{"a":{"gte":1,"lte":5}}},{"not":{"in":{"a":[1,5,7,"x"]}}}]}`, `{"and":[{"range":{"a":{"gt":1}}},{"not":{"range":{"a":{"gte":5}}}}]}`, `{"bool":{"must":[{"range":{"a":{"gt":1,"lte":9}}}],"must_not":[{"range":{"a":{"gte":5,"lt":20}}}]}}`}},
		{"a range with a hole", []string{`{"and":[{"range":{"a":{"gt":1,"lt":9}}},{"not":{"range":{"a":{"gte":4,"lte":6}}}}]}`, `{"and":[{"range":{"a":{"gt":1,"lt":9}}},{"not":{"range":{"a":{"gte":4,"lt":5}}}},{"not":{"range":{"a":{"gte":5,"lte":6}}}}]}`, `{"and":[{"range":{"a":{"gt":1,"lt":9}}},{"not":{"or":[{"range":{"a":{"gt":4,"lt":6}}},{"in":{"a":[4,6,20]}}]}}]}`}},
		{"ranges side by side", []string{`{"range":{"a":{"gte":1,"lt":9}}}`, `{"or":[{"range":{"a":{"gte":1,"lt":5}}},{"range":{"a":{"gte":5,"lt":9}}}]}`, `{"or":[{"range":{"a":{"gt":4,"lt":9}}},{"range":{"a":{"gte":1,"lt":5}}},{"range":{"a":{"gt":2,"lt":3}}}]}`, `{"or":[{"range":{"a":{"gte":1,"lt":5}}},{"range":{"a":{"gt":5,"lt":9}}},{"equals":{"a":5}}]}`, `{"or":[{"range":{"a":{"gt":1,"lt":9}}},{"in":{"a":[1,3]}}]}`}},
		{"ranges that are not, side by side", []string{`{"not":{"range":{"a":{"gte":1,"lt":9}}}}`, `{"and":[{"not":{"range":{"a":{"gte":1,"lt":5}}}},{"not":{"range":{"a":{"gte":5,"lt":9}}}}]}`, `{"bool":{"must_not":[{"range":{"a":{"gte":3,"lt":9}}},{"range":{"a":{"gte":1,"lt":4}}}]}}`}},
		{"any number", []string{`{"or":[{"range":{"a":{"lt":0}}},{"range":{"a":{"gte":0}}}]}`, `{"or":[{"range":{"a":{"lt":5}}},{"range":{"a":{"gt":3}}}]}`, `{"or":[{"range":{"a":{"lte":7}}},{"range":{"a":{"gt":7}}}]}`, `{"or":[{"range":{"a":{"lt":7}}},{"range":{"a":{"gt":7}}},{"equals":{"a":7}}]}`}},
		{"no number", []string{`{"and":[{"not":{"range":{"a":{"lt":0}}}},{"not":{"range":{"a":{"gte":0}}}}]}`, `{"not":{"or":[{"range":{"a":{"lt":1}}},{"range":{"a":{"gt":0}}}]}}`, `{"and":[{"not":{"range":{"a":{"lte":1}}}},{"not":{"range":{"a":{"gt":1}}}},{"not":{"equals":{"a":3}}}]}`}},
		{"the ends of a range", []string{`{"in":{"a":[1,5]}}`, `{"and":[{"range":{"a":{"gte":1,"lte":5}}},{"not":{"range":{"a":{"gt":1,"lt":5}}}}]}`}},
		{"times", []string{`{"before":{"a":"2026-01-01T00:00:00Z"}}`, `{"and":[{"before":{"a":"2026-01-01T00:00:00Z"}},{"before":{"a":"2026-02-01T00:00:00Z"}}]}`, `{"and":[{"before":{"a":"2026-01-01T00:00:00Z"}},{"exists":"a"},{"not":{"equals":{"a":5}}}]}`, `{"or":[{"before":{"a":"2026-01-01T00:00:00Z"}},{"before":{"a":"2025-01-01T00:00:00Z"}}]}`}},
		{"times after", []string{`{"after":{"a":"2026-02-01T00:00:00Z"}}`, `{"and":[{"after":{"a":"2026-01-01T00:00:00Z"}},{"after":{"a":"2026-02-01T00:00:00Z"}}]}`, `{"or":[{"after":{"a":"2026-03-01T00:00:00Z"}},{"after":{"a":"2026-02-01T00:00:00Z"}}]}`, `{"not":{"and":[{"not":{"after":{"a":"2026-03-01T00:00:00Z"}}},{"not":{"after":{"a":"2026-02-01T00:00:00Z"}}}]}}`}},
		{"prefix, suffix and contains", []string{`{"and":[{"contains":{"a":"b"}},{"prefix":{"a":"a"}},{"suffix":{"a":"c"}}]}`, `{"and":[{"suffix":{"a":"c"}},{"prefix":{"a":"a"}},{"contains":{"a":"b"}},{"contains":{"a":"b"}},{"exists":"a"}]}`, `{"not":{"or":[{"not":{"suffix":{"a":"c"}}},{"not":{"prefix":{"a":"\u0061"}}},{"not":{"contains":{"a":"b"}}}]}}`}},
		{"a match within and", []string{`{"and":[{"equals":{"a":1}},{"match":{"b":[1,{"c":2}]}}]}`, `{"match":{"b":[1,{"c":2}],"a":1}}`, `{"and":[{"match":{"b":[1.0,{"c":2}]}},{"match":{"a":1}},{"exists":"b"}]}`}},
		{"select within or", []string{`{"or":[{"exists":"b"},{"select":{"field":"a","index":-1,"query":{"in":{"value":[1,2]}}}}]}`, `{"or":[{"select":{"query":{"or":[{"equals":{"value":2}},{"equals":{"value":1}}]},"index":-1.0,"field":"a"}},{"exists":"b"}]}`}},
		{"exists and its elements", []string{`{"exists":"a[1]"}`, `{"and":[{"exists":"a"},{"exists":"a[1]"}]}`, `{"anyOf":{"a":[1]}}`, `{"and":[{"anyOf":{"a":[1]}},{"not":{"range":{"a":{"gt":1}}}}]}`}},
		{"changed", []string{`{"changed":"a"}`, `{"changed":{"field":"a"}}`, `{"not":{"not":{"changed":"a"}}}`, `{"and":[{"changed":"a"},{"changed":"a"}]}`}},
		{"changed within and", []string{`{"and":[{"changed":"a"},{"exists":"b"}]}`, `{"and":[{"exists":"b"},{"changed":"a"}]}`}},
		{"crossed", []string{`{"crossed":{"geoDistance":{"p":[1,2],"distance":1000}}}`, `{"crossed":{"geoDistance":{"distance":"1 km","p":"1, 362"}}}`, `{"not":{"and":[{"not":{"crossed":{"geoDistance":{"p":[1,2],"distance":"1000m"}}}}]}}`}},
		{"near", []string{`{"near":{"p":{"id":"x","distance":1000}}}`, `{"near":{"p":{"distance":"1 km","id":"\u0078"}}}`, `{"or":[{"near":{"p":{"id":"x","distance":"1000"}}},{"near":{"p":{"id":"x","distance":1e3}}}]}`}},
		{"distances in all units", []string{`{"geoDistance":{"p":[1,2],"distance":1609.344}}`, `{"geoDistance":{"p":[1,2],"distance":"1609.344"}}`, `{"geoDistance":{"p":[1,2],"distance":"1 mile"}}`, `{"geoDistance":{"p":[1,2],"distance":"1MI"}}`, `{"geoDistance":{"p":[1,2],"distance":"1.609344 km"}}`, `{"geoDistance":{"p":[1,2],"distance":"1,609344 kilometers"}}`, `{"geoDistance":{"p":[1,2],"distance":"1760 yards"}}`, `{"geoDistance":{"p":[1,2],"distance":"5 280 feet"}}`, `{"geoDistance":{"p":[1,2],"distance":"63360 inches"}}`, `{"geoDistance":{"p":[1,2],"distance":"63360 ins"}}`, `{"geoDistance":{"p":[1,2],"distance":"+5280 fts"}}`, `{"geoDistance":{"p":[1,2],"distance":"160,9344 dekameters"}}`, `{"geoDistance":{"p":[1,2],"distance":"160.9344 decameteres"}}`, `{"geoDistance":{"p":[1,2],"distance":"1mis"}}`}},
		{"geopoints in all formats", []string{`{"geoDistance":{"p":[1.5,2.5],"distance":1}}`, `{"geoDistance":{"p":"1.5,2.5","distance":1}}`, `{"geoDistance":{"p":" 1.50 , 2.50 ","distance":1}}`, `{"geoDistance":{"p":{"lat":1.5,"lon":2.5},"distance":1}}`, `{"geoDistance":{"p":{"lon":"2.5","lat":"1.5"},"distance":1}}`, `{"geoDistance":{"p":{"latLon":[1.5,2.5]},"distance":1}}`, `{"geoDistance":{"p":{"lat_lon":"1.5,2.5"},"distance":1}}`, `{"geoDistance":{"p":{"latLon":{"lat":1.5,"lon":2.5}},"distance":1}}`, `{"geoDistance":{"p":[1.5,-357.5],"distance":1}}`}},
		{"boxes in all formats", []string{`{"geoBoundingBox":{"p":{"top":4,"left":1,"bottom":2,"right":3}}}`, `{"geoBoundingBox":{"p":{"top":"4","left":"1","bottom":"2","right":"3"}}}`, `{"geoBoundingBox":{"p":{"topLeft":[4,1],"bottomRight":[2,3]}}}`, `{"geoBoundingBox":{"p":{"topLeft":{"lat":4,"lon":1},"bottom_right":"2,3"}}}`, `{"geoBoundingBox":{"p":{"right":363,"left":361,"bottom":2,"top":4,"note":"x"}}}`}},
		{"rings in other units", []string{`{"geoDistanceRange":{"p":[1,2],"from":"1km","to":"1mi"}}`, `{"geoDistanceRange":{"to":"1609.344 m","p":{"lat":1,"lon":2},"from":1000}}`, `{"and":[{"geoDistanceRange":{"p":"1,2","from":"1000","to":1609.344}},{"exists":"p"}]}`}},
		{"regexps", []string{`{"regexp":{"a":{"value":"x.","flags":"is"}}}`, `{"regexp":{"a":{"flags":"si","value":"x."}}}`, `{"regexp":{"a":{"flags":"sgiyu","value":"x."}}}`, `{"and":[{"regexp":{"a":{"flags":"si","value":"x."}}},{"exists":"a"}]}`}},
		{"cidr within and", []string{`{"and":[{"cidr":{"a":"10.0.0.0/8"}},{"not":{"cidr":{"a":"10.1.0.0/16"}}}]}`, `{"bool":{"must":[{"cidr":{"a":"10.2.0.0/8"}}],"must_not":[{"cidr":{"a":"10.1.9.9/16"}}]}}`, `{"and":[{"not":{"cidr":{"a":"::ffff:10.1.0.0/112"}}},{"cidr":{"a":"10.0.0.0/8"}},{"not":{"in":{"a":[1,null]}}}]}`}},
		{"ids within and", []string{`{"ids":{"values":["2"]}}`, `{"and":[{"ids":{"values":["1","2"]}},{"ids":{"values":["2","3"]}}]}`, `{"and":[{"ids":{"values":["1","2"]}},{"not":{"equals":{"_id":"1"}}},{"exists":"_id"}]}`, `{"match":{"_id":"2"}}`}},
	}
}

func TestSpellingsOfOneFilterShareAHash(t *testing.T) {
	for _, tt := range spellings() {
		t.Run(tt.name, func(t *testing.T) {
			want := parsed(t, tt.filters[0])
			for _, src := range tt.filters[1:] {
				if got := parsed(t, src); got.Hash("i", "c") != want.Hash("i", "c") {
					t.Errorf("%s is %s\n%s is %s", tt.filters[0], want, src, got)
				}
			}
		})
	}
}

func TestDifferentFiltersHaveDifferentHashes(t *testing.T) {
	seen := map[string]string{}
	for _, src := range []string{
		`{}`, `{"nothing":1}`,
		`{"equals":{"a":1}}`, `{"equals":{"a":"1"}}`, `{"equals":{"a":true}}`, `{"equals":{"a":null}}`, `{"equals":{"a":"null"}}`, `{"equals":{"b":1}}`,
		`{"not":{"equals":{"a":1}}}`, `{"exists":"a"}`, `{"missing":"a"}`, `{"exists":"a[1]"}`, `{"exists":"a[\"1\"]"}`, `{"exists":"a\\[1\\]"}`, `{"missing":"a[1]"}`,
		`{"in":{"a":[1,2]}}`, `{"in":{"a":["1","2"]}}`, `{"in":{"a":[1,2,3]}}`, `{"not":{"in":{"a":[1,2]}}}`,
		`{"anyOf":{"a":[1,2]}}`, `{"anyOf":{"a":["1","2"]}}`, `{"anyOf":{"a":[1,2,3]}}`, `{"anyOf":{"b":[1,2]}}`, `{"not":{"anyOf":{"a":[1,2]}}}`, `{"and":[{"exists":"a[1]"},{"exists":"a[2]"}]}`,
		`{"anyOf":{"":[1]}}`, `{"exists":"[1]"}`, `{"anyOf":{"a\\":[1]}}`, `{"exists":"a\\[2\\]"}`,
		`{"range":{"a":{"gt":1}}}`, `{"range":{"a":{"gte":1}}}`, `{"range":{"a":{"lt":1}}}`, `{"range":{"a":{"lte":1}}}`, `{"not":{"range":{"a":{"gt":1}}}}`, `{"range":{"a":{"gt":1,"lt":2}}}`,
		`{"and":[{"exists":"a"},{"exists":"b"}]}`, `{"or":[{"exists":"a"},{"exists":"b"}]}`, `{"and":[{"exists":"a"},{"missing":"b"}]}`,
		`{"and":[{"exists":"a"},{"or":[{"exists":"b"},{"exists":"c"}]}]}`, `{"or":[{"exists":"a"},{"and":[{"exists":"b"},{"exists":"c"}]}]}`,
		`{"or":[{"and":[{"exists":"a"},{"exists":"b"}]},{"and":[{"exists":"a"},{"exists":"c"}]},{"exists":"d"}]}`,
		`{"geoDistance":{"p":[1,2],"distance":1}}`, `{"geoDistance":{"p":[2,1],"distance":1}}`, `{"geoDistance":{"p":[1,2],"distance":1.0000000001}}`, `{"geoDistance":{"q":[1,2],"distance":1}}`,
		`{"geoBoundingBox":{"p":{"top":2,"left":1,"bottom":1,"right":2}}}`, `{"geoBoundingBox":{"p":{"top":2,"left":2,"bottom":1,"right":1}}}`,
		`{"geoShape":{"p":{"type":"Polygon","coordinates":[[[0,0],[10,0],[0,10]]]}}}`, `{"geoShape":{"p":{"type":"Polygon","coordinates":[[[0,0],[0,10],[10,10]]]}}}`,
		`{"geoShape":{"p":{"type":"Polygon","coordinates":[[[0,0],[10,0],[0,10]],[[1,1],[2,1],[1,2]]]}}}`, `{"geoPolygon":{"p":{"points":[[0,0],[0,10],[10,0]]}}}`,
		`{"regexp":{"a":"x"}}`, `{"regexp":{"a":{"value":"x","flags":"i"}}}`, `{"match":{"a":{}}}`, `{"match":{"a":[]}}`,
		`{"prefix":{"a":"x"}}`, `{"suffix":{"a":"x"}}`, `{"contains":{"a":"x"}}`, `{"contains":{"a":"X"}}`, `{"contains":{"b":"x"}}`, `{"not":{"contains":{"a":"x"}}}`, `{"regexp":{"a":"^x"}}`,
		`{"cidr":{"a":"10.0.0.0/8"}}`, `{"cidr":{"a":"10.0.0.0/9"}}`, `{"cidr":{"a":"10.128.0.0/9"}}`, `{"cidr":{"a":"0.0.0.0/0"}}`, `{"cidr":{"a":"::/0"}}`, `{"cidr":{"a":"::ffff:0.0.0.0/95"}}`, `{"cidr":{"a":"a00::/8"}}`,
		`{"before":{"a":"2026-01-01T00:00:00Z"}}`, `{"after":{"a":"2026-01-01T00:00:00Z"}}`, `{"not":{"before":{"a":"2026-01-01T00:00:00Z"}}}`, `{"before":{"a":"2026-01-01T00:00:00.000000001Z"}}`, `{"before":{"a":"2026-01-01T00:00:00+01:00"}}`, `{"equals":{"a":"2026-01-01T00:00:00Z"}}`,
		`{"or":[{"range":{"a":{"lt":0}}},{"range":{"a":{"gt":0}}}]}`, `{"or":[{"range":{"a":{"lt":0}}},{"range":{"a":{"gte":0}}}]}`, `{"or":[{"range":{"a":{"lt":0}}},{"range":{"a":{"gte":0}}},{"equals":{"a":"0"}}]}`,
		`{"range":{"a":{"gte":1,"lt":9}}}`, `{"range":{"a":{"gte":1,"lte":9}}}`, `{"or":[{"range":{"a":{"gte":1,"lt":5}}},{"range":{"a":{"gt":5,"lt":9}}}]}`, `{"not":{"range":{"a":{"gte":1,"lt":9}}}}`, `{"and":[{"exists":"a"},{"not":{"range":{"a":{"gte":1,"lt":9}}}}]}`,
		`{"and":[{"exists":"a"},{"not":{"equals":{"a":1}}}]}`, `{"and":[{"regexp":{"a":"x"}},{"not":{"equals":{"a":"x"}}}]}`, `{"and":[{"regexp":{"a":"x"}},{"prefix":{"a":"x"}}]}`, `{"or":[{"regexp":{"a":"x"}},{"equals":{"a":1}}]}`,
		`{"or":[{"missing":"a"},{"equals":{"a":1}}]}`, `{"or":[{"missing":"a"},{"equals":{"a":null}}]}`, `{"or":[{"missing":"a"},{"not":{"exists":"b"}}]}`, `{"or":[{"equals":{"a":1}},{"equals":{"b":1}}]}`, `{"and":[{"equals":{"a":1}},{"equals":{"b":2}}]}`,
		`{"and":[{"after":{"a":"2026-01-01T00:00:00Z"}},{"before":{"a":"2026-01-01T00:00:01Z"}}]}`, `{"or":[{"after":{"a":"2026-01-01T00:00:00Z"}},{"before":{"a":"2026-01-01T00:00:01Z"}}]}`, `{"and":[{"after":{"a":"2026-01-01T00:00:00Z"}},{"not":{"before":{"a":"2026-01-01T00:00:01Z"}}}]}`,
		`{"changed":"a"}`, `{"not":{"changed":"a"}}`, `{"and":[{"changed":"a"},{"missing":"a"}]}`, `{"and":[{"changed":"a"},{"exists":"a"}]}`, `{"or":[{"changed":"a"},{"exists":"a"}]}`,
		`{"select":{"field":"a","index":0,"query":{"exists":"value"}}}`, `{"select":{"field":"a","index":1,"query":{"exists":"value"}}}`, `{"select":{"field":"a","index":-1,"query":{"exists":"value"}}}`,
		`{"geoDistanceRange":{"p":[1,2],"from":1,"to":2}}`, `{"geoDistanceRange":{"p":[1,2],"from":1,"to":3}}`, `{"geoDistance":{"p":[1,2],"distance":"1mi"}}`, `{"geoDistance":{"p":[1,2],"distance":"1km"}}`, `{"geoDistance":{"p":[1,2],"distance":"1nm"}}`,
	} {
		h := parsed(t, src).Hash("i", "c")
		if other, ok := seen[h]; ok {
			t.Errorf("%s and %s have the same hash", other, src)
		}
		seen[h] = src
	}
}
