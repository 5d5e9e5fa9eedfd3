package integration

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// phonesPolicy is that of the table, and everybody may have his own phones.
var phonesPolicy = strings.NewReplacer(
	`      - {allow: subscribe, topic: "news/#"}`, `      - {allow: [publish, subscribe], topic: "owntracks/%u/#"}
      - {allow: subscribe, topic: "news/#"}`,
	"      fleet/trucks:\n", `      people/phones:
        list: {equals: {user: {$auth: user}}}
        view: {equals: {user: {$auth: user}}}
        create: {equals: {user: {$auth: user}}}
        update: {equals: {user: {$auth: user}}}
        hide: [position]
      fleet/trucks:
`,
	"      fleet/trucks: {", "      people/phones: {list: {}, view: {}, create: {}, update: {}, delete: {}, show: [position]}\n      fleet/trucks: {",
).Replace(policy)

// Whoever may use the topics of a phone is told when it enters and leaves a fence, and nobody
// else; and nobody moves the phone of another.
func TestWhoIsToldOfFences(t *testing.T) {
	t.Parallel()
	c := startCompanyWith(t, fencesConfig)
	c.write(phonesPolicy)
	c.awaitRights("phones")
	at := func(lat float64, tst int) string {
		return fmt.Sprintf(`{"_type":"location","lat":%g,"lon":11.5,"acc":12,"tid":"AN","tst":%d}`, lat, tst)
	}
	bert, boss := c.connect("bert", true), c.connect("carl", true)
	boss.subscribe(t, "owntracks/+/+/event")
	for i := range 2 * 3 {
		v5, qos := i%2 == 1, byte(i/2)
		name := fmt.Sprintf("MQTT 5: %v, QoS %d", v5, qos)
		anna := c.connect("anna", v5)
		if codes := anna.subscribeWith(t, qos, "owntracks/+/+/event", "owntracks/bert/phone/event").codes; codes[0] != qos || codes[1] < 0x80 {
			t.Errorf("%s: SUBACK % x", name, codes)
		}
		for j, lat := range []float64{48.1, 50} {
			for user, w := range map[string]*wire{"anna": anna, "bert": bert} {
				m := message{topic: "owntracks/" + user + "/phone", payload: []byte(at(lat, 1000+10*i+j)), qos: max(qos, 1)}
				if a := w.publish(t, m); a.code >= 0x80 {
					t.Fatalf("%s: %s: %#x", name, m.topic, a.code)
				}
			}
		}
		for _, event := range []string{"enter", "leave"} {
			if m := anna.message(t); m.topic != "owntracks/anna/phone/event" || !strings.Contains(string(m.payload), `"event":"`+event+`"`) || m.qos != qos {
				t.Errorf("%s: told %s %s at QoS %d, want %s", name, m.topic, m.payload, m.qos, event)
			}
		}
		for range 2 * 2 {
			boss.message(t)
		}
		if v5 && qos > 0 { // MQTT 3.1.1 has no word for it
			for _, user := range []string{"bert", "anna"} {
				want := byte(0)
				if user == "bert" {
					want = 0x87
				}
				if a := anna.publish(t, message{topic: "owntracks/" + user + "/phone", payload: []byte(at(50, 2000+i)), qos: qos}); a.code != want {
					t.Errorf("%s: anna moves the phone of %s: %#x", name, user, a.code)
				}
			}
		}
		anna.Close()
	}
}

// As a stream of events, and by PocketBase's lists, one is told what over MQTT one would be.
func TestWhoIsToldWhatOverHTTP(t *testing.T) {
	t.Parallel()
	c := startCompanyWith(t, "pocketbase: {index: fleet}\n")
	boss := c.connect("carl", true)
	for _, tt := range []struct {
		filter string
		as     []string
		want   int
	}{
		{`{}`, []string{"anna", "secret"}, 200}, {`{}`, nil, 401}, {`{}`, []string{"anna", "wrong"}, 401},
		{`{"equals":{"phone":"1"}}`, []string{"anna", "secret"}, 403}, {`{"equals":{"phone":"1"}}`, []string{"carl", "secret"}, 200},
	} {
		if s := openEvents(t, c.broker, url.Values{"filter": {tt.filter}}, "", tt.as...); s.status != tt.want {
			t.Errorf("%s as %s: status %d, want %d", tt.filter, tt.as, s.status, tt.want)
		}
	}
	s := openEvents(t, c.broker, url.Values{"filter": {`{}`}}, "", "anna", "secret")
	s.begins(t, "0")
	boss.put(t, "fleet/trucks/b", `{"tenant":"other","phone":"2"}`)
	boss.put(t, "fleet/trucks/a", `{"tenant":"acme","phone":"1"}`)
	boss.put(t, "fleet/trucks/a", `{"tenant":"other","phone":"1","secret":"yes"}`)
	boss.put(t, "fleet/trucks/c", `{"tenant":"acme","phone":"3"}`)
	for _, want := range []string{"2 enter a", "3 exit a", "4 enter c"} {
		e, _ := s.next()
		n := parseTold(t, message{payload: []byte(e.data)})
		if got := fmt.Sprintf("%s %s %s", e.id, n.Transition, n.Result.ID); got != want || strings.Contains(e.data, "phone") || strings.Contains(e.data, "secret") {
			t.Errorf("told %s, want %s", e.data, want)
		}
	}
	for _, tt := range []struct {
		method, path, as, body string
		status                 int
		want                   string
	}{
		{"GET", "", "anna", "", 200, `"totalItems":1`}, {"GET", "", "bert", "", 200, `"totalItems":2`}, {"GET", "", "carl", "", 200, `"phone":"2"`},
		{"GET", "?filter=phone%3D%271%27", "anna", "", 403, ""}, {"GET", "?sort=phone", "anna", "", 403, ""}, {"GET", "?fields=phone", "anna", "", 200, ""},
		{"GET", "/b", "anna", "", 404, ""}, {"GET", "/c", "anna", "", 200, `"tenant":"acme"`}, {"PATCH", "/b", "anna", `{"n":1}`, 403, ""},
		{"DELETE", "/b", "anna", "", 403, ""}, {"POST", "", "anna", `{"id":"d","tenant":"other"}`, 403, ""}, {"PATCH", "/c", "anna", `{"n":1}`, 200, `"n":1`},
	} {
		r, err := http.NewRequestWithContext(t.Context(), tt.method, "http://"+c.http+"/api/collections/trucks/records"+tt.path, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.SetBasicAuth(tt.as, "secret")
		r.Close = true
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		if _ = response.Body.Close(); err != nil || response.StatusCode != tt.status || !strings.Contains(string(text), tt.want) || tt.as == "anna" && response.StatusCode == 200 && strings.Contains(string(text), "phone") {
			t.Errorf("%s %s as %s: %d %s %v, want %d", tt.method, tt.path, tt.as, response.StatusCode, text, err, tt.status)
		}
	}
}
