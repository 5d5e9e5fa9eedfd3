package broker

import (
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ambitmq/ambit/access"
)

// Who has not come in sends no more than it takes to do so.
func TestPocketBasesClientsSendLittleBeforeTheySignIn(t *testing.T) {
	cfg := testConfig(t)
	cfg.PocketBase.Index = "fleet"
	b := start(t, annaAlone(t, cfg))
	long := strings.Repeat(" ", cfg.Limits.ConnectBytes)
	for _, tt := range []struct {
		path, password string
		body           io.Reader
		want           int
	}{
		{"users/auth-with-password", "", strings.NewReader(`{"identity":"anna","password":"secret"}`), http.StatusOK},
		{"users/auth-with-password", "", strings.NewReader(`{"identity":"anna","password":"secret"}` + long), http.StatusRequestEntityTooLarge},
		{"trucks/records", "secret", strings.NewReader(`{"id":"1"}` + long), http.StatusOK},
		{"trucks/records", "wrong", endless{}, http.StatusUnauthorized},
	} {
		if status := post(t, b, "collections/"+tt.path, tt.password, tt.body); status != tt.want {
			t.Errorf("%s with %q: status %d, want %d", tt.path, tt.password, status, tt.want)
		}
	}
}

func TestRequestsAreShortOfWhoHasToSignIn(t *testing.T) {
	cfg := annaAlone(t, testConfig(t))
	b := start(t, cfg)
	cfg = testConfig(t)
	cfg.Anonymous = "loopback"
	open := start(t, cfg)
	long := strings.Repeat(" ", cfg.Limits.ConnectBytes)
	const anna, nobody = `{"body":{"username":"anna","password":"secret"}}`, `{"token":"none"}`
	for _, tt := range []struct {
		broker         *Broker
		path, password string
		body           io.Reader
		want           int
	}{
		{b, "auth/login", "", strings.NewReader(anna), http.StatusOK},
		{b, "auth/login", "", strings.NewReader(anna + long), http.StatusRequestEntityTooLarge},
		{b, "auth/login", "wrong", strings.NewReader(anna + long), http.StatusRequestEntityTooLarge},
		{b, "auth/login", "secret", strings.NewReader(anna + long), http.StatusOK},
		{b, "auth/checkToken", "", strings.NewReader(nobody), http.StatusOK},
		{b, "auth/checkToken", "", strings.NewReader(nobody + long), http.StatusRequestEntityTooLarge},
		{b, "server/now", "", endless{}, http.StatusUnauthorized},
		{b, "server/now", "secret", strings.NewReader("{}" + long), http.StatusOK},
		{open, "auth/checkToken", "", strings.NewReader(nobody + long), http.StatusOK},
	} {
		if status := post(t, tt.broker, tt.path, tt.password, tt.body); status != tt.want {
			t.Errorf("%s with %q: status %d, want %d", tt.path, tt.password, status, tt.want)
		}
	}
}

// annaAlone is cfg, and lets in anna, whose password is secret, and nobody else.
func annaAlone(t *testing.T, cfg Config) Config {
	t.Helper()
	cfg.Anonymous, cfg.Users = "none", filepath.Join(t.TempDir(), "users")
	verifier, err := access.NewArgon2("secret")
	if err != nil {
		t.Fatal(err)
	}
	if err := access.Set(cfg.Users, "anna", func(u *access.User) { u.Verifier = verifier }); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// post makes a request of anna, or without a password of nobody, and returns the status.
func post(t *testing.T, b *Broker, path, password string, body io.Reader) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+b.HTTPAddr()+"/api/"+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if r.Close = true; password != "" {
		r.SetBasicAuth("anna", password)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// endless is a body that never ends.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}
