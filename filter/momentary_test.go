package filter

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ambitmq/ambit/geofilter"
)

func TestAFilterWithAMomentIsMomentary(t *testing.T) {
	for _, tt := range []struct {
		filter string
		want   bool
	}{
		{`{"changed":"a"}`, true},
		{`{"crossed":{"geoDistance":{"p":[0,0],"distance":1}}}`, true},
		{`{"near":{"p":{"id":"b","distance":1}}}`, true},
		{`{"not":{"changed":"a"}}`, true},
		{`{"bool":{"must":[{"exists":"a"}],"should_not":[{"exists":"b"},{"not":{"changed":"a"}}]}}`, true},
		{`{"geoDistance":{"p":[0,0],"distance":1}}`, false},
		{`{}`, false},
		// What does not count for the answer is not in the canonical form.
		{`{"or":[{"exists":"a"},{"and":[{"exists":"a"},{"changed":"a"}]}]}`, false},
		{`{"and":[{"changed":"a"},{"nothing":1}]}`, false},
	} {
		if got := parsed(t, tt.filter).Momentary(); got != tt.want {
			t.Errorf("%s: got %v", tt.filter, got)
		}
	}
}

func TestNeighboursAreNamedOnce(t *testing.T) {
	f := parsed(t, `{"or":[
		{"near":{"p":{"id":"b","distance":1}}}, {"not":{"near":{"p":{"id":"b","distance":2}}}},
		{"and":[{"exists":"x"},{"near":{"q":{"id":"b","distance":1}}}]}, {"near":{"p":{"id":"c","distance":1}}}]}`)
	got := f.Neighbours()
	slices.SortFunc(got, func(a, b Neighbour) int { return strings.Compare(a.ID+a.Path, b.ID+b.Path) })
	if want := []Neighbour{{"b", "p"}, {"b", "q"}, {"c", "p"}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := parsed(t, `{"changed":"a"}`).Neighbours(); got != nil {
		t.Errorf("got %v", got)
	}
}

func TestADocumentThatFollowsNoneIsNew(t *testing.T) {
	f, d := parsed(t, `{"changed":"a"}`), document(t, `{"a":1}`)
	for _, tt := range []struct {
		previous *Document
		want     bool
	}{{document(t, `{"a":1}`), false}, {document(t, `{"a":2}`), true}, {nil, true}} {
		d.Follow(tt.previous)
		if got := f.Match(d); got != tt.want {
			t.Errorf("after %v: got %v", tt.previous, got)
		}
	}
}

func TestExplainShowsWithWhatAMomentCompares(t *testing.T) {
	d := document(t, `{"_id":"1","speed":57,"p":[0,0.5]}`)
	d.Follow(document(t, `{"_id":"1","speed":50,"p":[0,-0.5],"x":[1e400]}`))
	d.Among(func(n Neighbour) Position { return document(t, `{"p":"0,0.25"}`).Position(n.Path) })
	for _, tt := range []struct{ name, filter, want string }{
		{"a change", `{"changed":"speed"}`, `{"holds":true,"clause":{"changed":"speed"},"value":57,"previous":50}`},
		{"none", `{"not":{"changed":"_id"}}`, `{"holds":true,"clause":{"not":{"changed":"_id"}},"value":"1","previous":"1"}`},
		{"what is not there any more", `{"changed":"x"}`, `{"holds":true,"clause":{"changed":"x"},"previous":[1.7976931348623157e+308]}`},
		{
			"a crossing", `{"crossed":{"geoDistance":{"p":[0,0],"distance":5}}}`,
			`{"holds":true,"clause":{"crossed":{"geoDistance":{"p":{"lat":0,"lon":0},"distance":5}}},"value":[0,0.5],"previous":[0,-0.5]}`,
		},
		{
			"another document", `{"near":{"p":{"id":"2","distance":5}}}`,
			`{"holds":false,"clause":{"near":{"p":{"id":"2","distance":5}}},"value":[0,0.5],"other":{"lat":0,"lon":0.25}}`,
		},
		{"itself", `{"near":{"p":{"id":"1","distance":5}}}`, `{"holds":false,"clause":{"near":{"p":{"id":"1","distance":5}}},"value":[0,0.5]}`},
		{"other conditions know no time", `{"exists":"speed"}`, `{"holds":true,"clause":{"exists":"speed"},"value":57}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := explanationText(t, parsed(t, tt.filter).Explain(d)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestWhatIsFarApartIsNotNear(t *testing.T) {
	random := rand.New(rand.NewPCG(17, 18))
	for range 200_000 {
		a := geofilter.Point{Lat: uniform(random, -90, 90), Lon: uniform(random, -180, 180)}
		b := a
		switch random.IntN(3) {
		case 0: // near by, for the most part on the same meridian
			b.Lat = max(-90, min(90, a.Lat+random.NormFloat64()*math.Pow(10, -float64(random.IntN(8)))))
		case 1:
			b = geofilter.Point{Lat: uniform(random, -90, 90), Lon: uniform(random, -180, 180)}
		case 2: // opposite
			b = geofilter.Point{Lat: -a.Lat + 0.1*random.NormFloat64(), Lon: a.Lon + 180 + 0.1*random.NormFloat64()}
			b.Lat = max(-90, min(90, b.Lat))
		}
		if distance := float64(geofilter.Distance(a, b)); farApart(a, b, distance) {
			t.Fatalf("%v and %v are said to be more than %v m apart", a, b, distance)
		}
	}
}

// randomMomentary returns a filter that is about changes, for the most part.
func randomMomentary(random *rand.Rand, depth int) string {
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	if depth > 1 && random.IntN(3) > 0 {
		a, b := randomMomentary(random, depth-1), randomMomentary(random, depth-1)
		return pick(`{"and":[`+a+`,`+b+`]}`, `{"or":[`+a+`,`+b+`]}`, `{"not":`+a+`}`, `{"bool":{"must":[`+a+`],"must_not":[`+b+`]}}`)
	}
	fence := pick(`"geoDistance":{"p":[0.5,0.5],"distance":"`+pick("10km", "60km", "100km")+`"}`, `"geoBoundingBox":{"p":{"top":1,"left":0.5,"bottom":-1,"right":0.7}}`,
		`"geoShape":{"p":{"type":"Polygon","coordinates":[[[2,-1],[3,-1],[3,9],[2,9]],[[2.4,0],[2.6,0],[2.5,3]]]}}`,
		`"geoDistanceRange":{"p":[1,1],"from":"50km","to":"`+pick("100km", "200km")+`"}`, `"geoPolygon":{"p":{"points":[[4,4],[4,5],[5,5]]}}`)
	return pick(randomFilter(random, 1), `{"changed":"`+pick("a", "b", "n", "n.x", "_id", "p")+`"}`, `{"crossed":{`+fence+`}}`,
		`{"near":{"p":{"id":"`+pick("d1", "d2", "d3")+`","distance":"`+pick("0", "100km", "156.9km", "2000km")+`"}}}`)
}

// history are documents that follow each other, among some neighbours.
func history(t *testing.T, random *rand.Rand, n int) []*Document {
	t.Helper()
	latest := map[string]*Document{}
	var all []*Document
	for range n {
		d := document(t, randomDocument(random))
		neighbours := map[string]*Document{}
		for _, id := range []string{"d1", "d2", "d3"} {
			if random.IntN(5) > 0 {
				neighbours[id] = latest[id]
			}
		}
		d.Among(func(n Neighbour) Position {
			if d := neighbours[n.ID]; d != nil {
				return d.Position(n.Path)
			}
			return Position{}
		})
		id := fmt.Sprint("d", 1+random.IntN(3))
		d.Follow(latest[id])
		latest[id] = d
		all = append(all, d)
	}
	return all
}

// Each clause of an explanation answers as the filter that it is, of changes as
// well.
func TestExplainAgreesWithMatchOfChanges(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 14))
	documents := history(t, random, 500)
	for range 2000 {
		f, d := parsed(t, randomMomentary(random, 3)), documents[random.IntN(len(documents))]
		e := f.Explain(d)
		if e.Holds != f.Match(d) {
			t.Fatalf("%s of %v: %v\n%s", f, fields(d), f.Match(d), explanationText(t, e))
		}
		checkExplanation(t, e, d)
	}
}

// FuzzMoments compares Matcher with Filter.Match for filters of changes, and
// those with their canonical form.
func FuzzMoments(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, 200)
	}
	f.Fuzz(func(t *testing.T, seed uint64, steps int) {
		random := rand.New(rand.NewPCG(seed, 0))
		documents := history(t, random, 30)
		var m Matcher[string]
		truth := map[string]*Filter{}
		for range min(steps, 500) {
			key := fmt.Sprint(random.IntN(30))
			d := documents[random.IntN(len(documents))]
			switch random.IntN(4) {
			case 0, 1:
				src := randomMomentary(random, 3)
				truth[key] = parsed(t, src)
				m.Add(key, truth[key])
				if raw, _, err := parse([]byte(src), Limits{}.withDefaults()); err != nil || raw.match(d) != truth[key].Match(d) {
					t.Fatalf("%s is %s: %v", src, truth[key], err)
				}
			case 2:
				delete(truth, key)
				m.Remove(key)
			case 3:
				compare(t, &m, truth, d, fmt.Sprint(fields(d)))
			}
		}
		for key := range truth {
			m.Remove(key)
		}
		if x := &m.index; x.known.n+x.fieldNumbers.n+x.defaults.n+int(x.moments.Load()) != 0 {
			t.Errorf("an empty matcher keeps %d entries, %d fields, %d defaults, %d moments", x.known.n, x.fieldNumbers.n, x.defaults.n, x.moments.Load())
		}
	})
}

// The same while filters come and go in other goroutines.
func TestMatcherIsRightAboutChangesAtEveryMoment(t *testing.T) {
	random := rand.New(rand.NewPCG(15, 16))
	p := population{documents: history(t, random, 20)}
	var m Matcher[int]
	for i := range 300 {
		p.filters = append(p.filters, parsed(t, randomMomentary(random, 3)))
		m.Add(i, p.filters[i])
	}
	var readers, writer sync.WaitGroup
	stop := make(chan struct{})
	readers.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := p.check(&m, p.documents[i%len(p.documents)]); err != nil {
				t.Error(err)
				return
			}
		}
	})
	writer.Go(func() {
		for range 20_000 {
			i := 1 + 2*random.IntN(len(p.filters)/2) // the odd ones
			if random.IntN(2) == 0 {
				m.Add(i, p.filters[i])
			} else {
				m.Remove(i)
			}
		}
	})
	writer.Wait()
	close(stop)
	readers.Wait()
}
