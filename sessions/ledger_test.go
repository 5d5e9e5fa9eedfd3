package sessions_test

import (
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/sessions"
)

// A message that comes to a session while the disk is full, and was not to wait for
// it when it was published, goes out once there is room.
func TestWhatCannotBeStoredForASessionHoldsNothingUp(t *testing.T) {
	n, full := almostFull(t)
	p := n.connect(5, "dash", keepSession)
	full(true)
	n.session("dash").Give(&sessions.Message{Topic: "home/lamp", Payload: []byte("1"), QoS: 2})
	p.expectEnd(packets.ErrQuotaExceeded.Code)
	n.absent("dash")
	full(false)
	p = n.connect(5, "dash", keepSession)
	m := p.expect(packets.Publish)
	p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pubrec}, PacketID: m.PacketID})
	p.expect(packets.Pubrel)
	p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pubcomp}, PacketID: m.PacketID})
	p.quiet()
	p.hangUp()
	n.absent("dash")
	n.empty()
}

// empty holds that nothing waits for anybody, and nothing is on its way, in the store.
func (n *node) empty() {
	n.t.Helper()
	n.restart()
	n.holdsNothing()
}

func (n *node) holdsNothing() {
	n.t.Helper()
	for m, err := range n.store.Queued() {
		n.t.Errorf("%s waits for %s, %v", m.Message.Topic, m.ClientID, err)
	}
	for f, err := range n.store.Flights() {
		n.t.Errorf("%d is on its way to %s, %v", f.ID, f.ClientID, err)
	}
	for r, err := range n.store.Received() {
		n.t.Errorf("%d of %s was received, %v", r.ID, r.ClientID, err)
	}
}

// A session that comes to be kept has in the store, and not twice, what was on its way
// to it from groups and by itself.
func TestWhatASessionHasSeveralTimesIsStoredSeveralTimes(t *testing.T) {
	n := startNode(t, nil)
	p := n.connect(5, "dash", keepSession)
	p.subscribe(1, "home/lamp", "$share/a/home/lamp")
	p.hangUp()
	n.absent("dash")
	n.connect(5, "dev", nil).put("home/lamp", "on")
	p = n.connect(5, "dash", func(pk *packets.Packet) { pk.Connect.Clean = false })
	var ids []uint16
	for range 2 {
		ids = append(ids, p.expect(packets.Publish).PacketID)
	}
	p = n.connect(5, "dash", keepSession)
	for range ids {
		p.message("home/lamp")
	}
	p.quiet()
	p.hangUp()
	n.absent("dash")
	n.empty()
}

// Else an exchange at QoS 2 would go on at QoS 1 after a crash: the message came twice.
func TestAMessageIsDeliveredAtTheQoSAtWhichItIsStored(t *testing.T) {
	n := startNode(t, nil)
	p := n.connect(5, "dash", keepSession)
	p.subscribe(1, "home/lamp")
	release := n.hold()
	p.send(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: p.nextID(),
		Filters: packets.Subscriptions{{Filter: "home/lamp", Qos: 2}},
	})
	n.waiting("dash")
	n.connect(5, "dev", nil).publish("home/lamp", "on", 2)
	waitFor(t, "the publish to be read", func() bool { return n.session("dev").Pending() == 1 })
	release()
	for range 2 {
		pk, err := p.read()
		if err != nil {
			t.Fatal(err)
		}
		if pk.FixedHeader.Type == packets.Publish && pk.FixedHeader.Qos != 1 {
			t.Errorf("it comes at QoS %d", pk.FixedHeader.Qos)
		}
	}
}

// A message may be stored for a session just after that was deleted: nobody would ever
// delete it.
func TestWhatIsStoredForASessionThatHasEndedIsDeleted(t *testing.T) {
	n := startNode(t, nil)
	n.connect(5, "dash", keepSession)
	ended := n.session("dash")
	n.connect(5, "dash", func(pk *packets.Packet) { pk.Connect.Clean = true })
	numbers := make(chan uint64, 1)
	op := &persistence.Op{
		Queue:   &persistence.Queue{Message: &persistence.Message{Topic: "a"}, Recipients: []persistence.Recipient{{ClientID: "dash", Life: 7}}},
		Applied: func(r *persistence.Result) { numbers <- r.Queued },
	}
	if err := n.store.Append(t.Context(), op); err != nil {
		t.Fatal(err)
	}
	ended.GiveStored(&sessions.Message{Topic: "a", QoS: 1}, <-numbers, 7)
	n.engine.Tasks()
	applied := make(chan struct{})
	if err := n.store.Append(t.Context(), &persistence.Op{Applied: func(*persistence.Result) { close(applied) }}); err != nil {
		t.Fatal(err)
	}
	<-applied
	n.holdsNothing()
}
