package sessions_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

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

// turnsOf publishes messages one after the other, and returns how many of them
// each of a group has got.
func turnsOf(t *testing.T, dev *peer, group []*peer, messages int) []int {
	t.Helper()
	got := make(chan int)
	for who, p := range group {
		go func() {
			for {
				pk, err := p.read()
				if err != nil || pk.FixedHeader.Type != packets.Publish {
					return
				}
				if pk.FixedHeader.Qos > 0 {
					p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: pk.PacketID})
				}
				got <- who
			}
		}()
	}
	counts := make([]int, len(group))
	late := time.NewTimer(deadline)
	defer late.Stop()
	for i := range messages {
		dev.put("home/lamp", strings.Repeat("x", 200))
		select {
		case who := <-got:
			counts[who]++
		case <-late.C:
			t.Fatalf("message %d of %d has come to none of those who take any", i, messages)
		}
	}
	return counts
}

func TestTurnsAreEvenBesideMembersThatAreAway(t *testing.T) {
	n := startNode(t, nil)
	members := make([]*peer, 5)
	for i := range members {
		members[i] = n.connect(5, fmt.Sprint("member", i), keepSession)
		members[i].subscribe(1, "$share/g/home/#")
	}
	for i, p := range members[:3] {
		p.hangUp()
		n.absent(fmt.Sprint("member", i))
	}
	counts := turnsOf(t, n.connect(4, "dev", nil), members[3:], 40)
	if counts[0] != counts[1] {
		t.Errorf("two members have got %v of 40 messages", counts)
	}
}

// A worker that allows one message at a time is busy with it: another one waits
// for nobody.
func TestAMemberWhoseWindowIsFullIsPassedOver(t *testing.T) {
	n := startNode(t, nil)
	busy := n.connect(5, "busy", func(pk *packets.Packet) { pk.Properties.ReceiveMaximum = 1 })
	busy.subscribe(1, "$share/g/home/#")
	dev := n.connect(4, "dev", nil)
	dev.put("home/lamp", "on")
	work := busy.expect(packets.Publish)
	free := n.connect(5, "free", nil)
	free.subscribe(1, "$share/g/home/#")
	turnsOf(t, dev, []*peer{free}, 10)
	busy.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: work.PacketID})
	busy.quiet()
}

// What is on its way to a worker through the store counts, too.
func TestAMemberWhoseWindowWillBeFullIsPassedOver(t *testing.T) {
	for _, connect := range []func(*packets.Packet){nil, keepSession} {
		n := startNode(t, nil)
		busy := n.connect(5, "busy", func(pk *packets.Packet) {
			keepSession(pk)
			pk.Properties.ReceiveMaximum = 1
		})
		busy.subscribe(1, "$share/g/home/#")
		free := n.connect(5, "free", connect)
		free.subscribe(1, "$share/g/home/#")
		dev := n.connect(4, "dev", nil)
		release := n.hold()
		const total = 20
		for range total {
			dev.publish("home/lamp", "on", 1)
		}
		waitFor(t, "the publishes to be read", func() bool { return n.session("dev").Pending() == total })
		release()
		busy.expect(packets.Publish)
		for range total - 1 {
			free.message("home/lamp")
		}
		free.quiet()
	}
}

// What was to go to a member that is gone when its turn in the pipeline comes goes to
// another one.
func TestAMessageForAMemberThatHasGoneGoesToAnother(t *testing.T) {
	n := startNode(t, nil)
	gone := n.connect(5, "gone", nil)
	gone.subscribe(1, "$share/g/home/#")
	kept := n.connect(5, "kept", keepSession)
	kept.subscribe(1, "$share/g/home/#")
	kept.hangUp()
	n.absent("kept")
	dev := n.connect(4, "dev", nil)
	release := n.hold()
	dev.publish("home/lamp", "on", 1)
	waitFor(t, "the publish to be read", func() bool { return n.session("dev").Pending() == 1 })
	n.engine.TakeTurn("gone", t)
	gone.hangUp()
	n.offline("gone")
	release()
	dev.expect(packets.Puback)
	n.engine.GiveTurn(t)
	kept = n.connect(5, "kept", keepSession)
	kept.message("home/lamp")
}

func TestAMemberThatStallsIsPassedOverAndNotDisconnected(t *testing.T) {
	n := startNode(t, func(o *options) { o.QueueBytes = 4 << 10 })
	stalled := n.connect(5, "stalled", nil)
	stalled.subscribe(1, "$share/g/home/#")
	dev := n.connect(4, "dev", nil)
	s := n.session("stalled")
	for s.Bytes() < 4<<10-300 { // until there is no room for another one
		dev.put("home/lamp", strings.Repeat("x", 200))
	}
	free := n.connect(5, "free", nil)
	free.subscribe(1, "$share/g/home/#")
	turnsOf(t, dev, []*peer{free}, 20)
	if !s.Online() {
		t.Error("the member that stalls was disconnected")
	}
}

// A session that is in so many groups gets a message so many times, and each of them is one
// of its own in the store.
func TestASessionMayBeInHundredsOfGroups(t *testing.T) {
	const groups = 300
	n, qos := startNode(t, nil), byte(2)
	p := n.connect(5, "worker", keepSession)
	p.subscribe(qos, "jobs/1") // which is one more
	for i := range groups {
		p.subscribe(qos, fmt.Sprintf("$share/g%d/jobs/#", i))
	}
	p.hangUp()
	n.absent("worker")
	n.connect(5, "dev", nil).put("jobs/1", "go")
	n.restart()
	p = n.dial(5)
	p.connect("worker", keepSession)
	ids := map[uint16]bool{}
	for range groups + 1 {
		ids[p.message("jobs/1").PacketID] = true
	}
	for _, step := range []struct{ say, hear byte }{{packets.Pubrec, packets.Pubrel}, {packets.Pubcomp, 0}} {
		for id := range ids {
			p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: step.say}, PacketID: id})
		}
		for range ids {
			if step.hear != 0 && !ids[p.expect(step.hear).PacketID] {
				t.Fatal("PUBREL of another message")
			}
		}
	}
	if len(ids) != groups+1 {
		t.Errorf("%d messages, want %d", len(ids), groups+1)
	}
	p.ping()
	p.hangUp()
	n.absent("worker")
	n.restart()
	if left := n.session("worker").Queued(); left != 0 {
		t.Errorf("%d messages wait that were acknowledged", left)
	}
}
