package filter

import "github.com/ambitmq/ambit/geofilter"

// A Neighbour is a document by whose position, at a path, others are found.
type Neighbour struct{ ID, Path string }

// A Position is where a document is, if it is known. The zero value is nowhere.
type Position struct {
	point geofilter.Point
	known bool
}

// Position returns where d is by the geopoint at a path.
func (d *Document) Position(path string) Position {
	if v, ok := d.lookup(path); ok {
		point, known := v.geopoint()
		return Position{point, known}
	}
	return Position{}
}

// Neighbours returns the documents that near names in the filter, each once.
func (f *Filter) Neighbours() []Neighbour {
	seen := map[Neighbour]bool{}
	var all []Neighbour
	for m := range momentsOf(f.root) {
		if n, ok := m.(nearness); ok && !seen[n.neighbour()] {
			seen[n.neighbour()] = true
			all = append(all, n.neighbour())
		}
	}
	return all
}

// nearness matches documents whose field is a geopoint within a distance of
// where another document has its own.
type nearness struct {
	field    string
	id       string
	distance geofilter.Meters
}

func (n nearness) match(d *Document) bool {
	v, ok := d.lookup(n.field)
	return ok && n.holds(v)
}

func (n nearness) path() string         { return n.field }
func (n nearness) neighbour() Neighbour { return Neighbour{ID: n.id, Path: n.field} }

func (n nearness) holds(v value) bool {
	point, ok := v.geopoint()
	other, known := v.d.whereIs(n.neighbour())
	return ok && known && geofilter.Circle{Center: other, Radius: n.distance}.Contains(point)
}

func (n nearness) evidence(e *Explanation, d *Document) {
	if other, known := d.whereIs(n.neighbour()); known {
		e.Other = append(appendPoint([]byte{'{'}, other), '}')
	}
}

func (n nearness) appendText(b []byte) []byte {
	b = append(appendOpen(b, "near", n.field), `{"id":`...)
	b = append(appendString(b, n.id), `,"distance":`...)
	return append(appendNumber(b, float64(n.distance)), "}}}"...)
}

// whereIs returns where another document is. d itself is not another.
func (d *Document) whereIs(n Neighbour) (geofilter.Point, bool) {
	if d.where == nil {
		return geofilter.Point{}, false
	}
	other := d.where(n)
	if id, ok := d.lookup("_id"); ok && id.is(n.ID) {
		return geofilter.Point{}, false
	}
	return other.point, other.known
}

// nearCost is what a near costs: every document is compared with the one that it
// names.
const nearCost = 10

func parseNear(p *parser, at place, arg any) (node, error) {
	m, err := p.field(at, arg)
	if err != nil {
		return nil, err
	}
	if err := p.spend(at, nearCost-1); err != nil {
		return nil, err
	}
	at = at.at(m.name)
	o, err := objectOf(at, m.value, form{members: 2, required: []string{"id", "distance"}})
	if err != nil {
		return nil, err
	}
	v, _ := o.get("id")
	id, err := stringOf(at.at("id"), v)
	if err != nil {
		return nil, err
	}
	v, _ = o.get("distance")
	distance, err := distanceOf(at.at("distance"), v)
	if err != nil {
		return nil, err
	}
	return nearness{m.name, id, distance}, nil
}
