package sessions

import (
	"iter"
	"strings"
	"sync/atomic"

	"github.com/mochi-mqtt/server/v2/packets"
)

// A tally counts packets by their type. Whoever has it to himself counts in it, and
// adds it to that of the engine now and then, so that a packet costs next to nothing.
type tally struct {
	packets [16]uint32
	payload int64 // bytes, of PUBLISH
}

// into adds what was counted to a sum, and begins again.
func (t *tally) into(sum *packetCounts) {
	for kind, n := range t.packets {
		if n > 0 {
			sum.of[kind].Add(int64(n))
			t.packets[kind] = 0
		}
	}
	if t.payload > 0 {
		sum.payload.Add(t.payload)
		t.payload = 0
	}
}

// packetCounts are how many packets of each type there were, and how many bytes the
// payloads of PUBLISH had.
type packetCounts struct {
	of      [16]atomic.Int64
	payload atomic.Int64
}

// all yields the types that MQTT has, in lower case, with how many there were.
func (p *packetCounts) all() iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		for kind := packets.Connect; kind <= packets.Auth; kind++ {
			if !yield(strings.ToLower(nameOf(kind)), p.of[kind].Load()) {
				return
			}
		}
	}
}

// codeCounts are how often each reason code was said.
type codeCounts [256]atomic.Int64

// all yields the codes that were said at all.
func (c *codeCounts) all() iter.Seq2[byte, int64] {
	return func(yield func(byte, int64) bool) {
		for code := range c {
			if n := c[code].Load(); n > 0 && !yield(byte(code), n) {
				return
			}
		}
	}
}

// What of a client was refused.
const (
	refusedConnect = iota
	refusedPublish
	refusedSubscribe
	refusals
)

// refusalNames are what Figures calls them.
var refusalNames = [refusals]string{"connect", "publish", "subscribe"}

// How a connection ended.
const (
	endedByServer = iota
	endedByClient
	endings
)

var endingNames = [endings]string{"server", "client"}

// countParting counts how a connection ended.
func (e *Engine) countParting(p *Parting) {
	switch {
	case p.Said:
		e.counts.ended[endedByClient][p.Code].Add(1)
	case p.Why != nil:
		e.counts.ended[endedByServer][p.Why.Code].Add(1)
	default:
		e.counts.lostConnections.Add(1)
	}
}
