package sessions_test

import (
	"bytes"
	"strings"
	"testing"
)

const beside7 = `fleet/trucks/?{"near":{"at":{"id":"7","distance":"1km"}}}&payload=document`

func TestAFilterOfChangesHasNoScope(t *testing.T) {
	n := startNode(t, nil)
	filters := []string{
		`$scope/fleet/trucks/?{"changed":"speed"}/+`, `fleet/trucks/?{"changed":"speed"}&scope=out`,
		`fleet/trucks/?{"changed":"speed"}&transition=stay,exit`, `fleet/trucks/?{"changed":"speed"}&scope=in`,
	}
	p := n.connect(5, "five", nil)
	ack := p.subscribe(1, filters...)
	if !bytes.Equal(ack.ReasonCodes, []byte{0x8f, 0x8f, 0x8f, 1}) {
		t.Errorf("SUBACK of MQTT 5: %x", ack.ReasonCodes)
	}
	for key, want := range map[string]string{"error-0": "there is no $scope", "error-1": "no transition but enter", "error-2": "no transition but enter"} {
		if got := property(ack, key); !strings.Contains(got, want) {
			t.Errorf("%s is %q, want …%s…", key, got, want)
		}
	}
	// The room is there now, and its hash leads to the same answer.
	byHash := "$scope/fleet/trucks/~" + property(ack, "room-3") + "/+"
	if ack := n.connect(4, "three", nil).subscribe(1, byHash, filters[3]); !bytes.Equal(ack.ReasonCodes, []byte{0x80, 1}) {
		t.Errorf("SUBACK of MQTT 3.1.1: %x", ack.ReasonCodes)
	}
}

// Where the other document is, is read from the store: as of the subscription,
// and as of the restart.
func TestNearKnowsWhereTheOtherDocumentWasBefore(t *testing.T) {
	n := startNode(t, nil)
	dev := n.connect(4, "dev", nil)
	dev.put("fleet/trucks/7", `{"at":[0,0]}`)
	p := n.connect(5, "dash", keepSession)
	p.subscribe(1, beside7)
	dev.put("fleet/trucks/1", `{"at":[0,0.001]}`)
	if m := p.message(beside7); string(m.Payload) != `{"at":[0,0.001]}` {
		t.Errorf("the first message is %s", m.Payload)
	}
	dev.put("fleet/trucks/7", `{"at":[0,5]}`)
	n.restart()
	p = n.connect(5, "dash", keepSession)
	dev = n.connect(4, "dev", nil)
	dev.put("fleet/trucks/1", `{"at":[0,0.002]}`)
	dev.put("fleet/trucks/1", `{"at":[0,5.001]}`)
	if m := p.message(beside7); string(m.Payload) != `{"at":[0,5.001]}` {
		t.Errorf("the message after the restart is %s", m.Payload)
	}
	p.quiet()
}

// A snapshot for the scope of one subscription serves the neighbours of another,
// and is still read when they are known.
func TestNearAndAScopeInOneSubscribe(t *testing.T) {
	n := startNode(t, nil)
	dev := n.connect(4, "dev", nil)
	dev.put("fleet/trucks/7", `{"at":[0,0],"speed":60}`)
	p := n.connect(5, "dash", nil)
	p.subscribe(1, beside7, scope+"+")
	p.message(scope + "7")
	p.message(scope + "$synced")
	dev.put("fleet/trucks/1", `{"at":[0,0]}`)
	p.message(beside7)
}
