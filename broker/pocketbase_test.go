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
	cfg.Anonymous, cfg.PocketBase.Index, cfg.Users = "none", "fleet", filepath.Join(t.TempDir(), "users")
	verifier, err := access.NewArgon2("secret")
	if err != nil {
		t.Fatal(err)
	}
	if err := access.Set(cfg.Users, "anna", func(u *access.User) { u.Verifier = verifier }); err != nil {
		t.Fatal(err)
	}
	b := start(t, cfg)
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
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+b.HTTPAddr()+"/api/collections/"+tt.path, tt.body)
		if err != nil {
			t.Fatal(err)
		}
		if r.Close = true; tt.password != "" {
			r.SetBasicAuth("anna", tt.password)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if _ = resp.Body.Close(); resp.StatusCode != tt.want {
			t.Errorf("%s with %q: status %d, want %d", tt.path, tt.password, resp.StatusCode, tt.want)
		}
	}
}

// endless is a body that never ends.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}
