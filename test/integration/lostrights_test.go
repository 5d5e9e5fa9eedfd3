package integration

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// What waits for a client that is away is asked about when it is back, by what it may do
// then: whichever way the right was lost, and whether the broker was killed meanwhile or not.
func TestAQueuedMessageIsNotToldWithoutTheRight(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(c *company){
		"another policy": func(c *company) { c.write(strings.Replace(policy, `"home/%u/#"`, `"home/%u/lamp"`, 1)) },
		"a rule that denies": func(c *company) {
			c.write(strings.Replace(policy, "news/secret", "home/anna/mail", 1))
		},
		"another attribute": func(c *company) { c.passwd("", "anna", "--keep-password", "--attribute", "tenant=other") },
	} {
		for version, v5 := range versions() {
			for _, killed := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %s, killed %v", name, version, killed), func(t *testing.T) {
					t.Parallel()
					c := startCompany(t)
					boss := c.connect("carl", true)
					o := connectOptions{id: "anna", user: "anna", password: "secret", v5: v5, keep: true, expiry: 3600}
					anna := connect(t, c.broker, o)
					anna.subscribe(t, "home/anna/#", "fleet/trucks/+", "$share/g/home/anna/mail")
					anna.Close()
					boss.put(t, "home/anna/mail", "for you")
					boss.put(t, "fleet/trucks/a", `{"tenant":"acme"}`)
					boss.put(t, "home/anna/lamp", "on")
					if lose(c); killed {
						c.kill()
						c.broker = startBroker(t, brokerOptions{dir: c.dir, config: c.config()})
					} else {
						c.awaitRights(name)
					}
					got := connect(t, c.broker, o).before(t, "home/anna/lamp")
					want := []string{`fleet/trucks/a {"tenant":"acme"}`}
					if name == "another attribute" {
						want = []string{"home/anna/mail for you", "home/anna/mail for you"}
					}
					if fmt.Sprint(got) != fmt.Sprint(want) {
						t.Errorf("told %q, want %q", got, want)
					}
				})
			}
		}
	}
}

// awaitRights waits until the broker has read a file again.
func (c *company) awaitRights(name string) {
	c.t.Helper()
	said := "rules_changed"
	if name == "another attribute" {
		said = "users are read again"
	}
	eventually(c.t, said, func() bool { return strings.Contains(c.log.String(), said) })
}

func (c *company) config() string {
	return fmt.Sprintf("{anonymous: none, users: %q, access: %q}", c.users, c.policy)
}

// Nobody has somebody else publish, by answering, where he may not publish himself.
func TestWhereAnAnswerMayBeAskedFor(t *testing.T) {
	t.Parallel()
	c := startCompany(t)
	boss := c.connect("carl", true)
	boss.subscribe(t, "home/#")
	for _, tt := range []struct {
		user, topic, response string
		ok                    bool
	}{
		{"anna", "home/anna/ask", "home/anna/answers", true},
		{"anna", "home/anna/ask", "home/bert/lamp", false},
		{"anna", "home/anna/ask", "news/open", false}, // may be subscribed to, and no more
		{"anna", "home/anna/ask", "fleet/trucks/a", false},
		{"anna", "home/anna/ask", "fleet/vans/a", false},
		{"anna", "home/anna/ask", "$SYS/broker/uptime", false},
		{"anna", "home/anna/ask", "$ambit/request", false},
		{"anna", "home/anna/ask", "Kuzzle/request", false},
		{"anna", "$ambit/request", "home/anna/answers", true},
		{"anna", "$ambit/request", "home/bert/answers", false},
		{"carl", "home/carl/ask", "fleet/trucks/a", true},
		{"carl", "home/carl/ask", "$ambit/request", false},
	} {
		for qos := range byte(3) {
			w := connect(t, c.broker, connectOptions{v5: true, user: tt.user, password: "secret"})
			m := message{topic: tt.topic, response: tt.response, payload: []byte("x"), qos: qos}
			told := tt.ok && strings.HasPrefix(tt.topic, "home/")
			if qos == 0 {
				w.send(t, publishPacket(m, true))
				w.ping(t)
			} else if a := w.publish(t, m); (a.code == 0) != tt.ok || !tt.ok && a.code != 0x87 {
				t.Errorf("%+v at QoS %d: %#x", tt, qos, a.code)
			}
			boss.put(t, "home/end", "")
			if got := boss.before(t, "home/end"); told != (len(got) == 1) {
				t.Errorf("%+v at QoS %d: the boss is told %q", tt, qos, got)
			}
			w.Close()
		}
		if strings.HasPrefix(tt.topic, "$") {
			continue
		}
		w, ack := tryConnect(t, c.broker, connectOptions{
			v5: true, user: tt.user, password: "secret", will: &message{topic: tt.topic, response: tt.response, payload: []byte("x"), qos: 1},
		})
		w.Close()
		if (ack.code == 0) != tt.ok || !tt.ok && ack.code != 0x87 {
			t.Errorf("%+v in a will: %#x", tt, ack.code)
		}
		if tt.ok {
			boss.message(t)
		}
	}
}

// Without a policy, too, nobody has an admin make a request.
func TestAnAnswerIsNoRequest(t *testing.T) {
	t.Parallel()
	b := startBroker(t, brokerOptions{})
	w := connect(t, b, connectOptions{v5: true})
	if a := w.publish(t, message{topic: "jobs/1", response: "$ambit/request", payload: []byte("{}"), qos: 1}); a.code != 0x87 {
		t.Errorf("%#x", a.code)
	}
	_, ack := tryConnect(t, b, connectOptions{v5: true, will: &message{topic: "jobs/1", response: "Kuzzle/request", qos: 1}})
	if ack.code != 0x87 {
		t.Errorf("in a will: %#x", ack.code)
	}
}

// A message of a group goes to a member who may have it, and is not lost to one who may not.
func TestAGroupSharesWhatItsMembersMayHave(t *testing.T) {
	t.Parallel()
	for version, v5 := range versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			c := startCompany(t)
			boss := c.connect("carl", true)
			anna, bert := c.connect("anna", v5), c.connect("bert", v5)
			for user, w := range map[string]*wire{"anna": anna, "bert": bert} {
				w.subscribe(t, "$share/g/fleet/trucks/+", "$share/g/home/#", "news/"+user+"/end")
			}
			told := func(acme, other int) {
				t.Helper()
				for i := range 20 {
					boss.put(t, fmt.Sprintf("fleet/trucks/acme%d", i), `{"tenant":"acme"}`)
					boss.put(t, fmt.Sprintf("fleet/trucks/other%d", i), `{"tenant":"other"}`)
					boss.publish(t, message{topic: "home/anna/lamp", payload: []byte("anna"), qos: 1})
					boss.publish(t, message{topic: "home/bert/lamp", payload: []byte("bert"), qos: 1})
				}
				boss.put(t, "news/anna/end", "")
				boss.put(t, "news/bert/end", "")
				for user, w := range map[string]*wire{"anna": anna, "bert": bert} {
					count := map[string]int{}
					for _, text := range w.share(t, "news/"+user+"/end") {
						count[text]++
					}
					want := map[string]int{"acme": acme, "other": other, "anna": 20, "bert": 20}
					for what, n := range want {
						mine := user == what || user == "anna" && what == "acme" || user == "bert" && what == "other"
						if got := count[what]; mine && got != n || !mine && got != 0 {
							t.Errorf("%s is told %d of %s, want %d if it is hers or his", user, got, what, n)
						}
					}
				}
			}
			told(20, 20)
			c.write(strings.Replace(policy, "view: {equals: {tenant: {$auth: tenant}}}", "view: {and: [{equals: {tenant: {$auth: tenant}}}, {equals: {tenant: other}}]}", 1))
			c.awaitRights("")
			told(0, 20)
		})
	}
}

// share returns whose the messages are that come before the one on a topic.
func (w *wire) share(t testing.TB, topic string) []string {
	t.Helper()
	var all []string
	for {
		m := w.message(t)
		switch text := string(m.payload); {
		case m.topic == topic:
			return all
		case strings.HasPrefix(m.topic, "fleet/"):
			all = append(all, strings.Trim(text[strings.Index(text, ":"):], `:"}`))
		default:
			all = append(all, text)
		}
	}
}

// A will is published by what its client may do when it is: somebody who would not be let in
// any more leaves none behind.
func TestAWillIsPublishedByTheRightsOfThen(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(c *company, key string){
		"another policy": func(c *company, _ string) { c.write(strings.Replace(policy, `"home/%u/#"`, `"home/%u"`, 1)) },
		"a user who is gone": func(c *company, _ string) {
			c.passwd("", "anna", "--no-password")
		},
		"another password": func(c *company, _ string) { c.passwd("other", "anna") },
		"no role":          func(c *company, _ string) { c.passwd("", "dora", "--keep-password", "--role", "") },
		"a ban": func(c *company, _ string) {
			if _, stderr, err := ambit("ban", "create", "--user", "anna", "--data", c.dir); err != nil {
				c.t.Error(err, stderr)
			}
		},
		"a key that is revoked": func(c *company, key string) {
			if _, stderr, err := ambit("apikey", "revoke", strings.Split(key, "-")[2], "--data", c.dir); err != nil {
				c.t.Error(err, stderr)
			}
		},
		"other rights, which allow it": func(c *company, _ string) { c.passwd("", "anna", "--keep-password", "--role", "boss") },
	} {
		for version, v5 := range versions() {
			t.Run(name+", "+version, func(t *testing.T) {
				t.Parallel()
				c := startCompany(t)
				c.passwd("secret", "dora", "--role", "boss")
				boss := c.connect("carl", true)
				boss.subscribe(t, "home/#")
				user, secret, topic := "anna", "secret", "home/anna/gone"
				switch name {
				case "no role":
					user, topic = "dora", "home/elsewhere"
				case "a key that is revoked":
					secret, _ = c.key("anna:secret", "{}")
				}
				anna := connect(t, c.broker, connectOptions{
					id: "gone", v5: v5, user: user, password: secret, will: &message{topic: topic, payload: []byte("x"), qos: 1},
				})
				if lose(c, secret); name == "another policy" {
					c.awaitRights(name)
					anna.Close()
				}
				if name == "other rights, which allow it" {
					if m := boss.message(t); m.topic != topic {
						t.Errorf("told of %s", m.topic)
					}
					return
				}
				eventually(t, "the will is refused", func() bool { return strings.Contains(c.log.String(), "will refused") })
				boss.put(t, "home/end", "")
				if got := boss.before(t, "home/end"); len(got) > 0 {
					t.Errorf("the boss is told %q", got)
				}
			})
		}
	}
}

// So it is without a policy, and after a crash.
func TestNobodyLeavesAWillBehindAfterACrash(t *testing.T) {
	t.Parallel()
	s := startStaff(t)
	connect(t, s.broker, connectOptions{
		id: "gone", v5: true, expiry: 3600, user: "bert", password: "secret", will: &message{topic: "home/gone", payload: []byte("x"), qos: 1},
	})
	connect(t, s.broker, connectOptions{
		id: "stays", v5: true, expiry: 3600, user: "anna", password: "secret", will: &message{topic: "home/stays", payload: []byte("x"), qos: 1, retain: true},
	})
	s.kill()
	s.passwd("other", "bert")
	s.broker = startBroker(t, brokerOptions{dir: s.dir, config: fmt.Sprintf("{anonymous: none, users: %q}", filepath.Clean(s.users))})
	eventually(t, "the will is refused", func() bool { return strings.Contains(s.log.String(), "will refused") })
	anna := connect(t, s.broker, connectOptions{v5: true, user: "anna", password: "secret"})
	anna.subscribe(t, "home/#")
	if m := anna.message(t); m.topic != "home/stays" {
		t.Errorf("told of %s", m.topic)
	}
}

// A retained message is given by the rights of whoever subscribes, as they are then.
func TestARetainedMessageIsNotToldWithoutTheRight(t *testing.T) {
	t.Parallel()
	for version, v5 := range versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			c := startCompany(t)
			boss := c.connect("carl", true)
			for topic, text := range map[string]string{"home/anna/mail": "x", "home/anna/lamp": "on", "fleet/trucks/a": `{"tenant":"acme"}`} {
				boss.publish(t, message{topic: topic, payload: []byte(text), qos: 1, retain: true})
			}
			anna := c.connect("anna", v5)
			anna.subscribe(t, "home/anna/+", "fleet/trucks/+", "home/anna/end/#")
			for range 3 {
				anna.message(t)
			}
			changed := strings.Replace(policy, "news/secret", "home/anna/mail", 1)
			c.write(strings.Replace(changed, "view: {equals: {tenant: {$auth: tenant}}}", "view: {equals: {tenant: other}}", 1))
			c.awaitRights("")
			again := c.connect("anna", v5) // another session, and the same
			for _, w := range []*wire{again, anna} {
				w.subscribe(t, "home/anna/+", "fleet/trucks/+", "#", "home/anna/end/#")
				boss.put(t, "home/anna/end/now", "")
				for _, text := range w.before(t, "home/anna/end/now") {
					if !strings.HasPrefix(text, "home/anna/lamp") && !strings.HasPrefix(text, "home/anna/end") {
						t.Errorf("told %s", text)
					}
				}
			}
		})
	}
}
