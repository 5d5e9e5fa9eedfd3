package sessions_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// A client comes and goes while documents change: in the end it has seen every
// change in order, but for repeats, and its scope is what is in scope.
func TestAClientThatComesAndGoesMissesNothing(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	n := startNode(t, nil)
	const changes = 4000
	p := n.connect(5, "dash", keepSession)
	p.subscribe(1, everything)
	written := make(chan struct{})
	dev := n.connect(4, "dev", nil)
	go func() {
		defer close(written)
		for i := range changes {
			dev.publish(fmt.Sprintf("fleet/trucks/%d", i%5), fmt.Sprintf(`{"speed":%d,"n":%d}`, 40+10*(i/5%4), i), 1)
			dev.expect(packets.Puback)
		}
	}()
	s := &comer{t: t, scope: map[string]string{}, told: map[string]string{}}
	for s.next < changes {
		for range random.IntN(200) {
			if s.next >= changes {
				break
			}
			s.take(p, random.IntN(10) > 0)
		}
		if random.IntN(2) == 0 {
			p.hangUp() // else it is taken over
		} else {
			go drain(p)
		}
		p = n.connect(5, "dash", keepSession)
		if s.connected++; s.connected > 1 && !s.subscribed {
			s.subscribe(p)
		}
	}
	<-written
	if !s.subscribed {
		s.subscribe(p)
	}
	for id := range 5 {
		topic := fmt.Sprintf("%s%d", scope, id)
		want := string(n.truck(fmt.Sprint(id)).Body)
		if !strings.Contains(want, `"speed":6`) && !strings.Contains(want, `"speed":7`) {
			want = ""
		}
		for s.scope[topic] != want {
			s.take(p, true)
		}
	}
}

// A comer is what the client has seen.
type comer struct {
	t          *testing.T
	next       uint64
	connected  int
	subscribed bool // SUBACK came
	scope      map[string]string
	told       map[string]string // the seq of what is in scope
}

// subscribe subscribes to the scope, and does not wait for the answer, which the end
// of the connection may cut off.
func (s *comer) subscribe(p *peer) {
	s.t.Helper()
	p.send(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: p.nextID(),
		Filters: packets.Subscriptions{{Filter: scope + "+", Qos: 1}},
	})
}

// take takes the next packet.
func (s *comer) take(p *peer, acknowledge bool) {
	s.t.Helper()
	m, err := p.read()
	if err != nil {
		s.t.Fatalf("after seq %d: %v", s.next, err)
	}
	if m.FixedHeader.Type != packets.Publish {
		if m.FixedHeader.Type == packets.Suback {
			// All that is in scope comes behind it. It may be for a second SUBSCRIBE, if the
			// first one's was cut off, and then nobody tells of what has left before.
			s.subscribed, s.scope, s.told = true, map[string]string{}, map[string]string{}
		}
		return
	}
	if acknowledge {
		p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: m.PacketID})
	}
	if m.TopicName != everything {
		// One that was not acknowledged may be sent again behind a later one that was.
		seq := property(m, "seq")
		if told := s.told[m.TopicName]; len(seq) > len(told) || len(seq) == len(told) && seq >= told {
			s.scope[m.TopicName], s.told[m.TopicName] = string(m.Payload), seq
		}
		return
	}
	seq := seqOf(s.t, m)
	if seq > s.next+1 {
		s.t.Fatalf("seq %d comes after seq %d", seq, s.next)
	}
	s.next = max(s.next, seq)
}

// drain reads until the connection has ended.
func drain(p *peer) {
	for {
		if _, err := p.read(); err != nil {
			return
		}
	}
}
