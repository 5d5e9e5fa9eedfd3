package sessions

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ambitmq/ambit/topics"
)

// A place is where a subscription of the simple tree is.
type place struct {
	topicFilter, share string
	s                  *session
}

// A simpleTree asks every subscription.
type simpleTree map[place]*Subscription

func (t simpleTree) match(topic string) []*Subscription {
	var found []*Subscription
	for p, sub := range t {
		if topics.Match(p.topicFilter, topic) {
			found = append(found, sub)
		}
	}
	return found
}

// subscriptions returns those in leaves.
func subscriptions(leaves []*leaf) []*Subscription {
	var found []*Subscription
	add := func(members *[]member) {
		if members != nil {
			for _, m := range *members {
				found = append(found, m.sub)
			}
		}
	}
	for _, l := range leaves {
		add(l.members.Load())
		if groups := l.groups.Load(); groups != nil {
			for _, g := range *groups {
				add(g.members.Load())
			}
		}
	}
	return found
}

// same says whether two lists hold the same subscriptions, each once.
func same(a, b []*Subscription) bool {
	seen := map[*Subscription]int{}
	for _, s := range a {
		seen[s]++
	}
	for _, s := range b {
		seen[s]--
	}
	for _, n := range seen {
		if n != 0 {
			return false
		}
	}
	return true
}

// A picker makes choices out of bytes, and 0 when they are used up.
type picker struct{ bytes []byte }

func (p *picker) pick(n int) int {
	if len(p.bytes) == 0 {
		return 0
	}
	b := p.bytes[0]
	p.bytes = p.bytes[1:]
	return int(b) % n
}

func (p *picker) levels(from []string) string {
	levels := make([]string, 1+p.pick(4))
	for i := range levels {
		levels[i] = from[p.pick(len(from))]
	}
	return strings.Join(levels, "/")
}

// manyLevels has more names than a branch has children in a list.
var manyLevels = []string{"", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "$x"}

func (p *picker) topic() string { return p.levels(manyLevels) }

func (p *picker) topicFilter() string {
	f := p.levels(append([]string{"+", "+", "+"}, manyLevels...))
	switch p.pick(4) {
	case 0:
		return "#"
	case 1:
		return f + "/#"
	}
	return f
}

// FuzzTree holds that the tree of topic filters finds what asking each of them
// does, and that nothing is left when all are gone.
func FuzzTree(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		b := make([]byte, 1+r.IntN(2000))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		f.Add(b)
	}
	var all [5]*session
	for i := range all {
		all[i] = &session{id: fmt.Sprint(i)}
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		p, tree, simple := &picker{choices}, newTree(), simpleTree{}
		for len(p.bytes) > 0 {
			at := place{p.topicFilter(), []string{"", "", "g", "h"}[p.pick(4)], all[p.pick(len(all))]}
			if p.pick(3) > 0 {
				sub := &Subscription{}
				tree.add(at.topicFilter, at.share, member{at.s, sub})
				simple[at] = sub
			} else {
				tree.remove(at.topicFilter, at.share, at.s)
				delete(simple, at)
			}
			topic := p.topic()
			if got, want := subscriptions(tree.match(nil, topic)), simple.match(topic); !same(got, want) {
				t.Fatalf("%q: %d subscriptions, want %d of %v", topic, len(got), len(want), simple)
			}
			if tree.len() != len(simple) {
				t.Fatalf("%d subscriptions, want %d", tree.len(), len(simple))
			}
		}
		for at := range simple {
			tree.remove(at.topicFilter, at.share, at.s)
		}
		if r := &tree.root; tree.exact.Size() > 0 || r.size > 0 || r.children.Load() != nil || r.plus.Load() != nil || r.rest.Load() != nil {
			t.Error("something is left in the tree")
		}
	})
}

// While some subscriptions come and go, readers always find the others, and of
// those that come and go none twice.
func TestReadersOfTheTreeFindWhatStays(t *testing.T) {
	tree := newTree()
	stays := &Subscription{}
	for _, f := range []string{"a/b/c", "a/+/c", "a/#", "+/b/c"} {
		tree.add(f, "", member{&session{id: "stays"}, stays})
		tree.add(f, "g", member{&session{id: "stays"}, stays})
	}
	stop := make(chan struct{})
	var writers, readers sync.WaitGroup
	for w := range 2 {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 3))
			s := &session{id: fmt.Sprint(w)}
			for range 20_000 {
				f := []string{"a/b/c", "a/+/c", "a/#", "+/b/c", "a/b/+", fmt.Sprintf("a/%d/c", r.IntN(20)), fmt.Sprintf("+/%d/+", r.IntN(20))}[r.IntN(7)]
				share := []string{"", "g", "h"}[r.IntN(3)]
				tree.add(f, share, member{s, &Subscription{}})
				if r.IntN(3) > 0 {
					tree.remove(f, share, s)
				}
			}
		})
	}
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				found := subscriptions(tree.match(nil, "a/b/c"))
				n := 0
				for i, sub := range found {
					if sub == stays {
						n++
					} else if slices.Contains(found[:i], sub) {
						t.Error("a subscription is found twice")
						return
					}
				}
				if n != 8 {
					t.Errorf("%d of 8 subscriptions are found", n)
					return
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
}
