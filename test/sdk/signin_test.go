package sdk

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	ambit "github.com/ambitmq/ambit/client"
)

const guarded = `
anonymous: none
users: %[1]s/users.txt
access: %[1]s/policy.yaml
listeners:
  - {name: mqtts, type: tls, address: "127.0.0.1:0", tls: {cert: %[1]s/server.pem, key: %[1]s/server.key}}
  - {name: wss, type: wss, address: "127.0.0.1:0", tls: {cert: %[1]s/server.pem, key: %[1]s/server.key}}
`

const policy = `
roles:
  user:
    api: ["document:search", "realtime:subscribe", "auth:*"]
    collections:
      fleet/trucks: {list: {equals: {tenant: acme}}, view: {equals: {tenant: acme}}, hide: [secret]}
  writer:
    api: ["document:*"]
    collections:
      fleet/trucks: {list: {}, view: {}, create: {}, update: {}, delete: {}, show: [secret]}
`

const password = "correct horse"

// runAmbit runs a command of the program, and returns its standard output.
func runAmbit(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ambit %v: %v", args, err)
	}
	return string(out)
}

// startGuarded runs a broker that lets nobody in but bob, whom its rules bind, and anna,
// and returns where its certificates are.
func startGuarded(t *testing.T) (b *broker, dir string) {
	t.Helper()
	dir = t.TempDir()
	runAmbit(t, "", "cert", "dev", "--dir", dir)
	runAmbit(t, password+"\n", "passwd", filepath.Join(dir, "users.txt"), "bob")
	runAmbit(t, password+"\n", "passwd", filepath.Join(dir, "users.txt"), "anna", "--role", "writer")
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	return startBroker(t, fmt.Sprintf(guarded, dir)), dir
}

// listener returns where a listener of the settings listens, as the log says.
func (b *broker) listener(t *testing.T, name string) string {
	t.Helper()
	for line := range strings.Lines(b.log.String()) {
		var says struct{ Msg, Listener, Address string }
		if json.Unmarshal([]byte(line), &says) == nil && says.Msg == "listening" && says.Listener == name {
			return says.Address
		}
	}
	t.Fatalf("the log names no listener %s", name)
	return ""
}

// loginOf is the request by which bob gets a token.
func loginOf(expiresIn string) map[string]any {
	return map[string]any{
		"strategy": "local", "expiresIn": expiresIn, "body": map[string]any{"username": "bob", "password": password},
	}
}

func (b *broker) login(expiresIn string) (string, error) {
	answer, err := b.ask("auth", "login", loginOf(expiresIn))
	if err != nil {
		return "", err
	}
	var token struct{ JWT string }
	err = json.Unmarshal(answer, &token)
	return token.JWT, err
}

func login(t *testing.T, b *broker, expiresIn string) string {
	t.Helper()
	token, err := b.login(expiresIn)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// credentials are how a client signs in. CA is a file, if it is not for plain TCP. Expires, if it is not
// empty, has the client ask for a token each time it connects, which counts for so long.
type credentials struct{ url, username, password, ca, expires string }

type signIn func(*testing.T, *broker, credentials) (client, error)

func TestSigningInWithGo(t *testing.T) {
	signingIn(t, "", func(t *testing.T, b *broker, as credentials) (client, error) {
		t.Helper()
		c := newGoClient()
		o := ambit.Options{Broker: as.url, Username: as.username, Password: as.password, ReconnectWait: reconnectWait}
		if as.ca != "" {
			pem, err := os.ReadFile(as.ca)
			if err != nil {
				t.Fatal(err)
			}
			o.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
			o.TLS.RootCAs.AppendCertsFromPEM(pem)
		}
		if as.expires != "" {
			o.PasswordFunc = func(context.Context) (string, error) { return b.login(as.expires) }
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		var err error
		c.a, err = ambit.Connect(ctx, o, func(err error) {
			var refused *ambit.RefusedError
			switch {
			case errors.Is(err, ambit.ErrExpired):
				c.say("connection", "expired")
			case errors.As(err, &refused):
				c.say("connection", fmt.Sprintf("refused %d", refused.Code))
			}
		})
		return c, err
	})
}

func TestSigningInWithNode(t *testing.T) {
	build(t)
	for _, version := range []string{"4", "5"} {
		t.Run("MQTT "+version, func(t *testing.T) {
			js := startJS(t, version)
			signingIn(t, version, func(t *testing.T, b *broker, as credentials) (client, error) {
				t.Helper()
				o := map[string]any{"password": as.password}
				if as.username != "" {
					o["username"] = as.username
				}
				if as.ca != "" {
					pem, err := os.ReadFile(as.ca)
					if err != nil {
						t.Fatal(err)
					}
					o["mqtt"] = map[string]any{"ca": string(pem)}
				}
				if as.expires != "" {
					o["login"] = map[string]any{"url": "http://" + b.http.address() + "/api/auth/login", "request": loginOf(as.expires)}
				}
				return js, js.openWith(as.url, "", o)
			})
		})
	}
}

func signingIn(t *testing.T, version string, dial signIn) {
	t.Helper()
	b, dir := startGuarded(t)
	var key struct {
		Source struct{ Token string } `json:"_source"`
	}
	made := runAmbit(t, "", "apikey", "create", "bob", "--expires", "1h", "--json", "--data", b.data())
	if err := json.Unmarshal([]byte(made), &key); err != nil {
		t.Fatal(err)
	}
	others := t.TempDir()
	runAmbit(t, "", "cert", "dev", "--dir", others)
	plain, ca := "mqtt://"+b.mqtt.address(), filepath.Join(dir, "ca.pem")
	wrong, code := "bad user", "refused 135"
	if version == "4" {
		code = "refused 5"
	}
	for _, tt := range []struct {
		name, fails string
		as          credentials
	}{
		{"password", "", credentials{plain, "bob", password, "", ""}},
		{"token", "", credentials{plain, "", login(t, b, "1h"), "", ""}},
		{"API key", "", credentials{plain, "", key.Source.Token, "", ""}},
		{"WebSocket", "", credentials{"ws://" + b.http.address() + "/mqtt", "bob", password, "", ""}},
		{"mqtts", "", credentials{"mqtts://" + b.listener(t, "mqtts"), "bob", password, ca, ""}},
		{"wss", "", credentials{"wss://" + b.listener(t, "wss") + "/mqtt", "bob", password, ca, ""}},
		{"an authority that is not known", "certificate", credentials{"mqtts://" + b.listener(t, "mqtts"), "bob", password, filepath.Join(others, "ca.pem"), ""}},
		{"wrong password", wrong, credentials{plain, "bob", "wrong", "", ""}},
		{"wrong token", wrong, credentials{plain, "", "wrong", "", ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := dial(t, b, tt.as)
			if tt.fails != "" {
				if err == nil || !strings.Contains(strings.ToLower(err.Error()), tt.fails) {
					t.Errorf("the error is %v, want %q", err, tt.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer c.close()
			who, err := c.do(step{Request: map[string]any{"controller": "auth", "action": "getCurrentUser"}})
			if err != nil || !contains(who, map[string]any{"_id": "bob"}) {
				t.Errorf("it is %v, %v", who, err)
			}
		})
	}
	t.Run("expired", func(t *testing.T) { expires(t, b, dial, code) })
	t.Run("rules", func(t *testing.T) { obeys(t, b, dial) })
	t.Run("renewed", func(t *testing.T) { renews(t, b, dial) })
}

// expires has a token expire: the client is told, is refused when it comes with it again,
// and does not try a third time.
func expires(t *testing.T, b *broker, dial signIn, code string) {
	t.Helper()
	c, err := dial(t, b, credentials{"mqtt://" + b.mqtt.address(), "", login(t, b, "2s"), "", ""})
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if _, err := c.do(step{Observe: "o", Search: map[string]any{}}); err != nil {
		t.Fatal(err)
	}
	want := []string{"expired", code}
	s, ok := c.board().await("connection", func(s state) bool { return slices.Equal(s.Told, want) })
	if !ok {
		t.Errorf("it is told %q, want %q", s.Told, want)
	}
	failed := func(s state) bool { return len(s.Told) == 1 && strings.HasPrefix(s.Told[0], "error ") }
	if s, ok := c.board().await("o", failed); !ok {
		t.Errorf("the observer is told %q", s.Told)
	}
	_, err = c.do(step{Request: map[string]any{"controller": "auth", "action": "getCurrentUser"}})
	if err == nil || !strings.Contains(strings.ToLower(err.Error()), "refused") {
		t.Errorf("a request fails with %v", err)
	}
}

// renews has tokens expire whose client can get others, also while the broker is down: what it
// observes goes on.
func renews(t *testing.T, b *broker, dial signIn) {
	t.Helper()
	c, err := dial(t, b, credentials{"mqtt://" + b.mqtt.address(), "", "", "", "2s"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	write := writer(t, b)
	p := &play{t: t, broker: b, clients: map[string]client{"": c}, told: map[string]int{}}
	if _, err := c.do(step{Observe: "o", Get: "renewed"}); err != nil {
		t.Fatal(err)
	}
	next := func(expired, n int, told string) {
		t.Helper()
		s, ok := c.board().await("connection", func(s state) bool {
			return len(s.Told) >= expired && !slices.ContainsFunc(s.Told, func(line string) bool { return line != "expired" })
		})
		if !ok {
			t.Fatalf("it is told %q", s.Told)
		}
		write("renewed", "acme", n)
		if err := p.step(step{Sees: "o", Told: []string{"change renewed " + told}}); err != nil {
			t.Fatal(err)
		}
	}
	next(0, 1, `{"n":1,"tenant":"acme"}`)
	next(1, 2, `{"n":2}`)
	b.kill()
	b.start(t)
	next(1, 3, `{"n":3}`)
	next(2, 4, `{"n":4}`)
}

// writer returns what writes a document as anna, who may.
func writer(t *testing.T, b *broker) func(id, tenant string, n int) {
	t.Helper()
	o := ambit.Options{Broker: b.mqtt.address(), Username: "anna", Password: password, ReconnectWait: reconnectWait}
	anna, err := ambit.Connect(t.Context(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(anna.Close)
	return func(id, tenant string, n int) {
		t.Helper()
		body := map[string]any{"tenant": tenant, "n": n, "secret": n}
		for {
			_, err := anna.Collection(index, collection).CreateOrReplace(t.Context(), id, body)
			if err == nil {
				return
			}
			if !errors.Is(err, ambit.ErrConnectionLost) {
				t.Fatal(err)
			}
		}
	}
}

// obeys has an observer see what the rules let it see.
func obeys(t *testing.T, b *broker, dial signIn) {
	t.Helper()
	write := writer(t, b)
	write("1", "acme", 1)
	write("2", "other", 2)
	c, err := dial(t, b, credentials{"mqtt://" + b.mqtt.address(), "bob", password, "", ""})
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	p := &play{t: t, broker: b, clients: map[string]client{"": c}, told: map[string]int{}}
	for _, s := range []step{
		{Observe: "o", Search: map[string]any{}},
		{Sees: "o", Hits: []map[string]any{{"_id": "1", "tenant": "acme", "n": 1.0}}, Total: new(1), Told: []string{`change 1 {"n":1,"tenant":"acme"}`}},
	} {
		if err := p.step(s); err != nil {
			t.Fatal(err)
		}
	}
	write("2", "other", 3)
	write("3", "acme", 4)
	write("1", "other", 5)
	told := []string{`change 3 {"n":4,"tenant":"acme"}`, "delete 1"}
	if err := p.step(step{Sees: "o", Hits: []map[string]any{{"_id": "3", "tenant": "acme", "n": 4.0}}, Total: new(1), Told: told}); err != nil {
		t.Error(err)
	}
	if _, err := c.do(step{Request: map[string]any{"controller": "document", "action": "delete", "index": index, "collection": collection, "_id": "3"}}); err == nil {
		t.Error("it may delete a document")
	}
}
