package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A staff is a broker with users of its own and nobody else: anna, who is an admin, and bert,
// who is a driver. The password of both is secret.
type staff struct {
	*broker
	t     *testing.T
	users string // the file
}

func startStaff(t *testing.T) *staff {
	t.Helper()
	s := &staff{t: t, users: filepath.Join(t.TempDir(), "users.txt")}
	s.passwd("secret", "anna", "--role", "admin", "--attribute", "tenant=acme")
	s.passwd("secret", "bert", "--role", "driver")
	s.broker = startBroker(t, brokerOptions{config: fmt.Sprintf("{anonymous: none, users: %q}", s.users)})
	return s
}

func (s *staff) passwd(password, user string, flags ...string) {
	s.t.Helper()
	c := exec.Command(filepath.Join(programs, "ambit"), append([]string{"passwd", s.users, user}, flags...)...)
	c.Stdin = strings.NewReader(password + "\n")
	if out, err := c.CombinedOutput(); err != nil {
		s.t.Fatalf("ambit passwd: %v\n%s", err, out)
	}
}

// ask makes a request over HTTP, signed in with a password ("anna:secret"), a token or a key,
// or not at all. The answer is the result, or an error id.
func (s *staff) ask(login, controller, action, request string) (result, id string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("http://%s/api/%s/%s", s.http, controller, action), strings.NewReader(request))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Close = true
	if name, password, ok := strings.Cut(login, ":"); ok {
		r.SetBasicAuth(name, password)
	} else if login != "" {
		r.Header.Set("Authorization", "Bearer "+login)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	var a envelope
	if err := json.NewDecoder(response.Body).Decode(&a); err != nil || a.Status != response.StatusCode {
		s.t.Fatalf("%v: status %d, %+v", err, response.StatusCode, a)
	}
	if a.Error != nil {
		return "", a.Error.ID
	}
	return string(a.Result), ""
}

// login returns a token of a user.
func (s *staff) login(user string) string {
	s.t.Helper()
	var token struct{ JWT string }
	result, id := s.ask("", "auth", "login", fmt.Sprintf(`{"strategy":"local","body":{"username":%q,"password":"secret"}}`, user))
	if err := json.Unmarshal([]byte(result), &token); err != nil || token.JWT == "" {
		s.t.Fatalf("%s cannot sign in: %s %s", user, id, result)
	}
	return token.JWT
}

// key returns an API key of whoever asks, and its id.
func (s *staff) key(login, request string) (key, id string) {
	s.t.Helper()
	result, refused := s.ask(login, "auth", "createApiKey", request)
	var made struct {
		ID     string                 `json:"_id"`
		Source struct{ Token string } `json:"_source"`
	}
	if err := json.Unmarshal([]byte(result), &made); err != nil || made.Source.Token == "" {
		s.t.Fatalf("no key: %s %s", refused, result)
	}
	return made.Source.Token, made.ID
}

func TestRequestsAreByWhoeverTheirTokenSays(t *testing.T) {
	t.Parallel()
	s := startStaff(t)
	anna, bert := s.login("anna"), s.login("bert")
	key, keyID := s.key(bert, `{"body":{"description":"wall"}}`)
	byOperator, _, err := ambit("apikey", "create", "bert", "--data", s.dir, "--network", "10.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, login, controller, action, request, want, id string }{
		{name: "another password", controller: "auth", action: "login", request: `{"body":{"username":"anna","password":"x"}}`, id: "plugin.strategy.missing_user"},
		{name: "nobody", controller: "auth", action: "login", request: `{"body":{"username":"nobody","password":"secret"}}`, id: "plugin.strategy.missing_user"},
		{name: "another strategy", controller: "auth", action: "login", request: `{"strategy":"ldap","body":{}}`, id: "security.credentials.unknown_strategy"},
		{name: "no password", controller: "auth", action: "login", request: `{"body":{"username":"anna"}}`, id: "api.assert.missing_argument"},
		{name: "for too long", controller: "auth", action: "login", request: `{"expiresIn":"31d","body":{"username":"anna","password":"secret"}}`, id: "security.token.ttl_exceeded"},
		{name: "for ever", controller: "auth", action: "login", request: `{"expiresIn":-1,"body":{"username":"anna","password":"secret"}}`, id: "security.token.ttl_exceeded"},
		{name: "for no time", controller: "auth", action: "login", request: `{"expiresIn":"soon","body":{"username":"anna","password":"secret"}}`, id: "api.assert.invalid_argument"},
		{name: "with an old token", login: "eyJx.e30.x", controller: "auth", action: "login", request: `{"expiresIn":1000,"body":{"username":"anna","password":"secret"}}`, want: `"_id":"anna"`},
		{name: "without signing in", controller: "auth", action: "getCurrentUser", id: "security.rights.unauthorized"},
		{name: "a password", login: "anna:secret", controller: "auth", action: "getCurrentUser", want: `{"_id":"anna","_source":{"roles":["admin"],"attributes":{"tenant":"acme"}},"strategies":["password"]}`},
		{name: "a token", login: anna, controller: "auth", action: "getCurrentUser", want: `{"_id":"anna","_source":{"roles":["admin"],"attributes":{"tenant":"acme"}},"strategies":["token"]}`},
		{name: "a key", login: key, controller: "auth", action: "getCurrentUser", want: `{"_id":"bert","_source":{"roles":["driver"],"attributes":{}},"strategies":["apikey"]}`},
		{name: "a key from elsewhere", login: strings.TrimSpace(byOperator), controller: "auth", action: "getCurrentUser", id: "security.token.invalid"},
		{name: "a token that is none", login: "abc", controller: "auth", action: "getCurrentUser", id: "security.token.invalid"},
		{name: "a token as the password", login: "bert:" + bert, controller: "auth", action: "getCurrentUser", want: `"_id":"bert"`},
		{name: "somebody else's token", login: "anna:" + bert, controller: "auth", action: "getCurrentUser", id: "security.rights.unauthorized"},
		{name: "the token of a request", login: anna, controller: "auth", action: "getCurrentUser", request: fmt.Sprintf(`{"jwt":%q}`, bert), want: `"_id":"bert"`},
		{name: "the key of a request", login: anna, controller: "auth", action: "getCurrentUser", request: fmt.Sprintf(`{"jwt":%q}`, key), want: `"_id":"bert"`},
		{name: "a bad token of a request", login: anna, controller: "auth", action: "getCurrentUser", request: `{"jwt":"abc"}`, id: "security.token.invalid"},
		{name: "a token that counts", controller: "auth", action: "checkToken", request: fmt.Sprintf(`{"body":{"token":%q}}`, anna), want: `{"valid":true,"expiresAt":`},
		{name: "a token that does not", controller: "auth", action: "checkToken", request: `{"body":{"token":"abc"}}`, want: `{"valid":false,"state":"Invalid token."}`},
		{name: "no token", controller: "auth", action: "checkToken", request: `{"body":{}}`, want: `{"valid":true,"expiresAt":-1,"kuid":"-1"}`},
		{name: "a password is not refreshed", login: "anna:secret", controller: "auth", action: "refreshToken", id: "security.token.refresh_forbidden"},
		{name: "a token is", login: anna, controller: "auth", action: "refreshToken", request: `{"expiresIn":"2h"}`, want: `"_id":"anna","jwt":"eyJ`},
		{name: "a key is not left", login: key, controller: "auth", action: "logout", id: "security.token.invalid"},

		{name: "a key makes no keys", login: key, controller: "auth", action: "createApiKey", id: "security.rights.forbidden"},
		{name: "with more roles", login: bert, controller: "auth", action: "createApiKey", request: `{"body":{"roles":["admin"]}}`, id: "api.assert.invalid_argument"},
		{name: "with other attributes", login: anna, controller: "auth", action: "createApiKey", request: `{"body":{"attributes":{"tenant":"beta"}}}`, id: "api.assert.invalid_argument"},
		{name: "with what is no setting", login: anna, controller: "auth", action: "createApiKey", request: `{"body":{"role":"admin"}}`, id: "api.assert.invalid_argument"},
		{name: "for somebody else", login: bert, controller: "security", action: "createApiKey", request: `{"userId":"anna"}`, id: "security.rights.forbidden"},
		{name: "his own", login: bert, controller: "auth", action: "searchApiKeys", want: `"total":2}`},
		{name: "hers", login: anna, controller: "auth", action: "searchApiKeys", want: `{"hits":[],"total":0}`},
		{name: "those of all", login: bert, controller: "security", action: "searchApiKeys", id: "security.rights.forbidden"},
		{name: "those of all, by an admin", login: anna, controller: "security", action: "searchApiKeys", request: `{"size":1}`, want: `"total":2}`},
		{name: "somebody else's key", login: anna, controller: "auth", action: "deleteApiKey", request: fmt.Sprintf(`{"_id":%q}`, keyID), id: "services.storage.not_found"},
		{name: "his own key", login: bert, controller: "auth", action: "deleteApiKey", request: fmt.Sprintf(`{"_id":%q}`, keyID), want: fmt.Sprintf(`{"_id":%q}`, keyID)},
		{name: "a key that was revoked", login: key, controller: "auth", action: "getCurrentUser", id: "security.token.invalid"},
		{name: "leaves", login: bert, controller: "auth", action: "logout", want: `{"acknowledged":true}`},
		{name: "has left", login: bert, controller: "auth", action: "getCurrentUser", id: "security.token.invalid"},
		{name: "has left, and asks", login: anna, controller: "auth", action: "checkToken", request: fmt.Sprintf(`{"body":{"token":%q}}`, bert), want: `{"valid":false,"state":"Invalid token."}`},
	} {
		if tt.request == "" {
			tt.request = "{}"
		}
		result, id := s.ask(tt.login, tt.controller, tt.action, tt.request)
		if id != tt.id || !strings.Contains(result, tt.want) {
			t.Errorf("%s: %s %s, want %s %s", tt.name, result, id, tt.want, tt.id)
		}
	}
	for _, event := range []string{`"audit":"key_made","by":"bert","user":"bert"`, `"audit":"key_made","operator":true`, `"audit":"key_revoked","by":"bert"`, `"audit":"signed_out","user":"bert"`} {
		if !strings.Contains(s.log.String(), event) {
			t.Errorf("the log does not say %s", event)
		}
	}
	noSecretIn(t, s.log.String(), "secret", anna, bert, key)
	s.kill()
	s.broker = startBroker(t, brokerOptions{dir: s.dir, config: fmt.Sprintf("{anonymous: none, users: %q}", s.users)})
	for name, login := range map[string]string{"the token": bert, "the key": key} {
		if _, id := s.ask(login, "auth", "getCurrentUser", "{}"); id != "security.token.invalid" {
			t.Errorf("%s that was revoked counts after a crash: %s", name, id)
		}
	}
	if _, id := s.ask(anna, "auth", "getCurrentUser", "{}"); id != "" {
		t.Errorf("a token does not count after a crash: %s", id)
	}
	noSecretIn(t, s.log.String(), "secret", anna, bert, key)
}

// noSecretIn says which secrets a log has.
func noSecretIn(t *testing.T, log string, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		if strings.Contains(log, secret) {
			t.Errorf("the log says %q", secret)
		}
	}
}

// What a client came in with ends its connection within a second when it counts no more.
func TestWhatIsRevokedEndsConnections(t *testing.T) {
	t.Parallel()
	s := startStaff(t)
	for _, tt := range []struct {
		name   string
		secret func() string
		revoke func(secret string)
		code   byte
		most   time.Duration
	}{
		{"a key that is revoked", func() string { key, _ := s.key("bert:secret", "{}"); return key }, func(secret string) {
			id := strings.Split(secret, "-")[2]
			if _, stderr, err := ambit("apikey", "revoke", id, "--data", s.dir); err != nil {
				t.Error(err, stderr)
			}
		}, 0x87, time.Second},
		{"a token that is left", func() string { return s.login("bert") }, func(secret string) { s.ask(secret, "auth", "logout", "{}") }, 0x87, time.Second},
		{"all tokens", func() string { return s.login("bert") }, func(string) { s.ask(s.login("bert"), "auth", "logout", `{"global":true}`) }, 0x87, time.Second},
		{"a token that expires", func() string {
			var token struct{ JWT string }
			result, _ := s.ask("", "auth", "login", `{"expiresIn":2000,"body":{"username":"bert","password":"secret"}}`)
			if err := json.Unmarshal([]byte(result), &token); err != nil {
				t.Fatal(err)
			}
			return token.JWT
		}, func(string) {}, 0xA0, 3 * time.Second},
		{"a password that is another one", func() string { return "secret" }, func(string) { s.passwd("other", "bert") }, 0x87, time.Second},
		{"other roles", func() string { s.passwd("secret", "bert"); return "secret" }, func(string) { s.passwd("", "bert", "--keep-password", "--role", "night") }, 0x98, time.Second},
		{"a user who is gone", func() string { return "secret" }, func(string) {
			if err := os.WriteFile(s.users, nil, 0o600); err != nil {
				t.Error(err)
			}
		}, 0x87, time.Second},
	} {
		secret := tt.secret()
		c := connect(t, s.broker, connectOptions{v5: true, user: "bert", password: secret})
		c.granted(t, "$ambit/response")
		tt.revoke(secret)
		revoked := time.Now()
		if told := tt.code == 0xA0; told {
			if m := c.message(t); !strings.Contains(string(m.payload), `"type":"TokenExpired"`) {
				t.Errorf("%s: it is told %s", tt.name, m.payload)
			}
		}
		if code := c.awaitEnd(t); code != tt.code {
			t.Errorf("%s: DISCONNECT 0x%02X, want 0x%02X", tt.name, code, tt.code)
		}
		if took := time.Since(revoked); took > tt.most {
			t.Errorf("%s: it took %v", tt.name, took)
		}
	}
	noSecretIn(t, s.log.String(), "secret")
}

// Tokens and keys are passwords for every client, over TCP and WebSocket.
func TestTokensAndKeysAreMQTTPasswords(t *testing.T) {
	t.Parallel()
	s := startStaff(t)
	key, _ := s.key("anna:secret", "{}")
	for name, secret := range map[string]string{"token": s.login("anna"), "key": key} {
		for _, version := range []string{"4", "5"} {
			t.Run("mqtt.js-"+name+"-"+version, func(t *testing.T) {
				clientKind{needs: "node"}.available(t)
				c, err := dialMQTTJS(fmt.Sprintf("ws://anna:%s@%s/mqtt", secret, s.http), version, newTranscript())
				if err != nil {
					t.Fatal(err)
				}
				defer c.close()
				if err := c.publish("fleet/trucks/42", "{}", false); err != nil {
					t.Error(err)
				}
			})
		}
		t.Run("mosquitto_pub-"+name, func(t *testing.T) {
			need(t, "mosquitto_pub")
			host, port, err := net.SplitHostPort(s.mqtt)
			if err != nil {
				t.Fatal(err)
			}
			for user, ok := range map[string]bool{"anna": true, "bert": false} {
				c := exec.Command("mosquitto_pub", "-h", host, "-p", port, "-q", "1", "-t", "fleet/trucks/42", "-m", "{}", "-u", user, "-P", secret)
				if out, err := c.CombinedOutput(); (err == nil) != ok || bytes.Contains(out, []byte(secret)) {
					t.Errorf("%s: %v, want success: %v\n%s", user, err, ok, out)
				}
			}
		})
	}
}
