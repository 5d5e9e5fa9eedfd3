package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// Whoever sets another password stays, and whatever came in by the old one ends within a
// second: connections of each kind, and tokens.
func TestAnotherPasswordEndsWhatTheOldOneLetIn(t *testing.T) {
	t.Parallel()
	for name, by := range map[string]string{"by the password": "secret", "by a token": "", "by SCRAM verifiers": "secret"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startStaff(t)
			if name == "by SCRAM verifiers" {
				s.passwd("secret", "bert", "--scram")
			}
			token := s.login("bert")
			if by == "" {
				by = s.login("bert")
			}
			key, _ := s.key("bert:secret", "{}")
			asks := connect(t, s.broker, connectOptions{v5: true, id: "asks", user: "bert", password: by})
			v5 := connect(t, s.broker, connectOptions{v5: true, id: "v5", user: "bert", password: "secret"})
			v3 := connect(t, s.broker, connectOptions{id: "v3", user: "bert", password: "secret"})
			byToken := connect(t, s.broker, connectOptions{v5: true, id: "token", user: "bert", password: token})
			byKey := connect(t, s.broker, connectOptions{v5: true, id: "key", user: "bert", password: key})
			other := connect(t, s.broker, connectOptions{v5: true, id: "other", user: "anna", password: "secret"})
			answer := string(asks.ask(t, `{"controller":"auth","action":"updateMyCredentials","strategy":"local","body":{"password":"another"}}`).Result)
			changed := time.Now()
			if !strings.Contains(answer, `"username":"bert","kuid":"bert"`) {
				t.Fatal(answer)
			}
			for name, w := range map[string]*wire{"MQTT 5": v5, "a token": byToken} {
				if code := w.awaitEnd(t); code != 0x87 {
					t.Errorf("%s: DISCONNECT 0x%02X", name, code)
				}
			}
			v3.awaitEnd(t)
			if took := time.Since(changed); took > time.Second {
				t.Errorf("it took %v", took)
			}
			for _, w := range []*wire{asks, byKey, other} {
				w.ping(t)
			}
			for login, want := range map[string]string{
				token: "security.token.invalid", "bert:secret": "security.rights.unauthorized", "bert:another": "", key: "", "anna:secret": "",
			} {
				if _, id := s.ask(login, "auth", "getCurrentUser", "{}"); id != want {
					t.Errorf("%s: %q, want %q", login, id, want)
				}
			}
			if by != "secret" {
				var a struct{ JWT string }
				if err := json.Unmarshal([]byte(answer), &a); err != nil || a.JWT == "" {
					t.Fatalf("no other token: %s", answer)
				}
				if _, id := s.ask(a.JWT, "auth", "getCurrentUser", "{}"); id != "" {
					t.Errorf("the other token: %s", id)
				}
			}
			noSecretIn(t, s.log.String(), "another", token)
			if !strings.Contains(s.log.String(), `"audit":"password_changed","user":"bert"`) {
				t.Error("the log does not say that the password was changed")
			}
		})
	}
}

func TestWhoMaySetWhichPassword(t *testing.T) {
	t.Parallel()
	s := startStaff(t)
	token := s.login("anna")
	key, _ := s.key("bert:secret", "{}")
	const update, get, exist, validate = "updateMyCredentials", "getMyCredentials", "credentialsExist", "validateMyCredentials"
	for _, tt := range []struct{ name, login, action, request, want, id string }{
		{name: "nobody", action: update, request: `{"body":{"password":"another"}}`, id: "security.rights.unauthorized"},
		{name: "a key", login: key, action: update, request: `{"body":{"password":"another"}}`, id: "security.rights.forbidden"},
		{name: "another strategy", login: token, action: update, request: `{"strategy":"ldap","body":{"password":"another"}}`, id: "security.credentials.unknown_strategy"},
		{name: "none", login: token, action: update, request: `{"body":{}}`, id: "api.assert.missing_argument"},
		{name: "a number", login: token, action: update, request: `{"body":{"password":1}}`, id: "api.assert.invalid_type"},
		{name: "an empty one", login: token, action: update, request: `{"body":{"password":""}}`, id: "api.assert.invalid_argument"},
		{name: "a long one", login: token, action: update, request: fmt.Sprintf(`{"body":{"password":%q}}`, strings.Repeat("x", 1025)), id: "api.assert.invalid_argument"},
		{name: "one like a key", login: token, action: update, request: `{"body":{"password":"ambit-key-x"}}`, id: "api.assert.invalid_argument"},
		{name: "that of somebody else", login: token, action: update, request: `{"body":{"username":"bert","password":"another"}}`, id: "api.assert.invalid_argument"},
		{name: "with another one before", login: token, action: update, request: `{"body":{"password":"another","currentPassword":"x"}}`, id: "plugin.strategy.missing_user"},
		{name: "is valid", login: token, action: validate, request: `{"strategy":"local","body":{"password":"another"}}`, want: "true"},
		{name: "is not valid", login: token, action: validate, request: `{"strategy":"local","body":{"password":""}}`, id: "api.assert.invalid_argument"},
		{name: "who it is", login: token, action: get, request: `{"strategy":"local"}`, want: `{"username":"anna","kuid":"anna"}`},
		{name: "there are some", login: token, action: exist, request: `{"strategy":"local"}`, want: "true"},
		{name: "with the one before", login: token, action: update, request: `{"body":{"username":"anna","password":"another","currentPassword":"secret"}}`, want: `"username":"anna"`},
		{name: "at once again", login: "anna:another", action: update, request: `{"body":{"password":"secret"}}`, id: "api.process.too_many_requests"},
	} {
		result, id := s.ask(tt.login, "auth", tt.action, tt.request)
		if id != tt.id || !strings.Contains(result, tt.want) {
			t.Errorf("%s: %s %s, want %s %s", tt.name, result, id, tt.want, tt.id)
		}
	}
	text, err := os.ReadFile(s.users)
	if err != nil || !strings.Contains(string(text), `{"roles":["admin"],"attributes":{"tenant":"acme"}}`) || strings.Contains(string(text), "another") {
		t.Errorf("%v: roles and attributes stay, and no password is in the file:\n%s", err, text)
	}
}

// What a user says of itself gives it no rights, and survives a crash.
func TestAUserSaysSomethingOfItself(t *testing.T) {
	t.Parallel()
	s := startStaff(t)
	for _, tt := range []struct{ name, login, request, want, id string }{
		{name: "something", login: "bert:secret", request: `{"body":{"phone":"1","home":{"city":"Ulm"}}}`, want: `{"_id":"bert","_source":{"roles":["driver"],"attributes":{},"phone":"1","home":{"city":"Ulm"}}}`},
		{name: "something else", login: "bert:secret", request: `{"body":{"home":{"zip":"89"}}}`, want: `"home":{"city":"Ulm","zip":"89"}}}`},
		{name: "a role", login: "bert:secret", request: `{"body":{"roles":["admin"]}}`, id: "api.assert.forbidden_argument"},
		{name: "a role in another spelling", login: "bert:secret", request: `{"body":{"\u0072oles":["admin"]}}`, id: "api.assert.forbidden_argument"},
		{name: "a profile of Kuzzle", login: "bert:secret", request: `{"body":{"profileIds":["admin"]}}`, id: "api.assert.forbidden_argument"},
		{name: "an attribute", login: "bert:secret", request: `{"body":{"attributes":{"tenant":"acme"}}}`, id: "api.assert.forbidden_argument"},
		{name: "too much", login: "bert:secret", request: `{"body":{"text":"` + strings.Repeat("x", 5000) + `"}}`, id: "api.assert.invalid_argument"},
		{name: "nothing", login: "bert:secret", request: `{}`, id: "api.assert.body_required"},
		{name: "nobody", request: `{"body":{}}`, id: "security.rights.unauthorized"},
	} {
		result, id := s.ask(tt.login, "auth", "updateSelf", tt.request)
		if id != tt.id || !strings.Contains(result, tt.want) {
			t.Errorf("%s: %s %s, want %s %s", tt.name, result, id, tt.want, tt.id)
		}
	}
	s.kill()
	s.broker = startBroker(t, brokerOptions{dir: s.dir, config: fmt.Sprintf("{anonymous: none, users: %q}", s.users)})
	want := `{"_id":"bert","_source":{"roles":["driver"],"attributes":{},"phone":"1","home":{"city":"Ulm","zip":"89"}},"strategies":["password"]}`
	if result, id := s.ask("bert:secret", "auth", "getCurrentUser", "{}"); result != want {
		t.Errorf("after a crash: %s %s", result, id)
	}
}
