package rooms

import (
	"fmt"
	"sync"
	"testing"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

func TestStandingsForgetTheOldestFirst(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts Options
		want []string
	}{
		{"all fit", Options{}, []string{"1", "2", "3", "4"}},
		{"by number", Options{Standings: 2}, []string{"1", "4"}},
		{"by bytes", Options{StandingBytes: 1400}, []string{"1", "3", "4"}},
		{"none", Options{Standings: -1}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStandings(tt.opts)
			for _, id := range []string{"1", "2", "3", "1", "4"} { // 1 is kept again
				k := persistence.Key{Index: "i", Collection: "c", ID: id}
				s.keep(s.take(k, nil), 7)
			}
			var left []string
			for _, id := range []string{"1", "2", "3", "4"} {
				if s.byName[collectionName{"i", "c"}][id] != nil {
					left = append(left, id)
				}
			}
			if fmt.Sprint(left) != fmt.Sprint(tt.want) {
				t.Errorf("%v are left, want %v; %d bytes", left, tt.want, s.bytes)
			}
			s.forgetCollection(collectionName{"i", "c"})
			if s.bytes != 0 || s.recent.Len() != 0 || len(s.byName) != 0 {
				t.Errorf("%d bytes are left of %d", s.bytes, s.recent.Len())
			}
		})
	}
}

// A version is trusted only if the change that made it is known.
func TestStandingsKnowWhichVersionTheyAreOf(t *testing.T) {
	for _, tt := range []struct {
		name    string
		kept    uint64
		version *persistence.Document
		want    bool
	}{
		{"the version that follows", 7, &persistence.Document{Seq: 7}, true},
		{"another one", 7, &persistence.Document{Seq: 8}, false},
		{"one without a sequence number", 0, &persistence.Document{}, false},
		{"a new document", 7, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, k := newStandings(Options{}), persistence.Key{ID: "1"}
			var m filter.Matcher[int]
			d, err := filter.ParseDocument([]byte(`{}`), filter.DocumentLimits{})
			if err != nil {
				t.Fatal(err)
			}
			reads := 0
			update := func(of *standing) {
				before := func() (*filter.Document, error) { reads++; return nil, nil }
				if err := m.Update(new(filter.Changes[int]), &of.Standing, before, d); err != nil {
					t.Fatal(err)
				}
			}
			first := s.take(k, nil)
			update(first)
			s.keep(first, tt.kept)
			update(s.take(k, tt.version))
			if known := reads == 1; known != tt.want {
				t.Errorf("it is believed: %v, want %v", known, tt.want)
			}
		})
	}
}

// Changes that come at once may be told in any order, but none is lost.
func TestEngineTellsEachChangeOnceWhoeverApplies(t *testing.T) {
	out := &counter{}
	engine := New("node", out, Options{Standings: 4})
	f, err := filter.Parse([]byte(`{"exists":"n"}`))
	if err != nil {
		t.Fatal(err)
	}
	to, err := topics.ParseFilter(`i/c/?{"exists":"n"}`, topics.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Join("a", to, f, nil); err != nil {
		t.Fatal(err)
	}
	version := func(seq int) *persistence.Document {
		k := persistence.Key{Index: "i", Collection: "c", ID: fmt.Sprint(seq % 8)}
		return &persistence.Document{Key: k, Seq: uint64(seq), Body: fmt.Appendf(nil, `{"n":%d}`, seq)}
	}
	var appliers sync.WaitGroup
	for from := range 4 {
		appliers.Go(func() {
			for seq := 8 + from; seq < 2008; seq += 4 {
				after := version(seq)
				c := &persistence.Change{Seq: after.Seq, Key: after.Key, Before: version(seq - 8), After: after}
				if err := engine.Apply(c); err != nil {
					t.Error(err)
				}
			}
		})
	}
	appliers.Wait()
	if out.stays != 2000 || out.others != 0 {
		t.Errorf("%d stays and %d others, want 2000 and 0", out.stays, out.others)
	}
}

// counter is a Publisher that counts.
type counter struct {
	mu            sync.Mutex // guards what follows
	stays, others int
}

func (c *counter) Publish(_ string, _ []string, m *Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.Transition == topics.Stay {
		c.stays++
	} else {
		c.others++
	}
}
