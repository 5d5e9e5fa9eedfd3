package filter

// idField is the field that holds a document's id.
const idField = "_id"

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
