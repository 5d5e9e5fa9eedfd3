package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// An envelope is the part of an answer that does not differ from one to the next.
type envelope struct {
	Status int
	Error  *struct{ ID string }
	Result json.RawMessage
}

// A way is one by which requests are made.
type way struct {
	name string
	ask  func(t *testing.T, b *broker, request string) envelope
}

func ways() []way {
	return []way{
		{"http", askHTTP},
		{"mosquitto_rr-5", mosquittoAsks("5", "$ambit/request", "answers/me", "1")},
		{"mosquitto_rr-3.1.1", mosquittoAsks("311", "$ambit/request", "$ambit/response", "0")},
		{"mosquitto_rr-kuzzle", mosquittoAsks("311", "Kuzzle/request", "Kuzzle/response", "2")},
	}
}

func askHTTP(t *testing.T, b *broker, request string) envelope {
	t.Helper()
	var names struct{ Controller, Action string }
	if err := json.Unmarshal([]byte(request), &names); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	url := fmt.Sprintf("http://%s/api/%s/%s", b.http, names.Controller, names.Action)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(request))
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := readAnswer(t, text)
	if a.Status != response.StatusCode {
		t.Errorf("status %d of %s", response.StatusCode, text)
	}
	return a
}

func mosquittoAsks(version, topic, response, qos string) func(*testing.T, *broker, string) envelope {
	return func(t *testing.T, b *broker, request string) envelope {
		t.Helper()
		need(t, "mosquitto_rr")
		host, port, err := net.SplitHostPort(b.mqtt)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		text, err := exec.CommandContext(ctx, "mosquitto_rr", "-h", host, "-p", port, "-V", version, "-q", qos,
			"-t", topic, "-e", response, "-m", request).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		return readAnswer(t, text)
	}
}

func readAnswer(t *testing.T, text []byte) envelope {
	t.Helper()
	var a envelope
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return a
}

// Every controller answers alike, whatever a request comes in by.
func TestRequestsAreAnsweredAlike(t *testing.T) {
	t.Parallel()
	for _, by := range ways() {
		t.Run(by.name, func(t *testing.T) {
			t.Parallel()
			b := startBroker(t, brokerOptions{})
			for _, step := range []struct{ request, id, result string }{
				{request: `{"controller":"index","action":"create","index":"zoo"}`, result: `{"acknowledged":true}`},
				{request: `{"controller":"index","action":"create","index":"zoo"}`, id: "services.storage.index_already_exists"},
				{request: `{"controller":"collection","action":"create","index":"zoo","collection":"cats"}`, result: `{"acknowledged":true}`},
				{request: `{"controller":"collection","action":"list","index":"zoo"}`, result: `{"type":"all","collections":[{"name":"cats","type":"stored"}]}`},
				{request: `{"controller":"document","action":"upsert","index":"zoo","collection":"cats","_id":"tom","body":{"changes":{"age":3}}}`, result: `{"_id":"tom","_version":1,"created":true}`},
				{request: `{"controller":"document","action":"delete","index":"zoo","collection":"cats","_id":"jerry"}`, id: "services.storage.not_found"},
				{request: `{"controller":"document","action":"count","index":"zoo","collection":"cats","body":{"query":{"range":{"age":{"gte":3}}}}}`, result: `{"count":1,"scanned":1,"partial":false}`},
				{request: `{"controller":"realtime","action":"publish","index":"zoo","collection":"cats","body":{}}`, result: `{"published":true}`},
				{request: `{"controller":"realtime","action":"list"}`, result: `{}`},
				{request: `{"controller":"server","action":"healthCheck"}`, result: `{"status":"green","services":{"storage":"green"}}`},
				{request: `{"controller":"auth","action":"login","body":{"username":"anna","password":"x"}}`, id: "plugin.strategy.missing_user"},
				{request: `{"controller":"auth","action":"createApiKey"}`, id: "security.rights.unauthorized"},
				{request: `{"controller":"nobody","action":"login"}`, id: "api.process.controller_not_found"},
			} {
				a := by.ask(t, b, step.request)
				switch {
				case step.id != "" && (a.Error == nil || a.Error.ID != step.id):
					t.Errorf("%s\nis answered %+v, want %s", step.request, a, step.id)
				case step.id == "" && (a.Status != 200 || string(a.Result) != step.result):
					t.Errorf("%s\nis answered %d %s, want %s", step.request, a.Status, a.Result, step.result)
				}
			}
		})
	}
}

// What was answered is on disk.
func TestWhatWasAnsweredSurvivesKill(t *testing.T) {
	t.Parallel()
	b := startBroker(t, brokerOptions{})
	for i := range 20 {
		if a := askHTTP(t, b, fmt.Sprintf(`{"controller":"document","action":"create","index":"zoo","collection":"cats","_id":"%d","body":{}}`, i)); a.Status != 200 {
			t.Fatalf("%+v", a)
		}
	}
	b.kill()
	b = startBroker(t, brokerOptions{dir: b.dir})
	if a := askHTTP(t, b, `{"controller":"document","action":"count","index":"zoo","collection":"cats"}`); string(a.Result) != `{"count":20,"scanned":20,"partial":false}` {
		t.Errorf("%s", a.Result)
	}
}

// What is written over HTTP reaches a room, with 3.1.1 and 5.
func TestARoomIsToldOfRequestsOverHTTP(t *testing.T) {
	t.Parallel()
	b := startBroker(t, brokerOptions{})
	for _, v5 := range []bool{false, true} {
		room := connect(t, b, connectOptions{v5: v5})
		room.granted(t, `zoo/cats/?{"exists":"age"}&payload=document`)
		if a := askHTTP(t, b, `{"controller":"document","action":"createOrReplace","index":"zoo","collection":"cats","_id":"tom","body":{"age":3}}`); a.Status != 200 {
			t.Fatalf("%+v", a)
		}
		if got := room.message(t); string(got.payload) != `{"age":3}` {
			t.Errorf("the room is told %s", got.payload)
		}
	}
}
