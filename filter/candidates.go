package filter

// Candidates returns how many filters Match looks at for d: those that match, and
// those that are found under one condition and refused by the rest. It tells how
// well the conditions are chosen. While filters are changed it is an estimate.
func (m *Matcher[K]) Candidates(d *Document) int {
	s := m.search()
	s.look(&m.index, d)
	n := s.refused + len(m.appendKeys(nil, s.found))
	m.searches.Put(s)
	return n
}
