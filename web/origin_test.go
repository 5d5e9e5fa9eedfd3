package web

import (
	"net/http/httptest"
	"testing"
)

// A page of evil.example, whose name its owner has pointed to this machine, is sent to the same
// host as the broker's own pages are (DNS rebinding).
func TestAPageIsOurOwnOnlyByAHostThatIsOurs(t *testing.T) {
	origins, hosts := []string{"maps.example.com"}, []string{"broker.example.com", "*.lan"}
	for _, tt := range []struct {
		host, origin string
		want         bool
	}{
		{"127.0.0.1:8080", "http://127.0.0.1:8080", true},
		{"[::1]:8080", "http://[::1]:8080", true},
		{"192.168.1.2", "http://192.168.1.2", true},
		{"localhost:8080", "http://localhost:8080", true},
		{"LocalHost:8080", "http://localhost:8080", true},
		{"a.localhost", "http://a.localhost", true},
		{"broker.example.com", "https://broker.example.com", true},
		{"broker.example.com:8443", "https://Broker.example.com:8443", true},
		{"ambit.lan:8080", "http://ambit.lan:8080", true},
		{"evil.example:8080", "http://evil.example:8080", false},
		{"evil.example", "http://evil.example", false},
		{"localhost.evil.example", "http://localhost.evil.example", false},
		{"evil.example:8080", "http://maps.example.com", true}, // which is believed
		{"127.0.0.1:8080", "http://evil.example:8080", false},
		{"127.0.0.1:8080", "null", false},
		{"evil.example:8080", "", true}, // no page
	} {
		r := httptest.NewRequest("POST", "/api/server/now", nil)
		r.Host = tt.host
		if tt.origin != "" {
			r.Header.Set("Origin", tt.origin)
		}
		if got := IsOurs(r, Pages{Origins: origins, Hosts: hosts}); got != tt.want {
			t.Errorf("a page of %q at %q: %v, want %v", tt.origin, tt.host, got, tt.want)
		}
	}
}
