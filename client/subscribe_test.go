package client

import (
	"errors"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

func TestARefusedSubscribeSaysWhatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		name   string
		props  packets.Properties
		reason string
	}{
		{"in the user property", packets.Properties{ReasonString: "no", User: []packets.User{{Key: "error-0", Value: `"range.speed": no`}}}, `"range.speed": no`},
		{"in the reason string", packets.Properties{ReasonString: "no"}, "no"},
		{"or not at all", packets.Properties{}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, p := connected(t, Options{}, 100)
			go func() {
				p.write(&packets.Suback{PacketID: p.subscribe().PacketID, Reasons: []byte{0x8F}, Properties: &tt.props})
			}()
			_, err := c.Subscribe(t.Context(), "fleet/trucks/?{}", 1, func(Message) {})
			refused := (*RefusedError)(nil)
			if !errors.As(err, &refused) || refused.Code != 0x8F || refused.Reason != tt.reason {
				t.Errorf("%v, want reason code 0x8F and %q", err, tt.reason)
			}
		})
	}
}

func TestARefusedSubscribeLeavesAnEarlierOneToTheSameTopicFilter(t *testing.T) {
	c, p := connected(t, Options{}, 100)
	told := make(chan string, 4)
	for name, reason := range map[string]byte{"granted": 1, "refused": 0x97} {
		go func() {
			p.write(&packets.Suback{PacketID: p.subscribe().PacketID, Reasons: []byte{reason}, Properties: &packets.Properties{}})
		}()
		if _, err := c.Subscribe(t.Context(), "t", 1, func(Message) { told <- name }); (err != nil) != (name == "refused") {
			t.Fatal(err)
		}
	}
	for range 2 {
		p.write(&packets.Publish{Topic: "t", Properties: &packets.Properties{}})
	}
	for range 2 {
		if name := receive(t, told); name != "granted" {
			t.Errorf("the one that was %s is told", name)
		}
	}
}

func TestSubscribeEndsWithTheConnection(t *testing.T) {
	c, p := connected(t, Options{}, 100)
	go func() {
		p.subscribe()
		_ = p.Close()
	}()
	if _, err := c.Subscribe(t.Context(), "t", 1, func(Message) {}); !errors.Is(err, ErrConnectionLost) {
		t.Errorf("%v, want %v", err, ErrConnectionLost)
	}
	if _, err := c.Subscribe(t.Context(), "t", 1, func(Message) {}); !errors.Is(err, ErrConnectionLost) {
		t.Errorf("afterwards: %v, want %v", err, ErrConnectionLost)
	}
}

func TestMessagesReachTheHandlersWhoseTopicFilterMatches(t *testing.T) {
	c, p := connected(t, Options{}, 100)
	got := make(chan string, 10)
	subscribe := func(name, topicFilter string, before ...string) Grant {
		t.Helper()
		go func() {
			sub := p.subscribe()
			for _, topic := range before {
				p.write(&packets.Publish{Topic: topic, Properties: &packets.Properties{}})
			}
			p.write(&packets.Suback{PacketID: sub.PacketID, Reasons: []byte{1}, Properties: &packets.Properties{
				User: []packets.User{{Key: "room-0", Value: "hash of " + name}},
			}})
		}()
		grant, err := c.Subscribe(t.Context(), topicFilter, 1, func(m Message) {
			got <- name + ": " + m.Topic + " " + m.Property("transition")
		})
		if err != nil {
			t.Fatal(err)
		}
		return grant
	}
	expect := func(want string) {
		t.Helper()
		if line := receive(t, got); line != want {
			t.Errorf("got %q, want %q", line, want)
		}
	}

	room := `fleet/trucks/?{"a":"b/c"}`
	if grant := subscribe("room", room, room); grant != (Grant{QoS: 1, Room: "hash of room"}) {
		t.Errorf("granted %+v", grant)
	}
	expect("room: " + room + " ") // it came before the SUBACK
	subscribe("scope", "$scope/"+room+"/+")
	subscribe("shared", "$share/g/fleet/+/7")

	p.write(&packets.Publish{Topic: room, Properties: &packets.Properties{User: []packets.User{{Key: "transition", Value: "enter"}}}})
	expect("room: " + room + " enter")
	p.write(&packets.Publish{Topic: "nobody/asked", Properties: &packets.Properties{}})
	p.write(&packets.Publish{Topic: "$scope/" + room + "/7", Properties: &packets.Properties{}})
	expect("scope: $scope/" + room + "/7 ")
	p.write(&packets.Publish{Topic: "fleet/trucks/7", QoS: 1, PacketID: 9, Properties: &packets.Properties{}})
	expect("shared: fleet/trucks/7 ")
	if ack, ok := p.read().(*packets.Puback); !ok || ack.PacketID != 9 {
		t.Errorf("the message of QoS 1 was answered with %+v", ack)
	}

	go func() {
		unsub, _ := p.read().(*packets.Unsubscribe)
		p.write(&packets.Publish{Topic: "fleet/trucks/7", Properties: &packets.Properties{}})
		p.write(&packets.Unsuback{PacketID: unsub.PacketID, Reasons: []byte{0}, Properties: &packets.Properties{}})
	}()
	if err := c.Unsubscribe(t.Context(), "$share/g/fleet/+/7"); err != nil {
		t.Fatal(err)
	}
	p.write(&packets.Publish{Topic: room, Properties: &packets.Properties{}})
	expect("room: " + room + " ") // and nothing for shared
}
