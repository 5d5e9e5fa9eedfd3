package integration

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// A gate is one way by which anna makes requests; the answer is the text of its envelope.
type gate struct {
	name  string
	opens func(t *testing.T, c *company) func(request string) string
}

// gates are HTTP, MQTT in each version and at each QoS on both topics, and Kuzzle's protocol,
// where the connection or each request says who asks.
func gates() []gate {
	all := []gate{
		{name: "HTTP", opens: func(t *testing.T, c *company) func(string) string {
			t.Helper()
			return func(request string) string { return c.httpAs("anna:secret", request) }
		}},
		{name: "Kuzzle, signed in by the connection", opens: func(t *testing.T, c *company) func(string) string {
			t.Helper()
			return c.talk(t, "anna:secret", "")
		}},
		{name: "Kuzzle, signed in by each request", opens: func(t *testing.T, c *company) func(string) string {
			t.Helper()
			return c.talk(t, "", c.login("anna"))
		}},
	}
	for version, v5 := range versions() {
		for qos := range byte(3) {
			for _, topic := range []string{"$ambit/request", "Kuzzle/request"} {
				all = append(all, gate{name: fmt.Sprintf("%s, QoS %d, %s", version, qos, topic), opens: func(t *testing.T, c *company) func(string) string {
					t.Helper()
					w := c.connect("anna", v5)
					return func(request string) string {
						m := message{topic: topic, payload: []byte(request), qos: qos}
						if qos == 0 {
							w.send(t, publishPacket(m, v5))
						} else if a := w.publish(t, m); a.code != 0 {
							t.Errorf("%s: %#x", request, a.code)
						}
						return string(w.message(t).payload)
					}
				}})
			}
		}
	}
	return all
}

func (c *company) httpAs(login, request string) string {
	name, password, _ := strings.Cut(login, ":")
	_, rest, _ := strings.Cut(request, `"controller":"`)
	controller, rest, _ := strings.Cut(rest, `","action":"`)
	action, _, _ := strings.Cut(rest, `"`)
	return c.httpPost(controller+"/"+action, request, func(r *http.Request) { r.SetBasicAuth(name, password) })
}

// talk opens a WebSocket of Kuzzle's protocol, by a login or with a token in each request, and
// returns what asks there.
func (c *company) talk(t *testing.T, login, token string) func(request string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	o := &websocket.DialOptions{HTTPHeader: http.Header{}}
	if login != "" {
		o.HTTPHeader.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(login)))
	}
	ws, _, err := websocket.Dial(ctx, "ws://"+c.http+"/", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() }) // it may be closed
	return func(request string) string {
		if token != "" {
			request = strings.Replace(request, "{", `{"jwt":"`+token+`",`, 1)
		}
		if err := ws.Write(ctx, websocket.MessageText, []byte(request)); err != nil {
			t.Fatal(err)
		}
		for {
			_, text, err := ws.Read(ctx)
			if err != nil {
				t.Fatalf("%s: %v", request, err)
			}
			if !strings.Contains(string(text), `"type":"document"`) { // what a room tells
				return string(text)
			}
		}
	}
}

// What anna may ask for is the same by every way in.
func TestTheAPIHoldsToThePolicyByEveryWayIn(t *testing.T) {
	t.Parallel()
	c := startCompany(t)
	c.write(strings.Replace(policy, `"realtime:*"]`, `"realtime:*", "bulk:*"]`, 1))
	c.awaitRights("")
	boss := c.connect("carl", true)
	boss.put(t, "fleet/trucks/a", `{"tenant":"acme","phone":"1"}`)
	boss.put(t, "fleet/trucks/b", `{"tenant":"other","phone":"2"}`)
	const forbidden = "security.rights.forbidden"
	for _, g := range gates() {
		ask := g.opens(t, c)
		for _, tt := range []struct{ action, request, want string }{
			{"document:get", `"_id":"a"`, `"tenant":"acme"`},
			{"document:get", `"_id":"b"`, "services.storage.not_found"},
			{"document:mGet", `"body":{"ids":["a","b"]}`, `"errors":["b"]`},
			{"document:search", ``, `"total":1`},
			{"document:search", `"body":{"query":{"equals":{"phone":"1"}}}`, forbidden},
			{"document:count", ``, `"count":1`},
			{"document:update", `"_id":"b","body":{"n":1}`, forbidden},
			{"document:update", `"_id":"a","body":{"tenant":"other"}`, forbidden},
			{"document:update", `"_id":"a","source":true,"body":{"n":1}`, `"n":1`},
			{"document:create", `"_id":"c","body":{"tenant":"other"}`, forbidden},
			{"document:delete", `"_id":"b"`, forbidden},
			{"document:deleteByQuery", `"body":{"query":{"equals":{"tenant":"other"}}}`, `"ids":[]`},
			{"bulk:write", `"_id":"b","body":{"tenant":"acme"}`, forbidden},
			{"bulk:write", `"_id":"c","body":{"tenant":"other"}`, forbidden},
			{"bulk:mWrite", `"body":{"documents":[{"_id":"b","body":{"tenant":"acme"}}]}`, `"successes":[]`},
			{"bulk:import", `"body":{"bulkData":[{"delete":{"_id":"b"}},{"update":{"_id":"b"}},{"doc":{"n":1}},{"index":{"_id":"c"}},{"tenant":"other"}]}`, `"successes":[]`},
			{"bulk:updateByQuery", `"body":{"query":{},"changes":{"tenant":"other"}}`, `"updated":0`},
			{"bulk:updateByQuery", `"body":{"query":{"equals":{"tenant":"other"}},"changes":{"n":1}}`, `"updated":0`},
			{"bulk:deleteByQuery", `"body":{"query":{"equals":{"tenant":"other"}}}`, `"deleted":0`},
			{"realtime:subscribe", `"body":{"equals":{"phone":"1"}}`, forbidden},
			{"realtime:subscribe", `"body":{}`, `"roomId"`},
			{"realtime:publish", `"body":{}`, forbidden},
			{"collection:truncate", ``, forbidden},
			{"room:create", `"name":"mine","body":{}`, forbidden},
			{"security:createApiKey", `"userId":"carl"`, forbidden},
			{"auth:getCurrentUser", ``, `"anna"`},
		} {
			controller, action, _ := strings.Cut(tt.action, ":")
			request := fmt.Sprintf(`{"controller":%q,"action":%q,"index":"fleet","collection":"trucks"`, controller, action)
			if tt.request != "" {
				request += "," + tt.request
			}
			got := ask(request + "}")
			_, told, _ := strings.Cut(got, `"result":`)
			if !strings.Contains(got, tt.want) || strings.Contains(told, "phone") {
				t.Errorf("%s: %s\nis answered %s", g.name, request, got)
			}
		}
		answer := ask(`{"controller":"document","action":"update","index":"fleet","collection":"trucks","_id":"b","silent":true,"body":{"n":1}}`)
		if !strings.Contains(answer, `"result":null`) {
			t.Errorf("%s: a silent write is answered %s", g.name, answer)
		}
	}
	if result, id := c.ask("carl:secret", "document", "search", `{"index":"fleet","collection":"trucks","body":{"sort":["_id"]}}`); id != "" ||
		!strings.Contains(result, `"total":2`) || !strings.Contains(result, `{"tenant":"other","phone":"2"`) {
		t.Errorf("at the end there are %s %s", result, id)
	}
}

// Over a WebSocket of Kuzzle's protocol a room tells what over MQTT it would: not of what is of
// others, and without what is hidden.
func TestRoomsTellKuzzlesClientsWhatTheyMaySee(t *testing.T) {
	t.Parallel()
	c := startCompany(t)
	boss := c.connect("carl", true)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, "ws://"+c.http+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }() // it may be closed
	ask := fmt.Sprintf(`{"controller":"realtime","action":"subscribe","jwt":%q,"index":"fleet","collection":"trucks","body":{}}`, c.login("anna"))
	if err := ws.Write(ctx, websocket.MessageText, []byte(ask)); err != nil {
		t.Fatal(err)
	}
	if _, text, err := ws.Read(ctx); err != nil || !strings.Contains(string(text), `"status":200`) {
		t.Fatalf("%s %v", text, err)
	}
	boss.put(t, "fleet/trucks/b", `{"tenant":"other","phone":"2"}`)
	boss.put(t, "fleet/trucks/a", `{"tenant":"acme","phone":"1"}`)
	boss.put(t, "fleet/trucks/a", `{"tenant":"other","phone":"1","secret":"yes"}`)
	for _, want := range []string{`"scope":"in"`, `"scope":"out"`} {
		_, text, err := ws.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(text); !strings.Contains(got, want) || !strings.Contains(got, `"_id":"a"`) || strings.Contains(got, "phone") || strings.Contains(got, "secret") {
			t.Errorf("told %s, want %s", got, want)
		}
	}
	for _, page := range []struct{ origin, want string }{{"https://elsewhere.example", "403"}, {"http://" + c.http, ""}} {
		ws, _, err := websocket.Dial(ctx, "ws://"+c.http+"/", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {page.origin}}})
		if (err == nil) != (page.want == "") || err != nil && !strings.Contains(err.Error(), page.want) {
			t.Errorf("from a page of %s: %v", page.origin, err)
		}
		if err == nil {
			_ = ws.CloseNow() // nothing was said
		}
	}
}
