package filter

// parseBool rewrites bool into and, or and not, as Koncorde does; its errors
// show the rewritten path. Attributes that JavaScript takes for false are as
// good as absent.
func parseBool(p *parser, at place, arg any) (node, error) {
	o, err := objectOf(at, arg, form{nonEmpty: true, allowed: []string{"must", "must_not", "should", "should_not"}})
	if err != nil {
		return nil, err
	}
	all := []any{}
	if v, _ := o.get("must"); truthy(v) {
		if array, ok := v.([]any); ok {
			all = append(all, array...)
		} else {
			all = append(all, v)
		}
	}
	if v, _ := o.get("must_not"); truthy(v) {
		all = append(all, object{{"not", object{{"or", v}}}})
	}
	if v, _ := o.get("should"); truthy(v) {
		all = append(all, object{{"or", v}})
	}
	if v, _ := o.get("should_not"); truthy(v) {
		all = append(all, object{{"not", object{{"and", v}}}})
	}
	return p.condition(at, "and", all)
}

// truthy reports whether JavaScript takes v for true.
func truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case float64:
		return v != 0
	case string:
		return v != ""
	}
	return true
}
