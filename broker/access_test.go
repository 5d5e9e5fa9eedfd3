package broker

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// signToken returns a token of a user that a function signs.
func signToken(t *testing.T, header, user string, sign func([]byte) []byte) string {
	t.Helper()
	claims, err := json.Marshal(map[string]any{
		"iss": "https://id.example.com", "aud": "ambit", "sub": user, "exp": time.Now().Add(time.Hour).Unix(),
		"realm_access": map[string]any{"roles": []string{"driver"}}, "org": map[string]string{"tenant": "acme"},
	})
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString
	signed := text([]byte(header)) + "." + text(claims)
	return signed + "." + text(sign([]byte(signed)))
}

// whoIs asks a broker who comes with a token: an answer, or an error.
func whoIs(t *testing.T, b *Broker, token string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+b.HTTPAddr()+"/api/auth/getCurrentUser", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTokensOfAnIssuerAreTaken(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secret := []byte("0123456789abcdef0123456789abcdef")
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, secret, 0o600); err != nil {
		t.Fatal(err)
	}
	set := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"one","x":%q}]}`, base64.RawURLEncoding.EncodeToString(public))
	}))
	defer set.Close()
	cfg := testConfig(t)
	cfg.Anonymous = none
	cfg.JWT.Keys = []JWTKey{{ID: "two", Algorithm: "HS256", File: file}}
	cfg.JWT.KeySet, cfg.JWT.Issuer, cfg.JWT.Audience = set.URL, "https://id.example.com", "ambit"
	cfg.JWT.Roles, cfg.JWT.Attributes = "realm_access.roles", []string{"tenant=org.tenant"}
	b := start(t, cfg)
	byHMAC := func(text []byte) []byte {
		mac := hmac.New(sha256.New, secret)
		mac.Write(text)
		return mac.Sum(nil)
	}
	for _, tt := range []struct{ name, token, want string }{
		{"a key of the set", signToken(t, `{"alg":"EdDSA","kid":"one"}`, "anna", func(text []byte) []byte { return ed25519.Sign(private, text) }),
			`"_id":"anna","_source":{"roles":["driver"],"attributes":{"tenant":"acme"}},"strategies":["token"]`},
		{"a key in a file", signToken(t, `{"alg":"HS256","kid":"two"}`, "bert", byHMAC), `"_id":"bert"`},
		{"a key for another algorithm", signToken(t, `{"alg":"HS256","kid":"one"}`, "anna", byHMAC), "security.token.invalid"},
		{"no key", signToken(t, `{"alg":"none"}`, "anna", func([]byte) []byte { return nil }), "security.token.invalid"},
	} {
		if got := whoIs(t, b, tt.token); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
}

func TestEveryFaultOfTokensIsNamed(t *testing.T) {
	cfg := testConfig(t)
	cfg.JWT = JWT{
		Keys: []JWTKey{{ID: "ambit", Algorithm: "none"}}, KeySet: "http://id.example.com/keys",
		Attributes: []string{"tenant", "=x", "x="}, Leeway: time.Hour,
	}
	cfg.Tokens = Tokens{TTL: time.Hour, MaxTTL: time.Minute}
	err := cfg.Validate()
	if err == nil {
		t.Fatal("they are allowed")
	}
	for _, want := range []string{
		`jwt.keys[0].algorithm: "none" is not allowed`, `jwt.keys[0].file: ""`, `jwt.keys[0].id: "ambit"`, `jwt.key_set: "http://id.example.com/keys"`,
		`jwt.refresh: 0s`, `jwt.leeway: 1h0m0s`, `jwt.user: ""`, `jwt.attributes[1]: "=x"`, `jwt.attributes[2]: "x="`, `tokens.ttl: 1h0m0s`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in\n%v", want, err)
		}
	}
}

func TestAllFaultsOfTheFilesOfAccessAreTold(t *testing.T) {
	dir := t.TempDir()
	cfg := testConfig(t)
	cfg.Users, cfg.Access = filepath.Join(dir, "users"), filepath.Join(dir, "policy.yaml")
	if err := os.WriteFile(cfg.Access, []byte("roles:\n  user: {topic: []}\n  boss: 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := loadGate(cfg, slog.New(slog.DiscardHandler))
	lines := strings.Split(fmt.Sprint(err), "\n")
	want := []string{`users: "` + cfg.Users, "access: " + cfg.Access + ": line 2: ", cfg.Access + ": line 3: "}
	if len(lines) != len(want) {
		t.Fatalf("%v", err)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, want[i]) {
			t.Errorf("%s, want %s", line, want[i])
		}
	}
}
