package integration

import (
	"os"
	"strings"
	"testing"
)

const reloadBefore = `
rooms: [{name: fleet/trucks/@fast, filter: '{"range":{"speed":{"gt":50}}}'}]
limits: {packet_bytes: 2KiB}
`

const reloadAfter = `
rooms: [{name: fleet/trucks/@fast, filter: '{"range":{"speed":{"gt":80}}}'}]
mappings: [{topic: "cars/{id}", index: fleet, collection: trucks, id: "{id}"}]
limits: {packet_bytes: 4KiB}
origins: [maps.example.com]
`

// Clients that are connected see what has changed: who subscribed by a name goes over to
// its new filter, and a topic that was an ordinary one is a document from the next message on.
func TestConnectedClientsSeeAReload(t *testing.T) {
	b := startBroker(t, brokerOptions{config: reloadBefore})
	viewer, device := connect(t, b, connectOptions{}), connect(t, b, connectOptions{})
	viewer.granted(t, "fleet/trucks/@fast&transition=enter,exit")
	device.put(t, "fleet/trucks/1", `{"speed":60}`)
	if got := string(viewer.message(t).payload); !strings.Contains(got, `"transition":"enter"`) {
		t.Fatalf("got %s, want an enter", got)
	}
	device.put(t, "cars/2", `{"speed":90}`) // an ordinary message

	if a := device.ask(t, `{"controller":"server","action":"reload"}`); a.Status != 401 {
		t.Errorf("a device has the settings read again: %+v", a)
	}
	b.reload(t, reloadAfter)
	if got := string(viewer.message(t).payload); !strings.Contains(got, `"transition":"exit"`) || !strings.Contains(got, `"_id":"1"`) {
		t.Errorf("after the reload got %s, want the exit of 1", got)
	}
	device.put(t, "cars/2", `{"speed":91}`)
	if got := string(viewer.message(t).payload); !strings.Contains(got, `"transition":"enter"`) || !strings.Contains(got, `"_id":"2"`) {
		t.Errorf("after a publish on a mapped topic got %s, want the enter of 2", got)
	}
	long := `{"speed":1,"text":"` + strings.Repeat("x", 3000) + `"}`
	connect(t, b, connectOptions{}).put(t, "fleet/trucks/3", long) // who connects now may
	device.send(t, publishPacket(message{topic: "fleet/trucks/3", payload: []byte(long), qos: 1, id: 7}, false))
	device.awaitEnd(t) // who was connected before may not
}

// reload gives a broker other settings, and has it read them.
func (b *broker) reload(t testing.TB, config string) {
	t.Helper()
	if err := os.WriteFile(b.dir+".yaml", []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, stderr, err := ambit("config", "reload", "--data", b.dir); err != nil {
		t.Fatalf("config reload: %v\n%s", err, stderr)
	}
}
