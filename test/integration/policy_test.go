package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// policy is that of the table: everybody may use his own home, and the trucks of his
// tenant, without their phones; a boss may do everything.
const policy = `
roles:
  user:
    topics:
      - {allow: [publish, subscribe], topic: "home/%u/#"}
      - {allow: subscribe, topic: "news/#"}
      - {deny: subscribe, topic: "news/secret"}
    api: ["document:*", "realtime:*"]
    collections:
      fleet/trucks:
        list: {equals: {tenant: {$auth: tenant}}}
        view: {equals: {tenant: {$auth: tenant}}}
        create: {equals: {tenant: {$auth: tenant}}}
        update: {equals: {tenant: {$auth: tenant}}}
        delete: {equals: {tenant: {$auth: tenant}}}
        hide: [phone]
  boss:
    topics:
      - {allow: [publish, subscribe], topic: "#"}
      - {allow: subscribe, topic: "$presence/clients/+"}
    api: ["*:*"]
    collections:
      fleet/trucks: {list: {}, view: {}, create: {}, update: {}, delete: {}, show: [phone]}
`

// end is the topic of a document: when it is told, what was published before has been.
const end = "the/very/end"

// A company is a broker with a policy, and anna and bert of two tenants, and carl, who
// is a boss.
type company struct {
	*staff
	policy string // the file
}

func startCompany(t *testing.T) *company {
	t.Helper()
	return startCompanyWith(t, "")
}

// startCompanyWith starts one with further settings.
func startCompanyWith(t *testing.T, settings string) *company {
	t.Helper()
	dir := t.TempDir()
	c := &company{&staff{t: t, users: filepath.Join(dir, "users")}, filepath.Join(dir, "policy.yaml")}
	c.passwd("secret", "anna", "--attribute", "tenant=acme")
	c.passwd("secret", "bert", "--attribute", "tenant=other")
	c.passwd("secret", "carl", "--role", "boss")
	c.write(policy)
	c.broker = startBroker(t, brokerOptions{config: fmt.Sprintf("anonymous: none\nusers: %q\naccess: %q\n%s", c.users, c.policy, settings)})
	return c
}

// write puts another policy in place of the file.
func (c *company) write(text string) {
	c.t.Helper()
	if err := os.WriteFile(c.policy+".new", []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	if err := os.Rename(c.policy+".new", c.policy); err != nil {
		c.t.Fatal(err)
	}
}

func (c *company) connect(user string, v5 bool) *wire {
	c.t.Helper()
	return connect(c.t, c.broker, connectOptions{user: user, password: "secret", v5: v5})
}

// before returns the messages that come before the one on a topic, "<topic> <payload>".
func (w *wire) before(t testing.TB, topic string) []string {
	t.Helper()
	var all []string
	for {
		m := w.message(t)
		if m.qos == 2 && !w.twice {
			t.Fatal("a subscription of QoS 1 is told at QoS 2")
		}
		if m.topic == topic {
			return all
		}
		all = append(all, m.topic+" "+string(m.payload))
	}
}

func versions() map[string]bool { return map[string]bool{"MQTT 3.1.1": false, "MQTT 5": true} }

// Each message is published in both versions and at each QoS, and is taken or refused in
// the same way; by an alias, too.
func TestWhoMayPublishWhat(t *testing.T) {
	t.Parallel()
	c := startCompany(t)
	boss := c.connect("carl", true)
	boss.subscribe(t, "#")
	boss.put(t, "fleet/trucks/theirs", `{"tenant":"other"}`)
	boss.put(t, "fleet/trucks/ours", `{"tenant":"acme"}`)
	boss.put(t, end, "{}")
	boss.before(t, end)
	for version, v5 := range versions() {
		for qos := range byte(3) {
			for _, tt := range []struct {
				topic, payload string
				ok             bool
			}{
				{"home/anna/lamp", "on", true},
				{"home/bert/lamp", "on", false},
				{"home/anna", "on", true},
				{"fleet/trucks/ours", `{"tenant":"acme","speed":1}`, true},
				{"fleet/trucks/ours", `{"tenant":"other"}`, false},
				{"fleet/trucks/theirs", `{"tenant":"acme"}`, false},
				{"fleet/trucks/theirs", "", false},
				{"fleet/trucks/new", `{"tenant":"other"}`, false},
				{"fleet/trucks/new", `{}`, false},
				{"fleet/trucks/text", `no document`, false},
				{"fleet/trucks", `{"tenant":"acme"}`, false},
				{"fleet/vans/1", `{"tenant":"acme"}`, false},
			} {
				t.Run(fmt.Sprintf("%s/QoS %d/%s %s", version, qos, tt.topic, tt.payload), func(t *testing.T) {
					got := c.publishes(t, boss, v5, message{topic: tt.topic, payload: []byte(tt.payload), qos: qos})
					if want := tt.topic + " " + tt.payload; tt.ok && (len(got) != 1 || got[0] != want) || !tt.ok && len(got) > 0 {
						t.Errorf("the boss is told %q", got)
					}
				})
			}
		}
	}
}

// publishes publishes a message as anna, checks how it is acknowledged, and returns what
// the boss is told.
func (c *company) publishes(t *testing.T, boss *wire, v5 bool, m message) []string {
	t.Helper()
	anna := c.connect("anna", v5)
	defer anna.Close()
	m.id = anna.id()
	if v5 {
		m.alias = 1
	}
	anna.send(t, publishPacket(m, v5))
	var got []string
	if m.qos == 0 {
		anna.put(t, "home/anna/behind/it", "")
	} else {
		kind, refused := byte(typePuback), false
		if m.qos == 2 {
			kind = typePubrec
		}
		p, err := anna.read()
		switch {
		case err != nil && !v5:
			refused = true // the standard has no other word
		case err != nil:
			t.Fatal(err)
		case p.kind != kind:
			t.Fatalf("packet type %d", p.kind)
		default:
			a := anna.answer(t, p, m.id)
			if refused = a.code >= 0x80; refused && a.code != 0x87 {
				t.Errorf("reason code %#x", a.code)
			}
		}
		defer func() {
			if refused != (len(got) == 0) {
				t.Errorf("refused: %v, and the boss is told %q", refused, got)
			}
		}()
	}
	boss.put(t, end, "{}")
	for _, text := range boss.before(t, end) {
		if !strings.HasPrefix(text, "home/anna/behind/it") {
			got = append(got, text)
		}
	}
	return got
}

// Each topic filter is taken or refused in the same way in both versions, and at each QoS.
func TestWhoMaySubscribeToWhat(t *testing.T) {
	t.Parallel()
	c := startCompany(t)
	for _, v5 := range versions() {
		anna := c.connect("anna", v5)
		for _, tt := range []struct {
			topicFilter string
			ok          bool
		}{
			{"home/anna/#", true}, {"home/bert/#", false}, {"home/bert/lamp", false}, {"home/+/lamp", true}, {"#", true},
			{"+/+/+", true}, {"other/#", false}, {"news/secret", false}, {"news/+", true}, {"$SYS/#", false},
			{"$share/g/home/anna/#", true}, {"$share/g/home/bert/#", false}, {"$share/g/#", true}, {"$share/g/other/x", false},
			{"fleet/trucks/1", true}, {"fleet/vans/1", false}, {"fleet/trucks/?{}", true}, {"fleet/vans/?{}", false},
			{`fleet/trucks/?{"equals":{"phone":"1"}}`, false}, {`fleet/trucks/?{"near":{"pos":{"id":"x","distance":"1km"}}}`, false},
			{"$scope/fleet/trucks/?{}/+", true}, {"$scope/fleet/vans/?{}/+", false}, {"$scope/home/anna/?{}/+", true},
			{"$presence/clients/x", false}, {"$presence/rooms/fleet/trucks/?{}", true}, {"$presence/rooms/fleet/vans/?{}", false},
			{"$ambit/response", true},
		} {
			for qos := range byte(3) {
				got := anna.subscribeWith(t, qos, tt.topicFilter).codes[0]
				want := qos
				if !tt.ok {
					if want = 0x80; v5 {
						want = 0x87
					}
				}
				if got != want {
					t.Errorf("MQTT 5: %v, QoS %d, %s: %#x", v5, qos, tt.topicFilter, got)
				}
			}
		}
	}
}

func TestWhoMayLeaveWhichWillBehind(t *testing.T) {
	t.Parallel()
	c := startCompany(t)
	boss := c.connect("carl", true)
	boss.subscribe(t, "#")
	for i := range 2 * 3 {
		v5, qos := i%2 == 1, byte(i/2)
		for _, tt := range []struct {
			topic, payload string
			ok, told       bool
		}{
			{"home/anna/gone", "x", true, true}, {"home/bert/gone", "x", false, false}, {"fleet/vans/1", "{}", false, false},
			{"fleet/trucks/1", `{"tenant":"acme"}`, true, true},
			{"fleet/trucks/2", `{"tenant":"other"}`, true, false}, // which is said when it is written
		} {
			w, ack := tryConnect(t, c.broker, connectOptions{
				user: "anna", password: "secret", v5: v5, will: &message{topic: tt.topic, payload: []byte(tt.payload), qos: qos},
			})
			want := byte(0)
			if !tt.ok {
				if want = 5; v5 {
					want = 0x87
				}
			}
			if ack.code != want {
				t.Errorf("MQTT 5: %v, QoS %d, %s: CONNACK %#x", v5, qos, tt.topic, ack.code)
			}
			w.Close()
			if tt.told {
				if m := boss.message(t); m.topic != tt.topic || m.qos != min(qos, 1) {
					t.Errorf("a will on %s, and not %s", m.topic, tt.topic)
				}
			}
		}
	}
	boss.put(t, end, "{}")
	if got := boss.before(t, end); len(got) > 0 {
		t.Errorf("the boss is told %q", got)
	}
}

// What one is told by each way in is what one may see, and no more.
func TestWhoIsToldWhat(t *testing.T) {
	t.Parallel()
	c := startCompany(t)
	boss := c.connect("carl", true)
	boss.put(t, "fleet/trucks/a", `{"tenant":"acme","phone":"1"}`)
	boss.publish(t, message{topic: "fleet/trucks/kept", payload: []byte(`{"tenant":"acme","phone":"1"}`), qos: 1, retain: true})
	boss.publish(t, message{topic: "fleet/trucks/foreign", payload: []byte(`{"tenant":"other"}`), qos: 1, retain: true})
	boss.publish(t, message{topic: "news/secret", payload: []byte("x"), qos: 1, retain: true})
	boss.publish(t, message{topic: "news/open", payload: []byte("x"), qos: 1, retain: true})
	for i := range 2 * 3 {
		v5, qos := i%2 == 1, byte(i/2)
		for _, tt := range []struct {
			topicFilter string
			first, then []string
		}{
			{
				"#", []string{`news/open x`, `fleet/trucks/kept {"tenant":"acme"}`},
				[]string{`fleet/trucks/a {"tenant":"acme"}`, "news/open y"},
			},
			{"$share/g/fleet/#", nil, []string{`fleet/trucks/a {"tenant":"acme"}`}},
			{"$share/g/news/#", nil, []string{"news/open y"}},
			{"fleet/trucks/a", nil, []string{`fleet/trucks/a {"tenant":"acme"}`}},
			{
				"$scope/fleet/trucks/?{}/+",
				[]string{`a {"tenant":"acme"}`, `kept {"tenant":"acme"}`, "$synced"},
				[]string{`a {"tenant":"acme"}`, `a `, `a {"tenant":"acme"}`},
			},
			{
				"fleet/trucks/?&payload=document", nil,
				[]string{`payload=document {"tenant":"acme"}`, `payload=document `, `payload=document {"tenant":"acme"}`},
			},
		} {
			anna := c.connect("anna", v5)
			anna.subscribeWith(t, qos, tt.topicFilter, "home/anna/end")
			boss.put(t, "home/anna/end", "first")
			got := anna.before(t, "home/anna/end")
			boss.put(t, "fleet/trucks/a", `{"tenant":"acme","phone":"2"}`)
			boss.put(t, "fleet/trucks/foreign", `{"tenant":"other","n":1}`)
			boss.put(t, "fleet/trucks/a", `{"tenant":"other","secret":"yes"}`)
			boss.put(t, "fleet/trucks/a", `{"tenant":"acme","phone":"1"}`)
			boss.put(t, "news/secret", "y")
			boss.put(t, "news/open", "y")
			boss.put(t, "home/anna/end", "then")
			got = append(got, anna.before(t, "home/anna/end")...)
			want := append(append([]string{}, tt.first...), tt.then...)
			if !strings.Contains(tt.topicFilter, "?") { // plain ones are told of the document twice
				want = again(want)
			}
			if !ends(got, want) {
				t.Errorf("MQTT 5: %v, QoS %d, %s: got %q, want %q", v5, qos, tt.topicFilter, got, want)
			}
			anna.Close()
		}
	}
}

// again returns messages with that of the document a twice: it was written so.
func again(all []string) []string {
	for i, text := range all {
		if strings.HasPrefix(text, "fleet/trucks/a ") {
			return append(append(append([]string{}, all[:i+1]...), text), all[i+1:]...)
		}
	}
	return all
}

// ends says whether the messages are those that are wanted, by how they end and, of
// $synced, begin.
func ends(got, want []string) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if !strings.HasSuffix(got[i], want[i]) && !strings.Contains(got[i], want[i]) {
			return false
		}
	}
	return true
}
