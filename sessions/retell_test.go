package sessions_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
)

// A client does not read while documents change, and then no more: the last that was told
// of some of them was shed, and that others have left.
func TestAScopeOfWhichMessagesWereShedIsToldAgain(t *testing.T) {
	for _, end := range []string{"reads on", "hangs up", "is taken over", "restart"} {
		t.Run(end, func(t *testing.T) {
			n := startNode(t, func(o *options) { o.QueueBytes, o.WriteTimeout = 4<<10, time.Minute })
			dev := n.connect(4, "dev", nil)
			want := map[string]string{}
			for i := range 20 {
				dev.put(fmt.Sprintf("fleet/trucks/%d", i), `{"speed":60}`)
			}
			p := n.connect(5, "map", keepSession)
			p.subscribe(0, scope+"+")
			known := map[string]string{}
			p.learn(known, `{"seq":20}`)
			storm := func() { // more than the connection takes, and than may wait
				for range 200 {
					dev.put("fleet/trucks/busy", fmt.Sprintf(`{"speed":80,"load":%q}`, strings.Repeat("x", 500)))
				}
			}
			storm()
			for i := range 20 {
				speed := 70
				if i%2 == 1 {
					speed = 10
				} else {
					want[fmt.Sprint(i)] = `{"speed":70}`
				}
				dev.put(fmt.Sprintf("fleet/trucks/%d", i), fmt.Sprintf(`{"speed":%d}`, speed))
			}
			storm()
			dev.put("fleet/trucks/busy", `{"speed":90}`)
			want["busy"] = `{"speed":90}`
			switch end {
			case "hangs up":
				p.hangUp()
				n.absent("map")
				p = n.connect(5, "map", keepSession)
			case "is taken over":
				p = n.connect(5, "map", keepSession)
			case "restart":
				n.restart()
				p = n.connect(5, "map", keepSession)
			}
			for !maps.Equal(known, want) {
				p.learn(known, "")
			}
		})
	}
}

// learn takes the next message of a scope, or all up to one of $synced, as a client that
// knows what documents are by that alone.
func (p *peer) learn(known map[string]string, synced string) {
	p.t.Helper()
	for {
		m := p.publication()
		id, payload := strings.TrimPrefix(m.TopicName, scope), string(m.Payload)
		switch {
		case id == "$synced" && payload == "":
			clear(known)
		case payload == "":
			delete(known, id)
		case id != "$synced":
			known[id] = payload
		}
		if synced == "" || id == "$synced" && payload == synced {
			return
		}
	}
}
