package filter

// idField is the field that holds a document's id.
const idField = "_id"

// IDs returns the ids of the documents that f can match, if it names them: by ids, or by
// a part of an and that does. A filter of nothing names none.
func (f *Filter) IDs() (ids []string, ok bool) {
	if f.Nothing() {
		return nil, true
	}
	parts, _ := f.root.(and)
	for _, part := range append([]node{f.root}, parts...) {
		m, is := part.(membership)
		if !is || m.field != idField {
			continue
		}
		for _, v := range m.values {
			if id, is := v.(string); is { // no document has another id
				ids = append(ids, id)
			}
		}
		return ids, true
	}
	return nil, false
}

func parseIDs(p *parser, at place, arg any) (node, error) {
	o, err := objectOf(at, arg, form{members: 1, required: []string{"values"}})
	if err != nil {
		return nil, err
	}
	at = at.at("values")
	if err := p.spend(at, 1); err != nil {
		return nil, err
	}
	values, err := p.values(at, o[0].value)
	if err != nil {
		return nil, err
	}
	for _, v := range values {
		if _, ok := v.(string); !ok {
			return nil, at.errorf(`must hold only values of type "string"`)
		}
	}
	return newMembership(idField, values), nil
}
