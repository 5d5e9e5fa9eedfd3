package rooms

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// shelf is a store: its documents by their keys.
type shelf map[persistence.Key]*persistence.Document

func (s shelf) Get(k persistence.Key) (*persistence.Document, error) {
	if doc := s[k]; doc != nil {
		return doc, nil
	}
	return nil, persistence.ErrNotFound
}

func roomOf(t *testing.T, text string) (topics.Filter, *filter.Filter) {
	t.Helper()
	to, err := topics.ParseFilter("i/c/?"+text, topics.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := filter.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return to, f
}

// TestMomentsAgreeWithTheirFilters writes, joins, leaves and loses the engine at
// random. Every filter is asked about every change.
func TestMomentsAgreeWithTheirFilters(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var filters []string
	for _, id := range []string{"1", "2", "3"} {
		near := `{"near":{"at":{"id":"` + id + `","distance":"120km"}}}`
		filters = append(filters, near, `{"not":`+near+`}`, `{"near":{"was":{"id":"`+id+`","distance":"1km"}}}`, `{"and":[{"changed":"at"},`+near+`]}`)
	}
	filters = append(filters, `{"changed":"at"}`, `{"changed":"_id"}`, `{"or":[{"changed":"was"},{"equals":{"_id":"2"}}]}`,
		`{"near":{"at":{"id":"none","distance":"120km"}}}`, `{"not":{"changed":"was"}}`)
	out := &heard{}
	engine, docs, joined := New("node", out, Options{}), shelf{}, map[string]bool{}
	for step := range 3000 {
		text := filters[random.IntN(len(filters))]
		switch op := random.IntN(100); {
		case op == 0: // crash
			engine = New("node", out, Options{})
			for text := range joined {
				to, f := roomOf(t, text)
				if _, err := engine.Join("m", to, f, docs); err != nil {
					t.Fatal(err)
				}
			}
		case op < 20:
			to, f := roomOf(t, text)
			if _, err := engine.Join("m", to, f, docs); err != nil {
				t.Fatal(err)
			}
			joined[text] = true
		case op < 30:
			to, f := roomOf(t, text)
			if was := engine.Leave("m", to, f.Hash("i", "c")); was != joined[text] {
				t.Fatalf("step %d: %s: was in: %v", step, text, was)
			}
			delete(joined, text)
		default:
			k := persistence.Key{Index: "i", Collection: "c", ID: fmt.Sprint(1 + random.IntN(4))}
			c := &persistence.Change{Seq: uint64(step), Key: k, Before: docs[k]}
			if random.IntN(5) > 0 {
				c.After = &persistence.Document{Key: k, Body: fmt.Appendf(nil, `{"at":[0,%d],"was":[%d,0]}`, random.IntN(3), random.IntN(2))}
			}
			if c.Before == nil && c.After == nil {
				continue
			}
			want := told(t, joined, docs, c)
			if docs[k] = c.After; c.After == nil {
				delete(docs, k)
			}
			out.all = nil
			if err := engine.Apply(c); err != nil {
				t.Fatal(err)
			}
			if slices.Sort(out.all); !slices.Equal(out.all, want) {
				t.Fatalf("step %d: heard\n%s, want\n%s", step, strings.Join(out.all, "\n"), strings.Join(want, "\n"))
			}
		}
	}
}

// told returns what the members of rooms are to hear of a change, in the words
// of heard.
func told(t *testing.T, joined map[string]bool, docs shelf, c *persistence.Change) []string {
	t.Helper()
	if c.After == nil {
		return nil
	}
	after, err := Prepare(c.After)
	if err != nil {
		t.Fatal(err)
	}
	if c.Before != nil {
		before, err := Prepare(c.Before)
		if err != nil {
			t.Fatal(err)
		}
		after.Follow(before)
	}
	after.Among(func(n filter.Neighbour) filter.Position {
		doc := docs[persistence.Key{Index: "i", Collection: "c", ID: n.ID}]
		if doc == nil {
			return filter.Position{}
		}
		d, err := Prepare(doc)
		if err != nil {
			t.Fatal(err)
		}
		return d.Position(n.Path)
	})
	var all []string
	for text := range joined {
		if to, f := roomOf(t, text); f.Match(after) {
			all = append(all, "m "+to.Text+" enter")
		}
	}
	slices.Sort(all)
	return all
}

func TestNeighboursAreForgottenWithTheLastRoom(t *testing.T) {
	engine := New("node", &heard{}, Options{})
	texts := []string{
		`{"near":{"at":{"id":"1","distance":1}}}`, `{"near":{"at":{"id":"1","distance":2}}}`,
		`{"or":[{"near":{"at":{"id":"2","distance":1}}},{"near":{"was":{"id":"1","distance":2}}},{"not":{"near":{"was":{"id":"1","distance":3}}}}]}`,
	}
	for _, text := range texts {
		to, f := roomOf(t, text)
		if _, err := engine.Join("m", to, f, shelf{}); err != nil {
			t.Fatal(err)
		}
	}
	keep, f := roomOf(t, `{"changed":"a"}`)
	if _, err := engine.Join("m", keep, f, nil); err != nil {
		t.Fatal(err)
	}
	m := &engine.collections[collectionName{"i", "c"}].moments
	for i, want := range []string{"map[1:2 2:1]", "map[1:1 2:1]", "map[]"} {
		to, f := roomOf(t, texts[i])
		engine.Leave("m", to, f.Hash("i", "c"))
		paths := map[string]int{}
		for id, n := range m.neighbours {
			paths[id] = len(n)
		}
		if got := fmt.Sprint(paths); got != want {
			t.Errorf("after %d rooms are closed: paths of neighbours %s, want %s", i+1, got, want)
		}
	}
}

// failing is a store that cannot be read.
type failing struct{}

var errDisk = errors.New("the disk is gone")

func (failing) Get(persistence.Key) (*persistence.Document, error) { return nil, errDisk }

func TestJoinFailsIfANeighbourCannotBeRead(t *testing.T) {
	engine := New("node", &heard{}, Options{})
	to, f := roomOf(t, `{"near":{"at":{"id":"1","distance":1}}}`)
	if _, err := engine.Join("m", to, f, failing{}); !errors.Is(err, errDisk) {
		t.Errorf("got %v", err)
	}
	if engine.Len() != 0 || len(engine.collections) != 0 {
		t.Errorf("%d rooms in %d collections are left", engine.Len(), len(engine.collections))
	}
	if _, err := engine.Join("m", to, f, shelf{}); err != nil || engine.Len() != 1 {
		t.Errorf("the second time: %v, %d rooms", err, engine.Len())
	}
}
