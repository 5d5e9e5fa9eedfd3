package filter

import (
	"testing"
)

// A message of a vehicle, of 12 fields.
const message = `{"plate":"M-AM 4711","speed":57.25,"heading":121,"position":{"lat":48.137154,"lon":11.576124},` +
	`"driver":{"name":"Anna","shift":2},"fuel":0.73,"doors":[false,false,true],"time":1700000000000,"line":"N12","status":"moving"}`

// Target: 600 ns.
func BenchmarkParseDocument(b *testing.B) {
	body := []byte(message)
	for _, bb := range []struct {
		name  string
		parse func([]byte, DocumentLimits) (*Document, error)
	}{{"scanned", ParseDocument}, {"decoded", decodeDocument}} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			spent := cpuTime()
			for b.Loop() {
				if _, err := bb.parse(body, DocumentLimits{}.withDefaults()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpuTime()-spent)/float64(b.N), "cpu-ns")
		})
	}
}

// Target: 300 ns for a geo clause, 100 ns for the others.
func BenchmarkMatch(b *testing.B) {
	d, err := ParseDocument([]byte(message), DocumentLimits{})
	if err != nil {
		b.Fatal(err)
	}
	for _, bb := range []struct{ name, src string }{
		{"equals", `{"equals":{"status":"moving"}}`},
		{"range", `{"range":{"speed":{"gt":50}}}`},
		{"and", `{"and":[{"equals":{"line":"N12"}},{"range":{"speed":{"gt":50}}},{"exists":"driver.name"}]}`},
		{"geoBoundingBox", `{"geoBoundingBox":{"position":{"top":48.2,"left":11.4,"bottom":48,"right":11.7}}}`},
		{"geoDistance", `{"geoDistance":{"position":[48.1,11.5],"distance":"10km"}}`},
		{"regexp", `{"regexp":{"plate":"^M-"}}`},
	} {
		f, err := Parse([]byte(bb.src))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !f.Match(d) {
					b.Fatal("no match")
				}
			}
		})
	}
}
