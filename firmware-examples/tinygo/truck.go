// Command tinygo is a truck in Go as TinyGo compiles it for a microcontroller, and Go
// for any other machine: it publishes its position with QoS 1, is told when it drives
// into the depot and out of it, and says so with its next position.
package main

import (
	"strconv"
	"time"
)

// keepAlive is how long the broker waits for the truck to say something.
const keepAlive = 30 * time.Second

// track is where the truck drives, in ten-thousandths of a degree: past the depot.
var track = [...]struct{ lat, lon, speed int }{
	{376350, -1224000, 88}, {376290, -1223920, 80}, {376230, -1223830, 52},
	{376190, -1223752, 3}, {376189, -1223750, 0}, {376150, -1223700, 31},
	{376080, -1223600, 78}, {376010, -1223500, 91},
}

// A truck drives for ever, and signs in again when its connection is lost.
type truck struct {
	client
	name    string
	say     func(string)
	inDepot bool
	body    [96]byte
}

// signIn subscribes to the scope of the room @depot, which an operator has made, with
// this truck's document alone: a body when it has entered, nothing when it has left.
func (t *truck) signIn() error {
	if err := t.connect(t.name, keepAlive); err != nil {
		return err
	}
	return t.subscribe("$scope/fleet/trucks/@depot/" + t.name)
}

func (t *truck) told(_, payload []byte) {
	if now := len(payload) > 0; now != t.inDepot {
		t.inDepot = now
		if now {
			t.say("entered the depot")
		} else {
			t.say("left the depot")
		}
	}
}

func (t *truck) report(i int) error {
	at := track[i%len(track)]
	b := append(t.body[:0], `{"position":{"lat":`...)
	b = appendDegrees(b, at.lat)
	b = append(b, `,"lon":`...)
	b = appendDegrees(b, at.lon)
	b = append(b, `},"speed":`...)
	b = strconv.AppendInt(b, int64(at.speed), 10)
	b = append(b, `,"inDepot":`...)
	b = strconv.AppendBool(b, t.inDepot)
	return t.publish("fleet/trucks/"+t.name, append(b, '}'))
}

// appendDegrees appends ten-thousandths of a degree as degrees.
func appendDegrees(b []byte, n int) []byte {
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	b = append(strconv.AppendInt(b, int64(n/10000), 10), '.')
	for digit := 1000; digit > 0; digit /= 10 {
		b = append(b, byte('0'+n/digit%10))
	}
	return b
}

// drive reports one position after another until the connection is lost, beginning
// with number i, and returns the number of the one that may not have arrived.
func (t *truck) drive(i int, every time.Duration) (int, error) {
	t.onMessage = t.told
	if err := t.signIn(); err != nil {
		return i, err
	}
	t.say("signed in")
	for {
		if err := t.report(i); err != nil {
			return i, err
		}
		i++
		for left := every; left > 0; left -= keepAlive / 3 {
			time.Sleep(min(left, keepAlive/3))
			if err := t.ping(); err != nil { // and take what has come
				return i, err
			}
		}
	}
}
