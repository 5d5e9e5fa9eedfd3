package koncorde

// fault returns a condition that nobody accepts.
func (g *generator) fault() string { return g.pick(faults()...) }

// faults are conditions that nobody accepts, with every error text.
func faults() []string {
	list := []string{
		`{"range":{"a":{"gt":1,"gte":1}}}`, `{"range":{"a":{"lt":1,"lte":2}}}`, `{"range":{"a":{"gte":2,"lte":2}}}`, `{"range":{"a":{"gt":5,"lt":1}}}`,
		`{"range":{"a":{"gt":"1"}}}`, `{"range":{"a":{}}}`, `{"range":{"a":{"eq":1}}}`, `{"range":{"a":{"gt":1},"b":{"lt":1}}}`, `{"range":{}}`, `{"range":[]}`,
		`{"exists":""}`, `{"exists":{"field":""}}`, `{"exists":"a['x']"}`, `{"exists":"a[]"}`, `{"missing":"a[x]"}`, `{"exists":"a[\"x\"][1]"}`,
		`{"exists":{"field":"a","x":1}}`, `{"missing":{"path":"a"}}`, `{"exists":1}`, `{"missing":["a"]}`,
		`{"in":{"a":[]}}`, `{"in":{"a":"x"}}`, `{"in":{"a":["x"],"b":["y"]}}`, `{"in":[]}`,
		`{"ids":["x"]}`, `{"ids":{"values":[]}}`, `{"ids":{"values":[1]}}`, `{"ids":{"value":["x"]}}`, `{"ids":{"values":["x"],"x":1}}`,
		`{"equals":{"a":[1]}}`, `{"equals":{"a":{}}}`, `{"equals":{}}`, `{"equals":{"a":1,"b":2}}`, `{"equals":"a"}`,
		`{"regexp":{"a":{"flags":"i"}}}`, `{"regexp":{"a":{"value":"x","flags":1}}}`, `{"regexp":{"a":{"value":"x","other":1}}}`, `{"regexp":{"a":1}}`, `{"regexp":{"a":{}}}`, `{"regexp":{}}`,
		`{"select":{"field":"a","index":0}}`, `{"select":{"field":"","index":0,"query":{"exists":"value"}}}`, `{"select":{"field":"a","index":"0","query":{"exists":"value"}}}`,
		`{"select":{"field":"a","index":0.5,"query":{"exists":"value"}}}`, `{"select":{"field":"a","index":0,"query":{}}}`, `{"select":{"field":1,"index":0,"query":{"exists":""}}}`,
		`{"select":{"field":"a","index":0,"query":{"term":{"value":1}}}}`, `{"select":{"a":"a","b":0,"query":{"exists":"value"}}}`, `{"select":[]}`,
		`{"match":{}}`, `{"match":[]}`, `{"match":"a"}`,
		`{"geoDistance":{"p":[0,0]}}`, `{"geoDistance":{"p":[0,0],"distance":""}}`, `{"geoDistance":{"p":[0,0],"distance":"1 x"}}`, `{"geoDistance":{"p":[0,0],"distance":"m"}}`,
		`{"geoDistance":{"p":[0,0],"distance":"1km","q":[0,0]}}`, `{"geoDistance":{"p":"nowhere!","distance":"1km"}}`, `{"geoDistance":{"p":[1,2,3],"distance":"1km"}}`, `{"geoDistance":{"p":{"lng":1,"lat":1},"distance":"1km"}}`,
		`{"geoDistanceRange":{"p":[0,0],"from":"1km","to":"1000m"}}`, `{"geoDistanceRange":{"p":[0,0],"from":"1km"}}`, `{"geoDistanceRange":{"p":"1 2","from":"1m","to":"2m"}}`, `{"geoDistanceRange":{"p":[0,0],"to":"1km","x":1}}`,
		`{"geoBoundingBox":{"p":{"top":1,"left":0}}}`, `{"geoBoundingBox":{"p":{"top":"x","left":0,"bottom":0,"right":1}}}`, `{"geoBoundingBox":{"p":{"topLeft":"x","bottomRight":[0,1]}}}`, `{"geoBoundingBox":{}}`, `{"geoBoundingBox":{"p":[[1,0],[0,1]]}}`,
		`{"geoPolygon":{"p":{"points":[[0,0],[1,1]]}}}`, `{"geoPolygon":{"p":{"points":[[0,0],[1,1],["x",0]]}}}`, `{"geoPolygon":{"p":[[0,0],[1,1],[0,1]]}}`, `{"geoPolygon":{"p":{"points":{}}}}`, `{"geoPolygon":{"p":{"points":[],"x":1}}}`,
		`{"bool":{}}`, `{"bool":{"some":[{"exists":"a"}]}}`, `{"bool":{"must":[]}}`, `{"bool":{"should":{"exists":"a"}}}`, `{"bool":{"must_not":[{}]}}`, `{"bool":{"must":null}}`, `{"bool":[]}`,
		`{"and":[]}`, `{"or":{}}`, `{"and":[1]}`, `{"or":[{},{"exists":"a"}]}`, `{"not":[]}`, `{"not":{}}`, `{"not":{"exists":"a","missing":"b"}}`, `{"and":{"exists":"a"}}`,
		`{"term":{"a":1}}`, `{"everything":true}`, `{"":1}`, `{"geospatial":{}}`, `{"exists":"a","missing":"b"}`, `{"toString":1}`,
	}
	for _, pattern := range []string{"(", ")", "[", "[z-a]", "*", "a**", "(a)\\\\1", "a(?=b)", "(?<=a)b", "(?!a)", "\\\\8", "(?P<n", "(?P<n>a)(?P<n>b)", "x{2,1}", "x{1001}", "\\\\", "\\\\pX", "[[:x:]]", "(?z)", "[^]"} {
		list = append(list, `{"regexp":{"a":"`+pattern+`"}}`)
	}
	return list
}
