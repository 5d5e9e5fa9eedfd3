package sdk

import (
	"slices"
	"testing"
)

// A page that was asked for before a gap was told of is read before what closes the gap. What is told
// while that is read comes behind it.
func TestWhatIsToldWhileAGapIsClosedIsCounted(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake, c client) {
		t.Helper()
		topic := observes(t, f, c, page(3, 1, "1", "a"))
		paged := background(t, c, step{Next: "o", Times: 2})
		first := f.asked()
		f.publish(topic, map[string]any{"type": "gap", "from": 1, "to": 5})
		f.answer(first, page(3, 5, "2", "b"))
		for closed := false; !closed; {
			r := f.asked()
			if r.Cursor != "" {
				f.answer(r, page(3, 6, "", "c"))
				continue
			}
			f.publish(topic, entered(8, "d"))
			f.answer(r, page(4, 7, "", "a", "b", "c", "f"))
			closed = true
		}
		paged()
		if s, ok := c.board().await("o", func(s state) bool { return slices.Contains(s.Told, "change f {}") }); !ok {
			t.Fatalf("it is told %q", s.Told)
		}
		f.publish(topic, entered(9, "e")) // behind which everything was applied
		s, ok := c.board().await("o", func(s state) bool { return s.Total == 6 && len(s.Hits) == 6 })
		if !ok {
			t.Errorf("of 6 documents %d are counted, and %d are there: %q", s.Total, len(s.Hits), s.Told)
		}
	})
}
