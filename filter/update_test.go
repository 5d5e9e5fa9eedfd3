package filter

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
)

// versions are documents of which an update sees one and the next.
type versions struct {
	t      *testing.T
	m      *Matcher[string]
	truth  map[string]*Filter
	bodies map[int]string // what the store would have
	stands map[int]*Standing
	reads  int // of versions before
}

func newVersions(t *testing.T) *versions {
	t.Helper()
	return &versions{t, new(Matcher[string]), map[string]*Filter{}, map[int]string{}, map[int]*Standing{}, 0}
}

func (v *versions) add(key, src string) {
	v.truth[key] = parsed(v.t, src)
	v.m.Add(key, v.truth[key])
}

func (v *versions) remove(key string) {
	delete(v.truth, key)
	v.m.Remove(key)
}

// put gives a document a new version, or with an empty body none any more, and
// compares the changes with what the filters say of both versions.
func (v *versions) put(id int, body string) {
	v.t.Helper()
	old, now := v.parsed(v.bodies[id]), v.parsed(body)
	if v.stands[id] == nil {
		v.stands[id] = new(Standing)
	}
	var c Changes[string]
	before := func() (*Document, error) {
		v.reads++
		return v.parsed(v.bodies[id]), nil
	}
	if err := v.m.Update(&c, v.stands[id], before, now); err != nil {
		v.t.Fatal(err)
	}
	if got, want := list(c), list(changesOf(v.truth, old, now)); got != want {
		v.t.Fatalf("from %q\nto %q:\ngot  %s\nwant %s\nof %v", v.bodies[id], body, got, want, v.truth)
	}
	v.bodies[id] = body
}

func (v *versions) parsed(body string) *Document {
	v.t.Helper()
	if body == "" {
		return nil
	}
	return document(v.t, body)
}

// changesOf is what Update means.
func changesOf[K comparable](filters map[K]*Filter, before, after *Document) Changes[K] {
	var c Changes[K]
	for k, f := range filters {
		matched, matches := before != nil && f.Match(before), after != nil && f.Match(after)
		switch {
		case matched && matches:
			c.Stayed = append(c.Stayed, k)
		case matched:
			c.Exited = append(c.Exited, k)
		case matches:
			c.Entered = append(c.Entered, k)
		}
	}
	return c
}

func list(c Changes[string]) string {
	var text strings.Builder
	for _, keys := range [][]string{c.Entered, c.Stayed, c.Exited} {
		slices.Sort(keys)
		fmt.Fprintf(&text, "%v ", keys)
	}
	return text.String()
}

func TestUpdateTellsWhatEntersStaysAndExits(t *testing.T) {
	v := newVersions(t)
	v.add("fast", `{"range":{"speed":{"gt":50}}}`)
	v.add("slow", `{"not":{"range":{"speed":{"gt":50}}}}`)
	v.add("free", `{"and":[{"equals":{"status":"free"}},{"range":{"speed":{"gte":0}}}]}`)
	v.add("near", `{"geoDistance":{"p":[48,11],"distance":"1km"}}`)
	v.add("no fault", `{"missing":"fault"}`)
	v.add("any", `{}`)
	for _, tt := range []struct{ name, body, want string }{
		{"a document appears", `{"speed":10,"status":"free","p":[48,11]}`, "[any free near no fault slow] [] [] "},
		{"nothing changes", `{"speed":10,"status":"free","p":[48,11]}`, "[] [any free near no fault slow] [] "},
		{"what nobody reads changes", `{"speed":10,"status":"free","p":[48,11],"n":1}`, "[] [any free near no fault slow] [] "},
		{"it moves a little", `{"speed":10,"status":"free","p":[48.00001,11]}`, "[] [any free near no fault slow] [] "},
		{"a number changes", `{"speed":60,"status":"free","p":[48.00001,11]}`, "[fast] [any free near no fault] [slow] "},
		{"the order changes", `{"p":[48.00001,11],"status":"free","speed":60}`, "[] [any fast free near no fault] [] "},
		{"a field vanishes", `{"p":[48.00001,11],"status":"free"}`, "[slow] [any near no fault] [fast free] "},
		{"a field appears", `{"p":[48.00001,11],"status":"free","fault":null}`, "[] [any near slow] [no fault] "},
		{"a type changes", `{"p":[48.00001,11],"status":["free"],"fault":null,"speed":"70"}`, "[] [any near slow] [] "},
		{"it moves far", `{"p":{"lat":49,"lon":11},"speed":70}`, "[fast no fault] [any] [near slow] "},
		{"it comes back", `{"p":{"lat":48,"lon":11},"speed":70}`, "[near] [any fast no fault] [] "},
		{"it is nowhere", `{"p":"lost","speed":70}`, "[] [any fast no fault] [near] "},
		{"it is deleted", ``, "[] [] [any fast no fault] "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v.t = t
			before := v.bodies[0]
			v.put(0, tt.body)
			if got := list(changesOf(v.truth, v.parsed(before), v.parsed(tt.body))); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	if v.reads > 1 {
		t.Errorf("the version before was read %d times", v.reads)
	}
}

func TestUpdateNeedsTheVersionBeforeOnlyForWhatItDoesNotKnow(t *testing.T) {
	v := newVersions(t)
	step := func(name string, reads int, body string) {
		t.Helper()
		before := v.reads
		v.put(0, body)
		if got := v.reads - before; got != reads {
			t.Errorf("%s: %d times", name, got)
		}
	}
	v.add("a", `{"range":{"a":{"gt":1}}}`)
	step("the first one", 1, `{"a":1,"b":1}`)
	step("a change", 0, `{"a":2,"b":2}`)
	v.add("b", `{"and":[{"exists":"a"},{"range":{"a":{"lt":2}}}]}`)
	step("a filter came that reads what did not change", 0, `{"a":2,"b":3}`)
	v.add("c", `{"equals":{"a":2}}`)
	step("a filter came that reads what changed", 1, `{"a":1,"b":3}`)
	v.add("d", `{"equals":{"b":3}}`)
	step("a filter came that reads another field", 1, `{"a":1}`)
	for i := range recent + 2 { // one of them is there already
		v.add(fmt.Sprint(i), fmt.Sprintf(`{"equals":{"a":%d}}`, i))
	}
	step("many filters came", 1, `{"a":1}`)
	v.remove("1")
	v.remove("a")
	step("some have gone", 0, `{"a":3}`)
	v.stands[0].Reset()
	step("it was forgotten", 1, `{"a":4}`)
	step("it was deleted", 0, ``)
	step("it is created", 1, `{"a":4}`)
}

func TestUpdateFailsIfTheVersionBeforeCannotBeRead(t *testing.T) {
	var m Matcher[int]
	var c Changes[int]
	fault := errors.New("no disk")
	if err := m.Update(&c, nil, func() (*Document, error) { return nil, fault }, document(t, `{}`)); !errors.Is(err, fault) {
		t.Errorf("got %v", err)
	}
}

// What another matcher remembers is not believed.
func TestUpdateDoesNotBelieveTheStandingOfAnother(t *testing.T) {
	var m, other Matcher[string]
	other.Add("a", parsed(t, `{"equals":{"a":1}}`))
	m.Add("b", parsed(t, `{"equals":{"a":2}}`))
	var c Changes[string]
	var s Standing
	before := func() (*Document, error) { return document(t, `{"a":2}`), nil }
	for _, matcher := range []*Matcher[string]{&other, &m} {
		if err := matcher.Update(&c, &s, before, document(t, `{"a":2}`)); err != nil {
			t.Fatal(err)
		}
	}
	if got := list(c); got != "[] [b] [] " {
		t.Errorf("got %s", got)
	}
}

// randomVersion returns a version like the one before, or quite another.
func randomVersion(random *rand.Rand, before string) string {
	switch random.IntN(12) {
	case 0:
		return ""
	case 1, 2, 3, 4:
		return randomDocument(random)
	case 5, 6, 7, 8: // some way off, from a centimetre to a thousand kilometres
		d := func() float64 { return []float64{1e-7, 1e-5, 1e-3, 0.1, 1, 10}[random.IntN(6)] * random.NormFloat64() }
		if i := strings.Index(before, `"p":`); i >= 0 {
			return fmt.Sprintf(`%s"p":[%v,%v]}`, before[:i], 0.9+d(), 0.01+d())
		}
		return fmt.Sprintf(`{"a":1,"p":[%v,%v]}`, d(), d())
	}
	return before
}

// FuzzUpdate compares Update with what the filters say of both versions, while
// filters come and go and are replaced, and standings get lost.
func FuzzUpdate(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, 300)
	}
	f.Fuzz(func(t *testing.T, seed uint64, steps int) {
		random := rand.New(rand.NewPCG(seed, 0))
		v := newVersions(t)
		for range min(steps, 1000) {
			key := fmt.Sprint(random.IntN(30))
			switch random.IntN(20) {
			case 0, 1, 2:
				v.add(key, randomFilter(random, 1+random.IntN(3)))
			case 3:
				v.remove(key)
			case 4: // the same again
				if f := v.truth[key]; f != nil {
					v.remove(key)
					v.add(key, f.String())
				}
			case 5:
				v.stands[random.IntN(5)] = nil
			case 6:
				v.m.index.generation.Add(uint64(random.IntN(2)))
			case 7:
				scatter(t, v.m, random)
			default:
				id := random.IntN(5)
				v.put(id, randomVersion(random, v.bodies[id]))
			}
		}
	})
}

// So many removals that numbers are used again.
func TestUpdateAgreesAfterManyChanges(t *testing.T) {
	p := newPopulation(t, 1, 500, 50)
	random := rand.New(rand.NewPCG(2, 0))
	v := newVersions(t)
	for range 40_000 {
		key := fmt.Sprint(random.IntN(300))
		if random.IntN(2) == 0 {
			v.truth[key] = p.filters[random.IntN(len(p.filters))]
			v.m.Add(key, v.truth[key])
		} else {
			v.remove(key)
		}
		if random.IntN(20) == 0 {
			id := random.IntN(5)
			v.put(id, randomVersion(random, v.bodies[id]))
		}
	}
	if v.m.index.generation.Load() == 0 {
		t.Error("no number was used again")
	}
}

// While half of the filters come and go, and some are replaced, an update must
// be right about each of the others, and tell nothing false or twice of these.
func TestUpdateIsRightAtEveryMoment(t *testing.T) {
	p := newPopulation(t, 3, 600, 20)
	var m Matcher[int]
	for i, f := range p.filters {
		m.Add(i, f)
	}
	var readers, writers sync.WaitGroup
	stop := make(chan struct{})
	for r := range 2 {
		readers.Go(func() {
			var s Standing
			var before *Document
			random := rand.New(rand.NewPCG(uint64(r), 0))
			for {
				select {
				case <-stop:
					return
				default:
				}
				after := p.documents[random.IntN(len(p.documents))]
				if err := p.checkUpdate(&m, &s, before, after); err != nil {
					t.Error(err)
					return
				}
				before = after
			}
		})
	}
	writers.Go(func() {
		random := rand.New(rand.NewPCG(4, 0))
		for range 20_000 {
			i := 1 + 2*random.IntN(len(p.filters)/2) // the odd ones
			switch random.IntN(4) {
			case 0:
				m.Remove(i)
			case 1:
				m.Add(i, p.filters[random.IntN(len(p.filters))])
			default:
				m.Add(i, p.filters[i])
			}
		}
	})
	writers.Wait()
	close(stop)
	readers.Wait()
}

// checkUpdate updates from one version, which may be nil, to another.
func (p population) checkUpdate(m *Matcher[int], s *Standing, before, after *Document) error {
	var c Changes[int]
	if err := m.Update(&c, s, func() (*Document, error) { return before, nil }, after); err != nil {
		return err
	}
	told := map[int]bool{}
	for kind, keys := range [][]int{c.Entered, c.Stayed, c.Exited} {
		for _, k := range keys {
			if told[k] {
				return fmt.Errorf("%d is told twice", k)
			}
			told[k] = true
			if k%2 == 1 {
				continue // it may have any filter
			}
			matched, matches := before != nil && p.filters[k].Match(before), p.filters[k].Match(after)
			if want := [][2]bool{{false, true}, {true, true}, {true, false}}[kind]; want != [2]bool{matched, matches} {
				return fmt.Errorf("%s is in list %d, to %s", p.filters[k], kind, after.text.String())
			}
		}
	}
	for i := 0; i < len(p.filters); i += 2 {
		if !told[i] && (before != nil && p.filters[i].Match(before) || p.filters[i].Match(after)) {
			return fmt.Errorf("%s is not told of, to %s", p.filters[i], after.text.String())
		}
	}
	return nil
}

// A filter that comes during an update is told of both versions, or not at all.
func TestUpdateTellsNoHalfOfAFilterThatComesMeanwhile(t *testing.T) {
	var m Matcher[int]
	f := parsed(t, `{"exists":"a"}`)
	m.Add(0, parsed(t, `{"and":[{"exists":"a"},{"exists":"b"}]}`)) // keeps the condition
	versions := []*Document{document(t, `{"a":1}`), document(t, `{"a":2}`)}
	var writer sync.WaitGroup
	stop := make(chan struct{})
	writer.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			m.Add(1, f)
			m.Remove(1)
		}
	})
	var c Changes[int]
	var s Standing
	for i := range 50_000 {
		if i%3 == 0 {
			s.Reset()
		}
		before := func() (*Document, error) { return versions[i%2], nil }
		if err := m.Update(&c, &s, before, versions[(i+1)%2]); err != nil || len(c.Entered)+len(c.Exited) > 0 {
			t.Errorf("step %d: %v, %v", i, c, err)
			break
		}
	}
	close(stop)
	writer.Wait()
}
