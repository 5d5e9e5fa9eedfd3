package main

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// How the simulated vehicles drive. Speeds are in km/h.
const (
	oldTownMeters = 900
	oldTownLimit  = 30
	innerMeters   = 3500
	innerLimit    = 50
	outerLimit    = 80
	turnSpeed     = 18.0
	acceleration  = 6.0 // km/h per second, braking too
	blockMeters   = 150 // streets are not closer than that
)

// A simulation moves a fleet around a city. The same city, number and seed
// always give the same drives.
type simulation struct {
	city     city
	rand     *rand.Rand
	oldTown  point
	vehicles []*vehicle
}

// A vehicle delivers parcels.
type vehicle struct {
	id      string
	pos     point
	route   []point // the corners that lie ahead; the last is the destination
	to      place
	style   float64 // how the driver sees a speed limit: 0.9 to 1.25 of it
	speed   float64 // km/h
	heading float64 // degrees from north
	wait    int     // seconds that it stands still
	state   string  // driving, waiting, loading, delivering, charging
	parcels int
	battery float64 // percent
}

// A report is the document of a vehicle.
type report struct {
	Position    degrees `json:"position"`
	Speed       int     `json:"speed"`
	Heading     int     `json:"heading"`
	State       string  `json:"state"`
	Destination string  `json:"destination"`
	Parcels     int     `json:"parcels"`
	Battery     int     `json:"battery"`
}

func newSimulation(c city, vehicles int, seed uint64) *simulation {
	s := &simulation{city: c, rand: rand.New(rand.NewPCG(seed, 0)), oldTown: c.point(c.place(oldTown).at)}
	for i := range vehicles {
		v := &vehicle{
			id:      fmt.Sprintf("truck-%02d", i+1),
			to:      c.places[s.rand.IntN(len(c.places))],
			style:   0.9 + 0.35*s.rand.Float64(),
			parcels: s.rand.IntN(12),
			battery: 30 + 70*s.rand.Float64(),
		}
		v.pos = s.near(v.to)
		s.depart(v)
		s.vehicles = append(s.vehicles, v)
	}
	return s
}

// step moves all vehicles on.
func (s *simulation) step(d time.Duration) {
	for range int(d / time.Second) {
		for _, v := range s.vehicles {
			s.second(v)
		}
	}
}

// second moves one vehicle on by a second.
func (s *simulation) second(v *vehicle) {
	if v.wait > 0 {
		s.stand(v)
		return
	}
	v.state = "driving"
	meters := v.speed / 3.6
	for meters > 0 && len(v.route) > 0 {
		ahead := v.pos.distance(v.route[0])
		if ahead > meters {
			v.pos = toward(v.pos, v.route[0], meters/ahead)
			break
		}
		meters -= ahead
		v.pos, v.route = v.route[0], v.route[1:]
		if s.corner(v) {
			return
		}
	}
	v.battery = max(0, v.battery-v.speed/3.6*0.0004) // 250 km with one charge
	v.heading = bearing(v.pos, v.route[0])
	wanted := min(v.speed+acceleration, s.limit(v.pos)*v.style, brakingSpeed(v.pos.distance(v.route[0])))
	v.speed = max(wanted, v.speed-2*acceleration)
}

// corner is passed with the route that is left. It says whether the vehicle
// stops there.
func (s *simulation) corner(v *vehicle) bool {
	switch {
	case len(v.route) == 0:
		v.speed = 0
		s.arrive(v)
	case s.rand.Float64() < 0.3: // a red light
		v.speed, v.wait, v.state = 0, 5+s.rand.IntN(25), "waiting"
	}
	return v.wait > 0
}

// arrive decides what the vehicle does at its destination.
func (s *simulation) arrive(v *vehicle) {
	switch {
	case v.to.supplies && v.battery < 40:
		v.state, v.wait = "charging", int((90-v.battery)/0.25)
	case v.to.supplies:
		v.state, v.wait = "loading", 60+s.rand.IntN(120)
	default:
		v.state, v.wait = "delivering", 30+s.rand.IntN(60)
	}
}

// stand lets a second pass for a vehicle that does not move.
func (s *simulation) stand(v *vehicle) {
	v.wait--
	if v.state == "charging" {
		v.battery = min(100, v.battery+0.25)
	}
	if v.wait > 0 || len(v.route) > 0 {
		return
	}
	switch v.state {
	case "loading", "charging":
		v.parcels = 6 + s.rand.IntN(10)
	case "delivering":
		v.parcels = max(0, v.parcels-1-s.rand.IntN(3))
	}
	s.depart(v)
}

// depart chooses the next destination, and a way there.
func (s *simulation) depart(v *vehicle) {
	supplies := v.parcels == 0 || v.battery < 25
	var choice []place
	for _, p := range s.city.places {
		if p.name != v.to.name && (p.supplies || !supplies) {
			choice = append(choice, p)
		}
	}
	v.to = choice[s.rand.IntN(len(choice))]
	v.route = s.route(v.pos, s.near(v.to))
	v.state = "driving"
}

// near returns a point in the streets around a place.
func (s *simulation) near(p place) point {
	at, r, angle := s.city.point(p.at), 100+500*s.rand.Float64(), 2*math.Pi*s.rand.Float64()
	return point{at.x + r*math.Cos(angle), at.y + r*math.Sin(angle)}
}

// route returns the corners of a way along the streets of the grid: in two to
// five pieces, each with one turn.
func (s *simulation) route(from, to point) []point {
	sin, cos := math.Sincos(s.city.grid)
	along := (to.x-from.x)*cos + (to.y-from.y)*sin
	across := (to.y-from.y)*cos - (to.x-from.x)*sin
	pieces := 2 + s.rand.IntN(4)
	for pieces > 1 && (math.Abs(along)+math.Abs(across))/float64(pieces) < 2*blockMeters {
		pieces--
	}
	var corners []point
	at := from
	for range pieces {
		dx, dy := along/float64(pieces), across/float64(pieces)
		turn := point{at.x + dx*cos, at.y + dx*sin}
		at = point{turn.x - dy*sin, turn.y + dy*cos}
		corners = append(corners, turn, at)
	}
	corners[len(corners)-1] = to // without what rounding has added
	return corners
}

// limit returns the speed limit at a point.
func (s *simulation) limit(p point) float64 {
	switch {
	case p.distance(s.oldTown) < oldTownMeters:
		return oldTownLimit
	case p.distance(point{}) < innerMeters:
		return innerLimit
	default:
		return outerLimit
	}
}

// brakingSpeed returns the speed from which a vehicle can slow down for a
// corner that is so many metres ahead.
func brakingSpeed(meters float64) float64 {
	const a = acceleration / 3.6
	return 3.6 * math.Sqrt(turnSpeed*turnSpeed/3.6/3.6+2*a*meters)
}

func toward(p, q point, part float64) point {
	return point{p.x + (q.x-p.x)*part, p.y + (q.y-p.y)*part}
}

func bearing(p, q point) float64 {
	return math.Mod(math.Atan2(q.x-p.x, q.y-p.y)*180/math.Pi+360, 360)
}

// document returns the JSON that a vehicle publishes.
func (s *simulation) document(v *vehicle) []byte {
	body, _ := json.Marshal(report{ // it has nothing that JSON does not
		Position:    s.city.degrees(v.pos),
		Speed:       int(math.Round(v.speed)),
		Heading:     int(math.Round(v.heading)) % 360,
		State:       v.state,
		Destination: v.to.name,
		Parcels:     v.parcels,
		Battery:     int(v.battery),
	})
	return body
}
