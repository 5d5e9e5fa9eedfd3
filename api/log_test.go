package api

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
)

func TestRequestsAreLoggedWithTheirIDAndNotWithSecrets(t *testing.T) {
	var text bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))
	c := &call{opts: &Options{Log: log}, from: Caller{ClientID: "dev", User: "ann", Protocol: "mqtt"}}
	c.RequestID, c.Controller, c.Action, c.Index = strings.Repeat("r", 300), "auth", "login", "fleet"
	c.log(Response{Status: 401}, badLogin.with("wrong username or password"))
	var line map[string]any
	if err := json.Unmarshal(text.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"level": "DEBUG", "msg": "request", "controller": "auth", "action": "login", "status": 401.0, "client": "dev", "user": "ann",
		"index": "fleet", "error": "wrong username or password", "request_id": strings.Repeat("r", maxLogBytes) + "…",
	} {
		if line[key] != want {
			t.Errorf("%s is %v, want %v", key, line[key], want)
		}
	}
	text.Reset()
	c.opts.Log = slog.New(slog.NewJSONHandler(&text, nil)) // of level info
	c.log(Response{Status: 200}, nil)
	c.log(Response{Status: 404}, missing.with("x"))
	if text.Len() > 0 {
		t.Errorf("at level info: %s", text.String())
	}
	c.log(Response{Status: 500}, missing.with("x"))
	if !strings.Contains(text.String(), `"level":"ERROR"`) {
		t.Errorf("a fault of the broker: %s", text.String())
	}
}
