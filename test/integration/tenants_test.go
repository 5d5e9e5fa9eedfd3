package integration

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// What a search tells besides its hits says nothing of the documents of others: an index finds
// them by what is in them.
func TestASearchTellsNothingOfTheDocumentsOfOthers(t *testing.T) {
	t.Parallel()
	c := startCompanyWith(t, "collections: [{name: fleet/trucks, index: [plate]}]\nlimits: {scan_documents: 1000}\n")
	boss := c.connect("carl", true)
	boss.put(t, "fleet/trucks/ours", `{"tenant":"acme","plate":"B-1"}`)
	boss.put(t, "fleet/trucks/theirs", `{"tenant":"other","plate":"B-2"}`)
	for i := range 1100 {
		boss.publish(t, message{topic: fmt.Sprintf("fleet/trucks/a%04d", i), payload: []byte(`{"tenant":"other"}`), qos: 1})
	}
	at := `"index":"fleet","collection":"trucks"`
	asks := func(user, body string) (result struct {
		Hits []struct {
			ID string `json:"_id"`
		}
		Scanned int
		Partial bool
		Index   string
		Cursor  string
	}) {
		text, id := c.ask(user+":secret", "document", "search", `{`+body+at+`}`)
		if err := json.Unmarshal([]byte(text), &result); err != nil {
			t.Fatalf("%v: %s %s", err, text, id)
		}
		return result
	}
	for plate, want := range map[string]int{"B-1": 1, "B-2": 0, "B-3": 0} {
		got := asks("anna", `"body":{"query":{"equals":{"plate":"`+plate+`"}}},`)
		if got.Scanned != want || len(got.Hits) != want || got.Index != "plate" {
			t.Errorf("plate %s: %+v", plate, got)
		}
	}
	all := asks("anna", "")
	if !all.Partial || all.Scanned != 0 || all.Cursor == "" {
		t.Fatalf("all: %+v", all)
	}
	if text, err := base64.RawURLEncoding.DecodeString(all.Cursor); err != nil || strings.Contains(string(text), "a0999") {
		t.Errorf("the cursor is %q, %v", text, err)
	}
	if next := asks("anna", `"cursor":"`+all.Cursor+`",`); len(next.Hits) != 1 || next.Hits[0].ID != "ours" || next.Scanned != 1 {
		t.Errorf("behind the cursor: %+v", next)
	}
	if text, id := c.ask("bert:secret", "document", "search", `{"cursor":"`+all.Cursor+`",`+at+`}`); id == "" {
		t.Errorf("a cursor of somebody else is taken: %s", text)
	}
}

// Who may write a document that he does not see is told of it what he has sent himself.
func TestWhoWritesWithoutSeeingIsToldWhatHeHasSent(t *testing.T) {
	t.Parallel()
	c := startCompany(t)
	c.write(strings.Replace(policy, "update: {equals: {tenant: {$auth: tenant}}}", "update: {}", 1))
	c.awaitRights("update")
	c.connect("carl", true).put(t, "fleet/trucks/b", `{"tenant":"other","phone":"555"}`)
	for _, action := range []string{"update", "mUpdate", "upsert"} {
		request := `{"_id":"b","body":{"n":1},"index":"fleet","collection":"trucks"}`
		switch action {
		case "mUpdate":
			request = `{"body":{"documents":[{"_id":"b","body":{"n":1}}]},"index":"fleet","collection":"trucks"}`
		case "upsert":
			request = `{"_id":"b","source":true,"body":{"changes":{"n":1}},"index":"fleet","collection":"trucks"}`
		}
		result, id := c.ask("anna:secret", "document", action, request)
		if id != "" || strings.Contains(result, "carl") || strings.Contains(result, "other") || action != "upsert" && !strings.Contains(result, `"_source":{"n":1}`) {
			t.Errorf("%s: %s %s", action, result, id)
		}
	}
}

// A token in a request that does not count is told to who reads the log.
func TestATokenInARequestThatIsRefusedIsTold(t *testing.T) {
	t.Parallel()
	c := startCompany(t)
	if _, id := c.ask("anna:secret", "server", "now", `{"requestId":"forged","jwt":"eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYXJsIn0."}`); id != "security.token.invalid" {
		t.Error(id)
	}
	eventually(t, "it is told", func() bool {
		return strings.Contains(c.log.String(), `"request_id":"forged","audit":"refused"`) && !strings.Contains(c.log.String(), "eyJ")
	})
}

// Rooms are of those who see the same of the documents: who is in the rooms of others, and that
// there are any, they do not learn; a boss does.
func TestRoomsOfOthersAreNotTold(t *testing.T) {
	t.Parallel()
	c := startCompany(t)
	c.write(strings.NewReplacer(
		`api: ["document:*", "realtime:*"]`, `api: ["document:*", "realtime:*", "room:*", "presence:*"]`,
		"view: {equals: {tenant: {$auth: tenant}}}", "view: {and: [{equals: {tenant: {$auth: tenant}}}, {exists: plate}]}",
	).Replace(policy))
	c.awaitRights("room")
	boss, anna, bert := c.connect("carl", true), c.connect("anna", true), c.connect("bert", true)
	for name, filter := range map[string]string{"all": `{}`, "called": `{"prefix":{"phone":"555"}}`} {
		if a := boss.ask(t, `{"controller":"room","action":"create","index":"fleet","collection":"trucks","name":"`+name+`","body":`+filter+`}`); a.Status != 200 {
			t.Fatal(a.Error)
		}
	}
	for _, w := range []*wire{boss, anna, bert} {
		w.subscribe(t, `fleet/trucks/?{"exists":"plate"}`, "fleet/trucks/@all")
	}
	ask := func(user, action, request string) string {
		controller, action, _ := strings.Cut(action, ":")
		result, id := c.ask(user+":secret", controller, action, request)
		return result + id
	}
	for user, want := range map[string]int{"anna": 2, "bert": 2, "carl": 6} {
		if got := ask(user, "room:listOpen", `{}`); strings.Count(got, `"members":1`) != want {
			t.Errorf("%s is told of %s", user, got)
		}
		if got := ask(user, "realtime:count", `{"body":{"roomId":"fleet/trucks/@all"}}`); got != `{"count":1}` {
			t.Errorf("%s: members of @all: %s", user, got)
		}
		if got := ask(user, "presence:list", `{"body":{"roomId":"fleet/trucks/@all"}}`); !strings.Contains(got, `"user":"`+user+`"`) || strings.Count(got, `"user"`) != 1 {
			t.Errorf("%s: in @all: %s", user, got)
		}
		if got := ask(user, "room:list", `{}`); strings.Contains(got, "555") != (user == "carl") {
			t.Errorf("%s: names: %s", user, got)
		}
	}
	view := `"index":"fleet","collection":"trucks","rule":"view","body":{"ids":{"values":["a"]}}`
	one, _, _ := strings.Cut(strings.TrimPrefix(ask("anna", "realtime:subscribe", "{"+view+"}"), `{"roomId":"`), `"`)
	anna.subscribe(t, `fleet/trucks/?{"ids":{"values":["a"]}}&rule=view`)
	for user, want := range map[string]string{"anna": `{"count":1}`, "bert": "room_not_found", "carl": `{"count":1}`} {
		if got := ask(user, "realtime:count", `{"body":{"roomId":"`+one+`"}}`); !strings.Contains(got, want) {
			t.Errorf("%s: members of a room of one record: %s", user, got)
		}
	}
	var all map[string]map[string]map[string]int
	if err := json.Unmarshal([]byte(ask("carl", "realtime:list", `{}`)), &all); err != nil {
		t.Fatal(err)
	}
	known := 0
	for hash := range all["fleet"]["trucks"] {
		for _, action := range []string{"realtime:count", "realtime:join", "presence:list"} {
			if got := ask("anna", action, `{"body":{"roomId":"`+hash+`"}}`); !strings.Contains(got, "room_not_found") {
				known++
				if action == "presence:list" && !strings.Contains(got, "anna") {
					t.Errorf("%s: %s", action, got)
				}
			}
		}
	}
	if known != 3*3 {
		t.Errorf("anna is told of %d rooms of %v", known/3, all)
	}
	for _, action := range []string{"room:get", "realtime:join"} {
		if got := ask("anna", action, `{"index":"fleet","collection":"trucks","name":"called","body":{"roomId":"fleet/trucks/@called"}}`); strings.Contains(got, "555") || !strings.Contains(got, "forbidden") && !strings.Contains(got, "not_found") {
			t.Errorf("%s of a filter by what is hidden: %s", action, got)
		}
	}
	if got := ask("anna", "room:create", `{"index":"fleet","collection":"trucks","name":"mine","body":{"prefix":{"phone":"5"}}}`); !strings.Contains(got, "forbidden") {
		t.Errorf("a name for a filter by what is hidden: %s", got)
	}
}
