package filter

// A kindSet holds kinds of JSON values.
type kindSet uint8

// anyKind is every kind.
const anyKind = kindSet(1<<(objectKind+1) - 1)

func only(k kind) kindSet { return 1 << k }

func (s kindSet) has(k kind) bool { return s&only(k) != 0 }

// kindsOf returns what a field may be of which a condition holds.
func kindsOf(l leaf) kindSet {
	switch n := l.(type) {
	case membership:
		var kinds kindSet
		for _, v := range n.values {
			kinds |= only(kindOf(v))
		}
		return kinds
	case between:
		return only(numberKind)
	case pattern, substring, subnet, timing:
		return only(stringKind)
	case element, selection:
		return only(arrayKind)
	case geo:
		return only(stringKind) | only(arrayKind) | only(objectKind)
	case containment:
		return only(kindOf(n.pattern))
	}
	return anyKind
}

// kindOf returns the kind of a JSON value of a filter.
func kindOf(v any) kind {
	switch v := v.(type) {
	case bool:
		if v {
			return trueKind
		}
		return falseKind
	case float64:
		return numberKind
	case string:
		return stringKind
	case []any:
		return arrayKind
	case object:
		return objectKind
	default:
		return nullKind
	}
}

// needsField reports whether a condition never holds of a document without the
// field. Of changes it may.
func needsField(l leaf) bool {
	_, ok := l.(moment)
	return !ok
}
