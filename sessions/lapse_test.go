package sessions_test

import (
	"path/filepath"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/access"
)

// as has a CONNECT sign in with the password of everybody, or not at all as "", and keep
// its session.
func as(user string) func(*packets.Packet) {
	return func(pk *packets.Packet) {
		keepSession(pk)
		pk.Connect.Username, pk.Connect.UsernameFlag = []byte(user), user != ""
		pk.Connect.Password, pk.Connect.PasswordFlag = []byte("secret"), user != ""
	}
}

func clean(connect func(*packets.Packet)) func(*packets.Packet) {
	return func(pk *packets.Packet) {
		connect(pk)
		pk.Connect.Clean = true
	}
}

func TestAClientIdentifierBelongsToTheUserWhoFirstUsedIt(t *testing.T) {
	users := withUsers(t)
	n := startNode(t, func(o *options) {
		users(o)
		o.hook.AllowRemote = true
	})
	refused := func(version byte, user string, connect func(*packets.Packet)) {
		t.Helper()
		want := byte(0x87)
		if version < 5 {
			want = 5
		}
		if ack := n.dial(version).connect("truck", connect); ack.ReasonCode != want {
			t.Errorf("%q, version %d: CONNACK 0x%02X, want 0x%02X", user, version, ack.ReasonCode, want)
		}
	}
	others := func() {
		t.Helper()
		for _, version := range []byte{4, 5} {
			for _, user := range []string{"bert", ""} {
				refused(version, user, as(user))
				refused(version, user, clean(as(user)))
			}
		}
	}
	p := n.connect(5, "truck", as("anna"))
	p.subscribe(1, "home/#")
	others()
	p.put("home/lamp", "on") // it is still connected
	p.hangUp()
	others()
	n.restart()
	others()
	p = n.dial(5)
	if ack := p.connect("truck", as("anna")); ack.ReasonCode != 0 || !ack.SessionPresent {
		t.Errorf("anna: CONNACK 0x%02X, session present: %v", ack.ReasonCode, ack.SessionPresent)
	}
	p.hangUp()
	n.connect(5, "truck", func(pk *packets.Packet) { // the session ends with this connection
		clean(as("anna"))(pk)
		pk.Properties.SessionExpiryIntervalFlag = false
		pk.Properties.SessionExpiryInterval = 0
	}).hangUp()
	n.gone("truck")
	n.connect(5, "truck", as("bert"))
}

// Whoever does not sign in can keep nobody from a client identifier, nor leave anything
// in its session.
func TestAUserGetsNothingOfASessionOfNobody(t *testing.T) {
	users := withUsers(t)
	n := startNode(t, func(o *options) {
		users(o)
		o.hook.AllowRemote = true
	})
	squatter := n.connect(5, "truck", as(""))
	squatter.subscribe(1, "home/#")
	p := n.dial(5)
	if ack := p.connect("truck", as("anna")); ack.ReasonCode != 0 || ack.SessionPresent {
		t.Fatalf("CONNACK 0x%02X, session present: %v", ack.ReasonCode, ack.SessionPresent)
	}
	squatter.expectEnd(0x8E)
	p.put("home/lamp", "on")
	p.quiet()
}

func TestWhoMayStayNoLongerIsDisconnected(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*access.User)
		code   byte // 0: it stays
	}{
		{"the password is another one", func(u *access.User) { u.Verifier = newVerifier(t, "new") }, 0x87},
		{"there is no password", func(u *access.User) { u.Verifier = nil }, 0x87},
		{"the roles are others", func(u *access.User) { u.Roles = []string{"driver"} }, 0x98},
		{"somebody else has changed", nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "users")
			n := startNode(t, withUsersOf(t, path))
			plain, proven := n.connect(5, "plain", as("anna")), n.signedIn()
			name := "anna"
			if tt.change == nil {
				name, tt.change = "bert", func(u *access.User) { u.Verifier = nil }
			}
			if err := access.Set(path, name, tt.change); err != nil {
				t.Fatal(err)
			}
			n.engine.Recheck()
			for _, p := range []*peer{plain, proven} {
				if tt.code != 0 {
					p.expectEnd(tt.code)
					continue
				}
				p.put("home/lamp", "on")
			}
		})
	}
}

func newVerifier(t *testing.T, password string) access.Verifier {
	t.Helper()
	v, err := access.NewArgon2(password)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
