package broker

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
)

// A page whose name was pointed to this machine asks by GET, of which the browser does not
// say from which page it is: what this machine may have without signing in, it may not.
func TestMetricsAreNotForAPageThatTakesTheBrokerForItsHost(t *testing.T) {
	for _, anonymous := range []string{"loopback", "none", "all"} {
		cfg := testConfig(t)
		cfg.Anonymous, cfg.Hosts = anonymous, []string{"broker.lan"}
		b := start(t, cfg)
		for host, want := range map[string]int{
			"": 200, "localhost:8080": 200, "[::1]:8080": 200, "127.0.0.1": 200, "broker.lan": 200, "BROKER.lan:80": 200,
			"evil.example": 403, "evil.example:8080": 403, "localhost.evil.example": 403, "127.0.0.1.evil.example": 403,
		} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+b.HTTPAddr()+"/metrics", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.Host, r.Close = host, true
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(resp.Body)
			if resp.Body.Close(); err != nil || resp.StatusCode != want || want == 403 && !strings.Contains(string(text), "see the setting hosts") {
				t.Errorf("anonymous %s, Host %q: %v, status %d, want %d: %.200s", anonymous, host, err, resp.StatusCode, want, text)
			}
		}
	}
}

// So are documents, and what rooms tell.
func TestDocumentsAreNotForAPageThatTakesTheBrokerForItsHost(t *testing.T) {
	cfg := testConfig(t)
	cfg.Hosts, cfg.PocketBase.Index = []string{"broker.lan"}, "fleet"
	b := start(t, cfg)
	for _, path := range []string{"/api/rooms/fleet/trucks", "/api/realtime", "/api/collections/trucks/records"} {
		for host, want := range map[string]int{
			"127.0.0.1:8080": 200, "localhost": 200, "broker.lan:8080": 200, "evil.example": 403, "127.0.0.1.evil.example:8080": 403,
		} {
			ctx, cancel := context.WithCancel(t.Context())
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b.HTTPAddr()+path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.Host, r.Close = host, true
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if path == "/api/collections/trucks/records" && resp.StatusCode == http.StatusNotFound {
				resp.StatusCode = http.StatusOK // there are none
			}
			if resp.StatusCode != want {
				t.Errorf("%s of %q: status %d, want %d", path, host, resp.StatusCode, want)
			}
			cancel() // or a stream goes on
			_ = resp.Body.Close()
		}
	}
}
