package filter

// IDs returns the ids to which f confines documents: it matches none with
// another id. ok is false if it does not say so by ids, or by _id.
func (f *Filter) IDs() (ids []string, ok bool) {
	members := []node{f.root}
	if all, is := f.root.(and); is {
		members = all
	}
	for _, n := range members {
		m, is := n.(membership)
		if !is || m.field != idField {
			continue
		}
		for _, v := range m.values {
			if id, is := v.(string); is {
				ids = append(ids, id)
			}
		}
		return ids, true
	}
	return nil, false
}

// Scalar returns the string, float64 or bool at a path of d. ok is false if there
// is none, or something else.
func (d *Document) Scalar(path string) (v any, ok bool) {
	at, found := d.lookup(path)
	if !found {
		return nil, false
	}
	switch at.kind() {
	case falseKind, trueKind:
		return at.kind() == trueKind, true
	case numberKind:
		return at.number()
	case stringKind:
		return at.string()
	default:
		return nil, false
	}
}
