package integration

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"
)

const fencesConfig = `
mappings: [{preset: owntracks, fences: [home, work]}]
rooms:
  - {name: people/phones/@home, filter: '{"geoDistance":{"position":{"lat":48.1,"lon":11.5},"distance":"200m"}}'}
  - {name: people/phones/@secret, filter: '{"geoDistance":{"position":{"lat":48.1,"lon":11.5},"distance":"200m"}}'}
`

// A phone, whose part mosquitto_sub has, is told that it enters and leaves the named rooms
// that are its fences, as OwnTracks tells it, and no others.
func TestPhonesAreToldOfFences(t *testing.T) {
	need(t, "mosquitto_sub")
	b := startBroker(t, brokerOptions{config: fencesConfig})
	if _, stderr, err := ambit("room", "create", "--data", b.dir, "people/phones/@work", `{"geoDistance":{"position":{"lat":48.2,"lon":11.6},"distance":"500m"}}`); err != nil {
		t.Fatal(stderr)
	}
	events := listenTo(t, b, "owntracks/+/+/event")
	phone := connect(t, b, connectOptions{})
	at := func(lat, lon float64, tst int) string {
		return fmt.Sprintf(`{"_type":"location","lat":%g,"lon":%g,"acc":12,"tid":"AN","tst":%d}`, lat, lon, tst)
	}
	for i, place := range [][2]float64{{48.1, 11.5}, {48.1001, 11.5}, {48.2, 11.6}, {50, 8}} { // home, still, work, away
		phone.put(t, "owntracks/ann/phone", at(place[0], place[1], 1000+i))
	}
	// Whoever writes a document of that place under another id does not speak for ann.
	phone.put(t, "people/phones/eve", `{"user":"ann","device":"phone","position":{"lat":48.1,"lon":11.5}}`)
	phone.put(t, "owntracks/ann/phone", at(48.1, 11.5, 2000))
	for _, want := range []string{
		`enter home 48.1 11.5 1000`, `leave home 48.2 11.6 1002`, `enter work 48.2 11.6 1002`, `leave work 50 8 1003`, `enter home 48.1 11.5 2000`,
	} {
		topic, text, _ := strings.Cut(events(), " ")
		var e struct {
			Type  string `json:"_type"`
			Event string
			Desc  string
			T     string
			TID   string
			Lat   float64
			Lon   float64
			Acc   float64
			TST   int
			WTST  int64
		}
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if got := fmt.Sprintf("%s %s %g %g %d", e.Event, e.Desc, e.Lat, e.Lon, e.TST); got != want {
			t.Errorf("told %s, want %s", got, want)
		}
		if topic != "owntracks/ann/phone/event" || e.Type != "transition" || e.T != "c" || e.TID != "AN" || e.Acc != 12 || e.WTST < 1_700_000_000 {
			t.Errorf("on %s: %s", topic, text)
		}
	}
}

// Who is away is told later, as of any message.
func TestEventsOfFencesWaitForWhoIsAway(t *testing.T) {
	b := startBroker(t, brokerOptions{config: fencesConfig})
	friend := connect(t, b, connectOptions{id: "friend", keep: true})
	friend.granted(t, "owntracks/ann/+/event")
	_ = friend.Close() // the session stays
	connect(t, b, connectOptions{}).put(t, "owntracks/ann/phone", `{"_type":"location","lat":48.1,"lon":11.5,"tst":7}`)
	watch := connect(t, b, connectOptions{id: "friend", keep: true})
	if got := string(watch.message(t).payload); !strings.Contains(got, `"event":"enter","desc":"home"`) || !strings.Contains(got, `"tst":7`) {
		t.Errorf("who was away is told %s", got)
	}
}

// listenTo runs mosquitto_sub, and returns what yields its lines, a topic and a payload.
func listenTo(t *testing.T, b *broker, topicFilter string) (next func() string) {
	t.Helper()
	host, port, err := net.SplitHostPort(b.mqtt)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("stdbuf", "-oL", "mosquitto_sub", "-d", "-h", host, "-p", port, "-q", "1", "-v", "-t", topicFilter)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it listens for ever
		_ = cmd.Wait()
	})
	timeout := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	await := func(is func(line string) bool) string {
		for lines.Scan() {
			if is(lines.Text()) {
				timeout.Reset(patience)
				return lines.Text()
			}
		}
		t.Fatal("mosquitto_sub has ended")
		return ""
	}
	await(func(line string) bool { return strings.HasPrefix(line, "Subscribed") })
	return func() string {
		return await(func(line string) bool { return strings.HasPrefix(line, strings.SplitN(topicFilter, "/", 2)[0]+"/") })
	}
}
