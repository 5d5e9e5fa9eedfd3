package integration

import (
	"context"
	"net"
	"os/exec"
	"strings"
	"testing"
)

func TestTheAPIHoldsToThePolicy(t *testing.T) {
	t.Parallel()
	c := startCompany(t)
	boss := c.connect("carl", true)
	boss.put(t, "fleet/trucks/a", `{"tenant":"acme","phone":"1"}`)
	boss.put(t, "fleet/trucks/b", `{"tenant":"other","phone":"2"}`)
	at := `"index":"fleet","collection":"trucks"`
	for _, tt := range []struct{ action, request, want string }{
		{"document:get", `{"_id":"a",` + at + `}`, `"tenant":"acme"`},
		{"document:get", `{"_id":"b",` + at + `}`, "services.storage.not_found"},
		{"document:exists", `{"_id":"b",` + at + `}`, "false"},
		{"document:mGet", `{"body":{"ids":["a","b"]},` + at + `}`, `"errors":["b"]`},
		{"document:search", `{` + at + `}`, `"total":1`},
		{"document:count", `{` + at + `}`, `"count":1`},
		{"document:search", `{"body":{"query":{"equals":{"phone":"1"}}},` + at + `}`, "security.rights.forbidden"},
		{"document:search", `{"body":{"sort":["phone"]},` + at + `}`, "security.rights.forbidden"},
		{"document:update", `{"_id":"b","body":{"n":1},` + at + `}`, "security.rights.forbidden"},
		{"document:update", `{"_id":"a","body":{"tenant":"other"},` + at + `}`, "security.rights.forbidden"},
		{"document:update", `{"_id":"a","source":true,"body":{"n":1},` + at + `}`, `"n":1`},
		{"document:create", `{"_id":"c","body":{"tenant":"other"},` + at + `}`, "security.rights.forbidden"},
		{"document:delete", `{"_id":"b",` + at + `}`, "security.rights.forbidden"},
		{"document:deleteByQuery", `{"body":{"query":{"equals":{"tenant":"other"}}},` + at + `}`, `"ids":[]`},
		{"realtime:subscribe", `{"body":{"equals":{"phone":"1"}},` + at + `}`, "security.rights.forbidden"},
		{"realtime:subscribe", `{"rule":"view","body":{"ids":{"values":["b"]}},` + at + `}`, "&rule=view"},
		{"realtime:subscribe", `{"rule":"view","body":{"exists":"n"},` + at + `}`, "api.assert.koncorde_dsl_error"},
		{"realtime:subscribe", `{"rule":"view","body":{"and":[{"ids":{"values":["a"]}},{"exists":"phone"}]},` + at + `}`, "security.rights.forbidden"},
		{"realtime:subscribe", `{"rule":"view","body":{"ids":{"values":["a"]}},"index":"fleet","collection":"vans"}`, "security.rights.forbidden"},
		{"realtime:subscribe", `{"rule":"create","body":{},` + at + `}`, "api.assert.invalid_argument"},
		{"realtime:publish", `{"body":{},` + at + `}`, "security.rights.forbidden"},
		{"collection:truncate", `{` + at + `}`, "security.rights.forbidden"},
		{"document:get", `{"_id":"a","index":"fleet","collection":"vans"}`, "security.rights.forbidden"},
		{"auth:getCurrentUser", `{}`, `"anna"`},
	} {
		controller, action, _ := strings.Cut(tt.action, ":")
		result, id := c.ask("anna:secret", controller, action, tt.request)
		if got := result + id; !strings.Contains(got, tt.want) || strings.Contains(got, "phone") {
			t.Errorf("over HTTP, %s %s: %s", tt.action, tt.request, got)
		}
	}
	if lines := c.export("anna:secret"); !strings.HasPrefix(lines, `{"collection":"trucks",`) || !strings.Contains(lines, `{"_id":"a",`) || strings.Contains(lines, "phone") || strings.Count(lines, "_id") != 1 {
		t.Errorf("anna exports %s", lines)
	}
	if result, _ := c.ask("carl:secret", "document", "get", `{"_id":"a",`+at+`}`); !strings.Contains(result, `"phone":"1"`) {
		t.Errorf("the boss is told %s", result)
	}
	anna := c.connect("anna", false)
	for _, tt := range []struct{ request, want string }{
		{`{"controller":"document","action":"get","_id":"b",` + at + `}`, "services.storage.not_found"},
		{`{"controller":"index","action":"list"}`, "security.rights.forbidden"},
	} {
		anna.publish(t, message{topic: "$ambit/request", payload: []byte(tt.request), qos: 1})
		if m := anna.message(t); !strings.Contains(string(m.payload), tt.want) {
			t.Errorf("over MQTT, %s: %s", tt.request, m.payload)
		}
	}
}

// export returns all trucks that somebody exports, by curl.
func (c *company) export(login string) string {
	c.t.Helper()
	need(c.t, "curl")
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	text, err := exec.CommandContext(ctx, "curl", "-sSf", "-u", login, "http://"+c.http+"/api/document/export", "-d", `{"index":"fleet","collection":"trucks"}`).CombinedOutput()
	if err != nil {
		c.t.Fatalf("%v: %s", err, text)
	}
	return string(text)
}

// A rule is changed while anna is connected, and again while she is away: at the end she
// knows what she may see, and of what is not hers any more she is told that it has left.
func TestARightThatIsLostIsToldAsExit(t *testing.T) {
	t.Parallel()
	c := startCompany(t)
	boss := c.connect("carl", true)
	boss.put(t, "fleet/trucks/a", `{"tenant":"acme","desk":"1"}`)
	o := connectOptions{id: "anna", user: "anna", password: "secret", v5: true, keep: true, expiry: 3600}
	anna := connect(t, c.broker, o)
	anna.subscribe(t, "$scope/fleet/trucks/?{}/+", "fleet/trucks/?", "home/anna/#")
	boss.put(t, "home/anna/end", "")
	anna.before(t, "home/anna/end")
	c.write(strings.Replace(policy, "list: {equals: {tenant: {$auth: tenant}}}", "list: {equals: {desk: '2'}}", 1))
	left := map[string]string{}
	for len(left) < 2 {
		m := anna.message(t)
		left[m.topic] = string(m.payload)
	}
	if left["$scope/fleet/trucks/?{}/a"] != "" || !strings.Contains(left["fleet/trucks/?"], `"transition":"exit"`) || strings.Contains(left["fleet/trucks/?"], "desk") {
		t.Errorf("told %q", left)
	}
	anna.Close()
	boss.put(t, "home/anna/mail", "for you")
	c.write(strings.ReplaceAll(policy, `"home/%u/#"`, `"home/%u"`))
	eventually(t, "the policy is read again", func() bool {
		again := c.connect("bert", true)
		defer again.Close()
		return again.subscribe(t, "home/bert/x").codes[0] == 0x87
	})
	anna = connect(t, c.broker, o)
	entered := map[string]string{}
	for len(entered) < 2 {
		m := anna.message(t)
		if m.topic == "home/anna/mail" {
			t.Fatal("a message is told whose right is lost")
		}
		entered[m.topic] = string(m.payload)
	}
	if !strings.Contains(entered["$scope/fleet/trucks/?{}/a"], `"tenant":"acme"`) || !strings.Contains(entered["fleet/trucks/?"], `"transition":"enter"`) {
		t.Errorf("told %q", entered)
	}
}

// Who is told by a name is in the room of what he may find there: others do not learn of him,
// neither when he comes nor when the name points to another filter.
func TestWhoIsInARoomByItsNameIsForThoseWhoMayFindTheSame(t *testing.T) {
	t.Parallel()
	c := startCompany(t)
	name := func(action, filter string) {
		if result, id := c.ask("carl:secret", "room", action, `{"index":"fleet","collection":"trucks","name":"zone","body":`+filter+`}`); id != "" {
			t.Fatalf("room:%s: %s %s", action, result, id)
		}
	}
	name("create", `{"equals":{"tenant":"acme"}}`)
	all := []*wire{c.connect("anna", true), c.connect("bert", false), c.connect("carl", true)}
	for _, w := range all {
		w.subscribe(t, "fleet/trucks/@zone")
	}
	for i, filter := range []string{"", slow, fast} {
		if filter != "" {
			name("update", filter)
		}
		for j, w := range all {
			if i == 0 {
				w.subscribe(t, "$presence/rooms/fleet/trucks/@zone")
			}
			if got := w.members(t, "$presence/rooms/fleet/trucks/@zone"); got != 1 {
				t.Errorf("after %q, %d is told of %d", filter, j, got)
			}
		}
	}
}

// Foreign clients are refused and served alike.
func TestMosquittoIsHeldToThePolicy(t *testing.T) {
	t.Parallel()
	need(t, "mosquitto_pub")
	c := startCompany(t)
	host, port, err := net.SplitHostPort(c.mqtt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for topic, ok := range map[string]bool{"home/anna/lamp": true, "home/bert/lamp": false} {
		out, err := exec.CommandContext(ctx, "mosquitto_pub", "-h", host, "-p", port, "-V", "5", "-q", "1", "-u", "anna", "-P", "secret", "-t", topic, "-m", "on").CombinedOutput()
		if refused := err != nil || strings.Contains(string(out), "authorized"); refused == ok {
			t.Errorf("%s: %v %s", topic, err, out)
		}
	}
}

// Ways around the rules: what is told of rooms, clients, channels and collections to those who
// may not see what these are about, and of hidden fields by what asks about them.
func TestNobodyIsToldAroundTheRules(t *testing.T) {
	t.Parallel()
	c := startCompany(t)
	open := strings.Replace(policy, `api: ["document:*", "realtime:*"]`,
		`api: ["document:*", "realtime:*", "room:*", "presence:*", "channel:*", "index:*", "collection:*"]`, 1)
	c.write(strings.Replace(open, `topic: "$presence/clients/+"}`, `topic: "$presence/clients/+"}
      - {allow: subscribe, topic: "$channel/#"}`, 1))
	c.awaitRights("")
	boss := connect(t, c.broker, connectOptions{id: "carls", user: "carl", password: "secret", v5: true})
	boss.put(t, "fleet/trucks/a", `{"tenant":"acme","phone":"555"}`)
	boss.put(t, "fleet/vans/v", `{"plate":"X1"}`)
	boss.put(t, "secret/plans/p", `{"n":1}`)
	hash := string(boss.ask(t, `{"controller":"realtime","action":"subscribe","index":"fleet","collection":"vans","body":{}}`).Result)
	hash = hash[strings.Index(hash, `"roomId":"`)+10:][:32]
	boss.subscribe(t, "fleet/vans/?{}&users=all")
	for _, request := range []string{
		`{"controller":"room","action":"create","index":"fleet","collection":"vans","name":"stolen","body":{"equals":{"plate":"X1"}}}`,
		`{"controller":"channel","action":"join","channel":"board"}`,
	} {
		if a := boss.ask(t, request); a.Status != 200 {
			t.Fatalf("%s: %+v", request, a.Error)
		}
	}
	vans, trucks := `"index":"fleet","collection":"vans"`, `"index":"fleet","collection":"trucks"`
	const forbidden, noRoom = "security.rights.forbidden", "core.realtime.room_not_found"
	for _, tt := range []struct{ action, request, want string }{
		{"realtime:explain", `{` + trucks + `,"_id":"a","body":{"query":{"equals":{"phone":"1"}}}}`, `"matches":false`},
		{"realtime:explain", `{` + trucks + `,"_id":"a","body":{"query":{"prefix":{"phone":"5"}}}}`, `"matches":false`},
		{"realtime:explain", `{` + trucks + `,"_id":"a","body":{"query":{"equals":{"tenant":"acme"}}}}`, `"matches":true`},
		{"realtime:explain", `{` + vans + `,"_id":"v","body":{"name":"stolen"}}`, forbidden},
		{"room:get", `{` + vans + `,"name":"stolen"}`, forbidden},
		{"room:list", `{` + vans + `}`, `"total":0`},
		{"room:list", `{}`, `"total":0`},
		{"room:update", `{` + vans + `,"name":"stolen","body":{"equals":{"plate":"X2"}}}`, forbidden},
		{"room:delete", `{` + vans + `,"name":"stolen"}`, forbidden},
		{"room:create", `{` + vans + `,"name":"mine","body":{}}`, forbidden},
		{"presence:get", `{"_id":"carls"}`, "core.realtime.unknown_client"},
		{"presence:list", `{"body":{"roomId":"` + hash + `"}}`, noRoom},
		{"presence:list", `{"body":{"roomId":"fleet/vans/@stolen"}}`, noRoom},
		{"realtime:count", `{"body":{"roomId":"` + hash + `"}}`, noRoom},
		{"realtime:join", `{"body":{"roomId":"` + hash + `"}}`, noRoom},
		{"channel:list", `{}`, `{"channels":{}}`},
		{"channel:members", `{"channel":"board"}`, forbidden},
		{"index:stats", `{}`, `"size":0`},
		{"collection:list", `{"index":"secret"}`, `"collections":[]`},
		{"collection:list", `{"index":"fleet"}`, `"collections":[{"name":"trucks","type":"stored"}]`},
		{"collection:exists", `{"index":"secret","collection":"plans"}`, "false"},
		{"index:list", `{}`, `{"indexes":["fleet"]}`},
		{"index:exists", `{"index":"secret"}`, "false"},
		{"index:delete", `{"index":"fleet"}`, forbidden},
	} {
		controller, action, _ := strings.Cut(tt.action, ":")
		result, id := c.ask("anna:secret", controller, action, tt.request)
		got := result + id
		if !strings.Contains(got, tt.want) || strings.Contains(got, "555") || strings.Contains(got, "X1") || strings.Contains(got, "plans") {
			t.Errorf("%s %s: %s", tt.action, tt.request, got)
		}
	}
	for action, want := range map[string]string{"room:list": `"total":1`, "channel:list": `"board":1`, "index:stats": `"vans"`, "index:list": `"secret"`} {
		controller, action, _ := strings.Cut(action, ":")
		if result, id := c.ask("carl:secret", controller, action, "{}"); !strings.Contains(result, want) {
			t.Errorf("the boss asks %s: %s %s", action, result, id)
		}
	}
}
