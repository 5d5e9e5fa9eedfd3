package integration

import (
	"fmt"
	"strings"
	"testing"
)

// Who keeps as many documents as one user may is told so by each way in, after a crash too, and
// may change and delete what there is. Nobody else feels it.
func TestAUserKeepsNoMoreThanTheQuota(t *testing.T) {
	t.Parallel()
	s := startStaff(t)
	s.kill()
	config := fmt.Sprintf("{anonymous: none, users: %q, quotas: {user_documents: 3}}", s.users)
	s.broker = startBroker(t, brokerOptions{config: config})
	bert := connectOptions{v5: true, user: "bert", password: "secret"}
	w := connect(t, s.broker, bert)
	for i := range 3 {
		w.put(t, fmt.Sprintf("fleet/trucks/%d", i), `{}`)
	}
	s.kill()
	s.broker = startBroker(t, brokerOptions{dir: s.dir, config: config})
	w = connect(t, s.broker, bert)
	for qos := range byte(2) {
		if a := w.publish(t, message{topic: "fleet/trucks/more", payload: []byte("{}"), qos: qos + 1}); a.code != 0x97 {
			t.Errorf("QoS %d: %#x", qos+1, a.code)
		}
	}
	old := connect(t, s.broker, connectOptions{user: "bert", password: "secret"})
	old.send(t, publishPacket(message{topic: "fleet/trucks/more", payload: []byte("{}"), qos: 1, id: 1}, false))
	if _, err := old.read(); err == nil {
		t.Error("MQTT 3.1.1: it is acknowledged")
	}
	request := `{"index":"fleet","collection":"trucks","_id":"more","body":{}}`
	if _, id := s.ask("bert:secret", "document", "create", request); id != "services.storage.quota_exceeded" {
		t.Errorf("over HTTP: %q", id)
	}
	if _, id := s.ask("anna:secret", "document", "create", request); id != "" {
		t.Errorf("somebody else: %q", id)
	}
	w.put(t, "fleet/trucks/1", `{"speed":1}`)
	w.put(t, "fleet/trucks/1", "")
	w.put(t, "fleet/trucks/instead", `{}`)
	s.reload(t, fmt.Sprintf("{anonymous: none, users: %q, quotas: {user_documents: 4}}", s.users))
	w.put(t, "fleet/trucks/fourth", `{}`)
	if a := w.publish(t, message{topic: "fleet/trucks/fifth", payload: []byte("{}"), qos: 1}); a.code != 0x97 {
		t.Errorf("after a reload: %#x", a.code)
	}
	stdout, stderr, err := ambit("check", "--data", s.dir)
	if err != nil || strings.Contains(stdout, "counted") {
		t.Errorf("ambit check: %v\n%s%s", err, stdout, stderr)
	}
}
