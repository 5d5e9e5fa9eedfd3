package main

import (
	"bytes"
	"math"
	"testing"
	"time"
)

// drive runs a simulation second by second.
func drive(s *simulation, d time.Duration, each func()) {
	for range int(d / time.Second) {
		s.step(time.Second)
		each()
	}
}

func TestTheSameSeedDrivesTheSameWays(t *testing.T) {
	trace := func(seed uint64) []byte {
		var b bytes.Buffer
		s := newSimulation(cities()[0], 20, seed)
		drive(s, 10*time.Minute, func() {
			for _, v := range s.vehicles {
				b.Write(s.document(v))
			}
		})
		return b.Bytes()
	}
	if !bytes.Equal(trace(1), trace(1)) {
		t.Error("seed 1 drives twice in different ways")
	}
	if bytes.Equal(trace(1), trace(2)) {
		t.Error("seeds 1 and 2 drive the same ways")
	}
}

func TestVehiclesMoveAsVehiclesDo(t *testing.T) {
	for _, c := range cities() {
		t.Run(c.name, func(t *testing.T) {
			s := newSimulation(c, 50, 1)
			before := map[string]vehicle{}
			states := map[string]bool{}
			drive(s, time.Hour, func() {
				for _, v := range s.vehicles {
					was, known := before[v.id]
					before[v.id] = *v
					states[v.state] = true
					if !known {
						continue
					}
					if moved := was.pos.distance(v.pos); moved > was.speed/3.6+0.01 {
						t.Fatalf("%s moved %.1f m in a second at %.0f km/h", v.id, moved, was.speed)
					}
					if v.speed-was.speed > acceleration+0.01 || v.speed > outerLimit*1.25+0.01 || v.speed < 0 {
						t.Fatalf("%s drives %.1f km/h after %.1f", v.id, v.speed, was.speed)
					}
					if v.pos.distance(point{}) > 20_000 || v.battery < 0 || v.battery > 100 {
						t.Fatalf("%s is out of its mind: %+v", v.id, v)
					}
				}
			})
			for _, state := range []string{"driving", "waiting", "loading", "delivering"} {
				if !states[state] {
					t.Errorf("in an hour nobody was %s", state)
				}
			}
		})
	}
}

func TestEveryFencedPlaceIsEnteredAndLeft(t *testing.T) {
	for _, c := range cities() {
		t.Run(c.name, func(t *testing.T) {
			s := newSimulation(c, 50, 1)
			for _, name := range []string{airport, harbour, oldTown} {
				at := c.point(c.place(name).at)
				entered, left, fast := 0, 0, false
				inside := map[string]bool{}
				drive(s, 30*time.Minute, func() {
					for _, v := range s.vehicles {
						in := v.pos.distance(at) < oldTownMeters
						switch {
						case in && !inside[v.id]:
							entered++
						case !in && inside[v.id]:
							left++
						}
						inside[v.id] = in
						fast = fast || in && math.Round(v.speed) > oldTownLimit
					}
				})
				if entered == 0 || left == 0 || !fast {
					t.Errorf("%s: %d entered, %d left, fast there: %v", name, entered, left, fast)
				}
			}
		})
	}
}
