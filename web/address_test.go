package web

import (
	"net"
	"testing"
)

func TestWhoDidNotSignInIsItsNetwork(t *testing.T) {
	named := func(ip string) string { return addressOf(&net.TCPAddr{IP: net.ParseIP(ip), Port: 7}) }
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"::ffff:192.0.2.1", "192.0.2.1", true},
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff::2", true},
		{"2001:db8:1:2::1", "2001:db8:1:3::1", false},
	} {
		if same := named(tt.a) == named(tt.b); same != tt.same {
			t.Errorf("%s is asked for as %q, and %s as %q", tt.a, named(tt.a), tt.b, named(tt.b))
		}
	}
}
