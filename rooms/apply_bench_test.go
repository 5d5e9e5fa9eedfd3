package rooms

import (
	"fmt"
	"testing"
	"time"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// A tally counts what rooms tell.
type tally struct{ messages, members int }

func (o *tally) Publish(_ string, members []string, _ *Message) {
	o.messages++
	o.members += len(members)
}

// What a change of a document costs, which is parked in the collection of so many
// rooms or drives there, of which so many hold it before and after. Targets: 100,000
// rooms that it does not match cost no more than a microsecond, and a match 2 µs.
func BenchmarkApply(b *testing.B) {
	for _, bb := range []struct{ rooms, matching int }{{0, 0}, {1000, 0}, {1000, 1}, {1000, 100}, {100_000, 0}, {100_000, 1}, {100_000, 100}} {
		for _, does := range []string{"parked", "drives"} {
			b.Run(fmt.Sprintf("rooms=%d/matching=%d/%s", bb.rooms, bb.matching, does), func(b *testing.B) {
				out := &tally{}
				e := New("node", out, Options{})
				for i := range bb.rooms {
					// The first hold the document, others are of other fleets and places.
					text := fmt.Sprintf(`{"equals":{"fleet":"f%d"}}`, i)
					switch {
					case i < bb.matching:
						text = fmt.Sprintf(`{"and":[{"equals":{"fleet":"ours"}},{"range":{"speed":{"gt":-%d}}}]}`, i+1)
					case i%2 == 0:
						text = fmt.Sprintf(`{"geoDistance":{"position":[%d.%03d,%d],"distance":"1km"}}`, i/1000%40, i%1000, 60+i%90)
					}
					join(b, e, text)
				}
				changes := drive(b, does == "drives")
				b.ReportAllocs()
				b.ResetTimer()
				before := processorTime(b)
				for i := range b.N {
					if err := e.Apply(changes[i%len(changes)]); err != nil {
						b.Fatal(err)
					}
				}
				b.StopTimer()
				b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
				if out.messages != bb.matching*b.N {
					b.Errorf("%d messages, want %d", out.messages, bb.matching*b.N)
				}
			})
		}
	}
}

func join(b *testing.B, e *Engine, text string) {
	b.Helper()
	to, err := topics.ParseFilter("fleet/trucks/?"+text, topics.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	f, err := filter.Parse([]byte(to.Room.Filter))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := e.Join("dash", to, f, nil); err != nil {
		b.Fatal(err)
	}
}

// drive returns changes of a document that go round in a circle: each begins where the
// one before ends.
func drive(b *testing.B, moves bool) []*persistence.Change {
	b.Helper()
	const steps = 1000
	docs := make([]*persistence.Document, steps)
	for i := range docs {
		at := 0
		if moves {
			at = min(i, steps-i)
		}
		docs[i] = &persistence.Document{
			Key:  persistence.Key{Index: "fleet", Collection: "trucks", ID: "42"},
			Body: fmt.Appendf(nil, `{"fleet":"ours","speed":%d,"position":[48.1%03d,11.5],"time":%d,"status":"moving"}`, at, at, i), Version: uint64(i + 1), CreatedAt: time.Unix(1, 0),
		}
	}
	changes := make([]*persistence.Change, steps)
	for i := range changes {
		changes[i] = &persistence.Change{Key: docs[0].Key, Action: persistence.Replace, Before: docs[i], After: docs[(i+1)%steps], Seq: uint64(i + 1)}
	}
	for i := range docs {
		docs[i].Seq = uint64(i)
	}
	docs[0].Seq = steps
	return changes
}
