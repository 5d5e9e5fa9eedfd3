package filter

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
