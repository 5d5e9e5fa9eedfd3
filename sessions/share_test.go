package sessions_test

import (
	"fmt"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/sessions"
)

// takers publishes to each of some topics a few times, and returns by topic who
// of the group has got them: the number of a peer, or -1 if it was not always
// the same.
func takers(t *testing.T, dev *peer, group []*peer, topics int) []int {
	t.Helper()
	const rounds = 4
	type taken struct{ topic, peer int }
	got := make(chan taken)
	for who, p := range group {
		go func() {
			for {
				pk, err := p.read()
				if err != nil || pk.FixedHeader.Type != packets.Publish {
					return
				}
				var topic int
				if _, err := fmt.Sscanf(pk.TopicName, "home/%d", &topic); err != nil {
					return // the last one
				}
				got <- taken{topic, who}
			}
		}()
	}
	whose := make([]int, topics)
	for round := range rounds {
		for topic := range topics {
			dev.publish(fmt.Sprintf("home/%d", topic), "on", 0)
		}
		for range topics {
			g := <-got
			if round > 0 && whose[g.topic] != g.peer {
				whose[g.topic] = -1
				continue
			}
			whose[g.topic] = g.peer
		}
	}
	return whose
}

func TestMessagesOfOneTopicGoToOneMemberOfASharedSubscription(t *testing.T) {
	const topics = 61
	for _, tt := range []struct {
		by    sessions.SharedBy
		split bool
	}{{sessions.InTurn, true}, {sessions.ByTopic, false}, {sessions.ByPublisher, false}} {
		t.Run(string(tt.by), func(t *testing.T) {
			n := startNode(t, func(o *options) { o.SharedBy = tt.by })
			group := make([]*peer, 3)
			for i := range group {
				group[i] = n.connect(5, fmt.Sprint("member", i), nil)
				group[i].subscribe(0, "$share/g/home/#")
			}
			whose := takers(t, n.connect(4, "dev", nil), group, topics)
			members := map[int]int{}
			for _, who := range whose {
				members[who]++
			}
			switch {
			case tt.split != (members[-1] > 0):
				t.Errorf("%d of %d topics have gone to several members", members[-1], topics)
			case tt.by == sessions.ByTopic && len(members) < len(group):
				t.Errorf("some members get nothing: %v", members)
			case tt.by == sessions.ByPublisher && len(members) != 1:
				t.Errorf("one publisher's messages have gone to %d members", len(members))
			}
		})
	}
}

func TestOnlyTheTopicsOfAMemberThatGoesGetAnother(t *testing.T) {
	const topics = 61
	n := startNode(t, func(o *options) { o.SharedBy = sessions.ByTopic })
	dev := n.connect(4, "dev", nil)
	var before []int
	for _, members := range []int{3, 2} {
		group := make([]*peer, members)
		for i := range group {
			group[i] = n.connect(5, fmt.Sprint("member", i), nil)
			group[i].subscribe(0, "$share/g/home/#")
		}
		after := takers(t, dev, group, topics)
		for topic, who := range before {
			if who < 2 && after[topic] != who {
				t.Errorf("topic %d has gone from member %d to %d", topic, who, after[topic])
			}
		}
		before = after
		for i, p := range group {
			p.hangUp()
			n.gone(fmt.Sprint("member", i))
		}
	}
}
