package rooms

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

const (
	// maxScans is how many differences are remembered, those that were asked for last,
	// of so many documents at most.
	maxScans     = 16
	maxScanned   = 100_000
	scanChanges  = 10_000 // beyond so many changes, the collection is read anew
	neverScanned = ^uint64(0)
)

// Difference yields what the view's member is told when he goes over to its filter as
// of a snapshot: that a document enters, of which he was not certainly told that it is in
// scope, or exits, of which he may have been. They are in the order of their ids, and
// read one by one. An error ends it.
func (r *Replay) Difference(s *persistence.Snapshot) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		ids, err := r.differing(s)
		if err != nil {
			yield(nil, fmt.Errorf("rooms: difference of %s: %w", r.to.Text, err))
			return
		}
		for _, id := range ids {
			if r.to.ID != "" && r.to.ID != id {
				continue
			}
			doc, err := s.Get(persistence.Key{Index: r.to.Index, Collection: r.to.Collection, ID: id})
			if errors.Is(err, persistence.ErrNotFound) {
				continue
			}
			var t topics.Transition
			if err == nil {
				t, err = r.view.difference(doc)
			}
			if err != nil {
				yield(nil, fmt.Errorf("rooms: difference of %s: document %s: %w", r.to.Text, id, err))
				return
			}
			if t == 0 {
				continue
			}
			m, err := r.stand(doc, t, s.Seq())
			if err != nil {
				yield(nil, fmt.Errorf("rooms: difference of %s: document %s: %w", r.to.Text, id, err))
				return
			}
			if m != nil && !yield(m, nil) {
				return
			}
		}
	}
}

// difference says what is told of a document, 0 for nothing.
func (v View) difference(doc *persistence.Document) (topics.Transition, error) {
	d, err := Prepare(doc)
	if err != nil {
		return 0, err
	}
	maybe, surely := v.standing(d)
	switch is := holds(v.Filter, d); {
	case is && !surely:
		return topics.Enter, nil
	case maybe && !is:
		return topics.Exit, nil
	}
	return 0, nil
}

// Scans remember of which documents views differ: many members go over from one filter
// to another, and the collection is read for the first of them. Those who come later
// look at what has changed since.
type scans struct {
	mu     sync.Mutex // guards what follows
	byView map[scanned]*scan
	recent []scanned // the last one was asked for last
}

type scanned struct {
	name collectionName
	view string
}

// A scan has the ids of the documents of which a view differs as of a change.
type scan struct {
	mu  sync.Mutex // guards what follows; held while the store is read
	seq uint64     // neverScanned if it has nothing
	ids []string   // sorted; replaced, never written
}

func (s *scans) of(k scanned) *scan {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byView == nil {
		s.byView = map[scanned]*scan{}
	}
	s.recent = append(slices.DeleteFunc(s.recent, func(other scanned) bool { return other == k }), k)
	if s.byView[k] == nil {
		s.byView[k] = &scan{seq: neverScanned}
	}
	if len(s.recent) > maxScans {
		delete(s.byView, s.recent[0])
		s.recent = s.recent[1:]
	}
	return s.byView[k]
}

// differing returns the ids of documents of which the view may differ as of a snapshot,
// sorted: all of those of which it does.
func (r *Replay) differing(s *persistence.Snapshot) ([]string, error) {
	if len(r.view.Earlier) == 0 {
		return nil, nil
	}
	name := collectionName{r.to.Index, r.to.Collection}
	known := r.scans.of(scanned{name, r.view.String()})
	known.mu.Lock()
	defer known.mu.Unlock()
	switch {
	case known.seq == s.Seq():
		return known.ids, nil
	case known.seq == neverScanned || known.seq > s.Seq():
		return known.read(s, name, r.view)
	}
	candidates, ok, err := known.since(s, name)
	if err != nil {
		return nil, err
	}
	if !ok {
		return known.read(s, name, r.view)
	}
	known.seq, known.ids = s.Seq(), candidates
	return candidates, nil
}

// since returns the ids that are known and those of the documents that have changed
// since; not if the change log has too many changes, or not all of them.
func (k *scan) since(s *persistence.Snapshot, name collectionName) (ids []string, ok bool, err error) {
	if s.Lost(name.index, name.collection) > k.seq {
		return nil, false, nil
	}
	changed, n := map[string]bool{}, 0
	for c, err := range s.Changes(k.seq) {
		if errors.Is(err, persistence.ErrTrimmed) {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		if n++; n > scanChanges {
			return nil, false, nil
		}
		if c.Key.Index == name.index && c.Key.Collection == name.collection {
			changed[c.Key.ID] = true
		}
	}
	if len(changed) == 0 {
		return k.ids, true, nil
	}
	for _, id := range k.ids {
		changed[id] = true
	}
	return slices.Sorted(maps.Keys(changed)), len(changed) <= maxScanned, nil
}

// read reads a collection. What it finds is remembered, if that is not too much or
// older than what is known.
func (k *scan) read(s *persistence.Snapshot, name collectionName, v View) ([]string, error) {
	var ids []string
	for doc, err := range s.Documents(name.index, name.collection, "") {
		var t topics.Transition
		if err == nil {
			t, err = v.difference(doc)
		}
		if err != nil {
			return nil, err
		}
		if t != 0 {
			ids = append(ids, doc.Key.ID)
		}
	}
	switch {
	case len(ids) > maxScanned:
		k.seq, k.ids = neverScanned, nil
	case k.seq == neverScanned || k.seq < s.Seq():
		k.seq, k.ids = s.Seq(), ids
	}
	return ids, nil
}

// nothing is the canonical text of the filter that no document matches.
const nothing = `{"nothing":true}`

// Nothing returns the filter that no document matches.
func Nothing() *filter.Filter {
	f, err := filter.Parse([]byte(nothing))
	if err != nil {
		panic(err) // it is a filter
	}
	return f
}

// isNothing says whether a filter is that of [Nothing], or under it as a rule.
func isNothing(f *filter.Filter) bool {
	return f.Own().String() == nothing || f.Rule() != nil && f.Rule().String() == nothing
}
