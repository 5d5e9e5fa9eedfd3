package filter

import (
	"slices"
	"unsafe"
)

// Changes are what a new version of a document means for the keys of a Matcher:
// those whose filters match it and did not match the version before, those that
// match both, and those that matched only the version before. None of the lists
// has an order.
type Changes[K comparable] struct {
	Entered, Stayed, Exited []K
	// Candidates is how many filters were looked at for the new version. While filters
	// are changed it is an estimate.
	Candidates int
}

// patience is how often changes of the filters may disturb an update. Then it
// has them wait.
const patience = 8

// Update sets c to what the version after of a document changes. after is nil
// if the document was deleted. What before returns is the version before it, or
// nil if there was none; it is called at most once, and not at all if s knows
// enough about that version. s, which may be nil, must be what Update made of
// that version, or remember nothing; now it remembers after. When before fails,
// Update fails with its error, and s and c are of no use.
//
// The answer depends on the two versions and the filters alone. The filters are
// those that Match would see; a key whose filter is replaced meanwhile is in at
// most one list, for its new filter or for both. Update may run concurrently as
// Match may. It takes no lock, unless so many filters are added meanwhile that
// it would never end.
//
// Fields that did not change cost next to nothing, and only filters that read
// one that did are evaluated. Momentary filters have no standing: for them there
// is Match.
func (m *Matcher[K]) Update(c *Changes[K], s *Standing, before func() (*Document, error), after *Document) error {
	look := m.search()
	defer m.searches.Put(look)
	if s == nil {
		s = new(Standing)
	}
	v := version{read: before}
	for i := 0; ; i++ {
		if i == patience {
			m.mu.Lock()
			defer m.mu.Unlock()
		}
		if done, err := m.update(c, s, look, &v, after); done || err != nil {
			if c.Candidates = 0; after != nil {
				c.Candidates = look.refused + len(look.found)
			}
			m.sample(look, after)
			return err
		}
	}
}

// A version is a document that is read when it is needed.
type version struct {
	read  func() (*Document, error)
	known bool
	d     *Document
}

func (v *version) document() (*Document, error) {
	if v.known {
		return v.d, nil
	}
	d, err := v.read()
	v.d, v.known = d, err == nil
	return v.d, err
}

// update is Update, unless it is disturbed by changes of the filters.
func (m *Matcher[K]) update(c *Changes[K], st *Standing, s *search, before *version, after *Document) (bool, error) {
	x, since := &m.index, m.settled()
	s.next.Reset()
	s.next.rekeyed, s.unread, s.kept = m.keys.changes.Load(), false, s.kept[:0]
	s.next.index, s.next.generation, s.next.added = x, x.generation.Load(), m.added.done.Load()
	advanced := false
	if st.index == x && st.generation == s.next.generation && s.next.added-st.added <= recent {
		var err error
		if advanced, err = m.advance(s, st, before, after); err != nil {
			return false, err
		}
	}
	if !advanced {
		if err := m.compare(s, before, after); err != nil {
			return false, err
		}
	}
	for again := true; again; {
		if !advanced || !m.recall(c, st, s) {
			m.tell(c, s)
		}
		var ok bool
		if again, ok = m.forgetNew(s); !ok {
			return false, nil
		}
	}
	if x.generation.Load() != s.next.generation {
		return false, nil // as for Match
	}
	if done, err := m.mendChanges(c, since, before, after); !done || err != nil {
		return false, err
	}
	if after == nil {
		st.Reset()
	} else {
		m.remember(st, s, c, advanced)
	}
	return true, nil
}

// remember makes st remember the version after.
func (m *Matcher[K]) remember(st *Standing, s *search, c *Changes[K], advanced bool) {
	same := advanced && st.rekeyed == s.next.rekeyed && slices.Equal(s.is, st.inside)
	if st.set(&s.next, s.unread); same {
		return
	}
	st.setInside(s.is)
	keys, ok := st.keys.(*[]K)
	if !ok {
		keys = new([]K)
		st.keys = keys
	}
	*keys = append(append((*keys)[:0], c.Entered...), c.Stayed...)
	st.keysBytes = cap(*keys) * int(unsafe.Sizeof(*new(K)))
}

// recall sets c to the keys that st remembers, if all of its filters stayed, and
// no other did.
func (m *Matcher[K]) recall(c *Changes[K], st *Standing, s *search) bool {
	keys, ok := st.keys.(*[]K)
	if !ok || st.rekeyed != s.next.rekeyed || !slices.Equal(s.was, st.inside) || !slices.Equal(s.is, st.inside) {
		return false
	}
	c.Entered, c.Stayed, c.Exited = c.Entered[:0], append(c.Stayed[:0], *keys...), c.Exited[:0]
	return true
}

// compare finds the filters that match either version, without a standing.
func (m *Matcher[K]) compare(s *search, before *version, after *Document) error {
	d, err := before.document()
	if err != nil {
		return err
	}
	s.was, s.is, s.unread = nil, nil, false
	if d != nil {
		s.look(&m.index, d)
		s.room.was = append(s.room.was[:0], unique(s.found)...)
		s.was = s.room.was
	}
	if after != nil {
		s.begin(&m.index, after)
		s.next.forget()
		s.rememberAll()
		s.track(everything)
		s.is = unique(s.found)
	}
	return nil
}

// advance finds them by what st remembers. It fails if that is too old.
func (m *Matcher[K]) advance(s *search, st *Standing, before *version, after *Document) (bool, error) {
	x := &m.index
	changed := everything
	s.was, s.is = st.inside, nil
	if after != nil {
		s.begin(x, after)
		changed = s.changes(st)
		s.is = st.inside
	}
	if after != nil && x.reads.meets(changed) {
		s.was, s.is = s.affected(st, changed)
	} else if s.unread = true; after != nil && st.rekeyed != s.next.rekeyed {
		// What is forgotten here may come again, as an addition.
		s.was = s.subscribed(st.inside)
		s.is = s.was
	}
	if changed != 0 {
		changed |= anyPlace // a filter that was added is not in any trail
	}
	if st.opened != s.next.opened {
		changed = everything // nor a field that was opened in values
	}
	for n := st.added + 1; n <= s.next.added; n++ {
		a := m.added.at(n)
		if a == nil {
			return false, nil
		}
		if _, known := slices.BinarySearch(st.inside, a.entry); known || x.entries.at(a.entry).load()&subscribed == 0 {
			continue
		}
		if err := m.addTo(s, a, changed, before, after); err != nil {
			return false, err
		}
	}
	return true, nil
}

// affected finds, of the filters that matched before, those that are there
// still, and those that match now: by a search of those that read what changed.
func (s *search) affected(st *Standing, changed reading) (was, is []uint32) {
	was, rest := s.room.was[:0], s.room.rest[:0]
	for i, id := range st.inside {
		if st.rekeyed != s.next.rekeyed && s.x.entries.at(id).load()&subscribed == 0 {
			continue
		}
		was = append(was, id)
		if st.reads[i]&changed == 0 {
			rest = append(rest, id)
		}
	}
	for _, t := range s.kept {
		s.next.keep(st, t)
	}
	s.resolve()
	s.track(changed)
	s.room.was, s.room.rest = was, rest
	s.room.is = union(s.room.is[:0], rest, unique(s.found))
	return was, s.room.is
}

// subscribed returns those of some filters that are there still.
func (s *search) subscribed(filters []uint32) []uint32 {
	s.room.was = s.room.was[:0]
	for _, id := range filters {
		if s.x.entries.at(id).load()&subscribed != 0 {
			s.room.was = append(s.room.was, id)
		}
	}
	return s.room.was
}

// union appends the numbers of two sorted lists, each once.
func union(dst, a, b []uint32) []uint32 {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			dst, a = append(dst, a[0]), a[1:]
		case a[0] > b[0]:
			dst, b = append(dst, b[0]), b[1:]
		default:
			dst, a, b = append(dst, a[0]), a[1:], b[1:]
		}
	}
	return append(append(dst, a...), b...)
}

// addTo makes the filters that matched and match right about one that came
// since.
func (m *Matcher[K]) addTo(s *search, a *addition, changed reading, before *version, after *Document) error {
	matches := after != nil && a.filter.Match(after)
	matched := matches
	if m.index.entries.at(a.entry).reads.meets(changed) {
		d, err := before.document()
		if err != nil {
			return err
		}
		matched = d != nil && a.filter.Match(d)
	}
	if matched {
		s.was = insert(s.was, a.entry)
	}
	if matches {
		s.is = insert(s.is, a.entry)
	}
	return nil
}

// forgetNew removes the filters that were added since the update began, of
// which it may have found one half. It reports whether there were any, and fails
// if it cannot know.
func (m *Matcher[K]) forgetNew(s *search) (any, ok bool) {
	for n := s.next.added + 1; n <= m.added.begun.Load(); n++ {
		a := m.added.at(n)
		if a == nil {
			return false, false
		}
		var was, is bool
		s.was, was = without(s.was, a.entry)
		s.is, is = without(s.is, a.entry)
		any = any || was || is
	}
	return any, true
}

// without removes a number from a sorted list, which it does not write to.
func without(list []uint32, number uint32) ([]uint32, bool) {
	i, found := slices.BinarySearch(list, number)
	if found {
		list = slices.Concat(list[:i], list[i+1:])
	}
	return list, found
}

// tell sets c to the keys of the filters that matched and that match.
func (m *Matcher[K]) tell(c *Changes[K], s *search) {
	all := &s.room.changes
	all.Entered, all.Stayed, all.Exited = all.Entered[:0], all.Stayed[:0], all.Exited[:0]
	was, is := s.was, s.is
	for len(was) > 0 && len(is) > 0 {
		switch {
		case was[0] < is[0]:
			all.Exited, was = append(all.Exited, was[0]), was[1:]
		case was[0] > is[0]:
			all.Entered, is = append(all.Entered, is[0]), is[1:]
		default:
			all.Stayed, was, is = append(all.Stayed, is[0]), was[1:], is[1:]
		}
	}
	all.Exited, all.Entered = append(all.Exited, was...), append(all.Entered, is...)
	c.Entered = m.appendKeys(c.Entered[:0], all.Entered)
	c.Stayed = m.appendKeys(c.Stayed[:0], all.Stayed)
	c.Exited = m.appendKeys(c.Exited[:0], all.Exited)
}

// mendChanges makes c right about the keys whose filter was replaced since a
// number. It fails if there were too many.
func (m *Matcher[K]) mendChanges(c *Changes[K], since uint64, before *version, after *Document) (bool, error) {
	r := m.last.Load()
	if r == nil || r.number == since {
		return true, nil
	}
	newest, oldest := map[K]*Filter{}, r.number
	for ; r != nil && r.number > since; r = r.previous {
		oldest = r.number
		if _, ok := newest[r.key]; !ok {
			newest[r.key] = r.filter
		}
	}
	if oldest != since+1 {
		return false, nil
	}
	d, err := before.document()
	if err != nil {
		return false, err
	}
	for _, list := range []*[]K{&c.Entered, &c.Stayed, &c.Exited} {
		*list = slices.DeleteFunc(*list, func(k K) bool { return newest[k] != nil })
	}
	for k, f := range newest {
		matched, matches := d != nil && f.Match(d), after != nil && f.Match(after)
		switch {
		case matched && matches:
			c.Stayed = append(c.Stayed, k)
		case matched:
			c.Exited = append(c.Exited, k)
		case matches:
			c.Entered = append(c.Entered, k)
		}
	}
	return true, nil
}
