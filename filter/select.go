package filter

import "math"

// selection matches documents whose field is an array with an element at an
// index that matches a query. The query sees the element as the field value.
type selection struct {
	field string
	index float64 // a whole number; negative ones count from the end
	query node    // canonical
}

func (n selection) match(d *Document) bool {
	v, ok := d.lookup(n.field)
	return ok && n.holds(v)
}

func (n selection) path() string { return n.field }

func (n selection) holds(v value) bool {
	array := v.elements()
	i := n.index
	if i < 0 {
		i += float64(len(array))
	}
	if i < 0 || i >= float64(len(array)) {
		return false
	}
	return n.query.match(documentOf(object{{"value", array[int(i)].decoded()}}))
}

func (n selection) appendText(b []byte) []byte {
	b = appendString(append(b, `{"select":{"field":`...), n.field)
	b = appendNumber(append(b, `,"index":`...), n.index)
	b = append(b, `,"query":`...)
	if n.query == node(constant(true)) {
		b = append(b, `{"not":{"nothing":true}}`...) // a query must not be empty
	} else {
		b = n.query.appendText(b)
	}
	return append(b, "}}"...)
}

func parseSelect(p *parser, at place, arg any) (node, error) {
	o, err := objectOf(at, arg, form{members: 3})
	if err != nil {
		return nil, err
	}
	if err := p.spend(at, 1); err != nil {
		return nil, err
	}
	v, _ := o.get("field")
	field, err := stringOf(at.at("field"), v)
	if err != nil {
		return nil, err
	}
	v, _ = o.get("index")
	index, err := integerOf(at.at("index"), v)
	if err != nil {
		return nil, err
	}
	v, _ = o.get("query")
	query, err := objectOf(at.at("query"), v, form{nonEmpty: true})
	if err != nil {
		return nil, err
	}
	n, err := p.filter(at.at("query"), query)
	if err != nil {
		return nil, err
	}
	for range momentsOf(n) {
		return nil, at.at("query").errorf("changed, crossed and near are about documents, not about elements")
	}
	// Without factors, as those might make the whole too deep.
	form, err := (&former{limit: p.lim.steps()}).form(n)
	if err != nil {
		return nil, err
	}
	return selection{field, index, form.tree()}, nil
}

func integerOf(at place, v any) (float64, error) {
	n, ok := v.(float64)
	if !ok {
		return 0, at.errorf("must be an integer")
	}
	if math.Floor(n) != n {
		return 0, at.errorf("cannot have decimals, must be an integer")
	}
	return n, nil
}
