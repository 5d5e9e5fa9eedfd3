package sessions_test

import (
	"path/filepath"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/xdg-go/scram"

	"github.com/ambitmq/ambit/access"
)

// withUsers lets in who signs in, as anna or bert with the password "secret".
func withUsers(t *testing.T) func(*options) {
	t.Helper()
	return withUsersOf(t, filepath.Join(t.TempDir(), "users"))
}

// withUsersOf is withUsers with a file of this name.
func withUsersOf(t *testing.T, path string) func(*options) {
	t.Helper()
	for _, name := range []string{"anna", "bert"} {
		v, err := access.NewScram("secret", access.MinIterations)
		if err != nil {
			t.Fatal(err)
		}
		if err := access.Set(path, name, func(u *access.User) { u.Verifier = v }); err != nil {
			t.Fatal(err)
		}
	}
	return func(o *options) {
		users, err := access.Load(path, o.Log)
		if err != nil {
			t.Fatal(err)
		}
		o.hook.Users, o.hook.AllowRemote = users, false
	}
}

// A login is the client's side of an exchange.
type login struct {
	t            *testing.T
	conversation *scram.ClientConversation
}

func newLogin(t *testing.T, name, password string) *login {
	t.Helper()
	client, err := scram.SHA256.NewClient(name, password, "")
	if err != nil {
		t.Fatal(err)
	}
	return &login{t, client.NewConversation()}
}

// step returns what the client says to what it was told.
func (l *login) step(told []byte) []byte {
	l.t.Helper()
	says, err := l.conversation.Step(string(told))
	if err != nil {
		l.t.Fatal(err)
	}
	return []byte(says)
}

// begin says CONNECT with a method, and the first step of a login.
func (p *peer) begin(method string, l *login) {
	p.t.Helper()
	p.sendConnect("client", func(pk *packets.Packet) {
		pk.Properties.AuthenticationMethod, pk.Properties.AuthenticationData = method, l.step(nil)
	})
}

func (p *peer) auth(code byte, method string, data []byte) {
	p.t.Helper()
	p.send(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Auth}, ReasonCode: code,
		Properties: packets.Properties{AuthenticationMethod: method, AuthenticationData: data},
	})
}

// challenge expects an AUTH of the server, and returns its data.
func (p *peer) challenge(code byte) []byte {
	p.t.Helper()
	pk := p.expect(packets.Auth)
	if pk.ReasonCode != code || pk.Properties.AuthenticationMethod != access.Method {
		p.t.Fatalf("AUTH 0x%02X %q, want 0x%02X", pk.ReasonCode, pk.Properties.AuthenticationMethod, code)
	}
	return pk.Properties.AuthenticationData
}

// signedIn returns a client that has signed in as anna.
func (n *node) signedIn() *peer {
	n.t.Helper()
	p, l := n.dial(5), newLogin(n.t, "anna", "secret")
	p.begin(access.Method, l)
	p.auth(0x18, access.Method, l.step(p.challenge(0x18)))
	ack := p.expect(packets.Connack)
	if ack.ReasonCode != 0 || ack.Properties.AuthenticationMethod != access.Method {
		n.t.Fatalf("CONNACK 0x%02X %q", ack.ReasonCode, ack.Properties.AuthenticationMethod)
	}
	if l.step(ack.Properties.AuthenticationData); !l.conversation.Valid() {
		n.t.Error("the broker has not proved that it knows the verifier")
	}
	return p
}

func TestAClientSignsInByAnExchange(t *testing.T) {
	n := startNode(t, withUsers(t))
	p := n.signedIn()
	p.put("home/lamp", "on")
}

func TestAnExchangeThatFailsIsRefused(t *testing.T) {
	n := startNode(t, withUsers(t))
	for _, tt := range []struct {
		name, user, password, method string
		code                         byte
	}{
		{"another password", "anna", "x", access.Method, 0x87},
		{"nobody", "nobody", "secret", access.Method, 0x87},
		{"another method", "anna", "secret", "GS2-KRB5", 0x8C},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, l := n.dial(5), newLogin(t, tt.user, tt.password)
			p.begin(tt.method, l)
			if tt.method == access.Method {
				p.auth(0x18, access.Method, l.step(p.challenge(0x18)))
			}
			if ack := p.expect(packets.Connack); ack.ReasonCode != tt.code {
				t.Errorf("CONNACK 0x%02X, want 0x%02X", ack.ReasonCode, tt.code)
			}
			p.expectEnd(0)
		})
	}
}

func TestNothingButTheExchangeComesBeforeItsEnd(t *testing.T) {
	n := startNode(t, withUsers(t))
	for _, tt := range []struct {
		name string
		send func(*peer)
		code byte // of CONNACK; 0 is none
	}{
		{"PINGREQ", func(p *peer) { p.raw([]byte{0xC0, 0}) }, 0x82},
		{"a second CONNECT", func(p *peer) { p.sendConnect("client", nil) }, 0x82},
		{"AUTH that begins", func(p *peer) { p.auth(0x19, access.Method, nil) }, 0x82},
		{"AUTH of another method", func(p *peer) { p.auth(0x18, "PLAIN", nil) }, 0x82},
		{"AUTH without a method", func(p *peer) { p.raw([]byte{0xF0, 1, 0x18}) }, 0x82},
		{"AUTH without a reason code", func(p *peer) { p.raw([]byte{0xF0, 0}) }, 0x81},
		{"a packet that is too large", func(p *peer) { p.raw([]byte{0xF0, 0xFF, 0xFF, 0xFF, 0x7F}) }, 0x95},
		{"DISCONNECT", func(p *peer) { p.raw([]byte{0xE0, 0}) }, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := n.dial(5)
			p.begin(access.Method, newLogin(t, "anna", "secret"))
			p.challenge(0x18)
			tt.send(p)
			if tt.code != 0 {
				if ack := p.expect(packets.Connack); ack.ReasonCode != tt.code {
					t.Errorf("CONNACK 0x%02X, want 0x%02X", ack.ReasonCode, tt.code)
				}
			}
			p.expectEnd(0)
		})
	}
}

func TestAClientSignsInAgainWhileItIsConnected(t *testing.T) {
	n := startNode(t, withUsers(t))
	p := n.signedIn()
	for range 2 {
		l := newLogin(t, "anna", "secret")
		p.auth(0x19, access.Method, l.step(nil))
		told := p.challenge(0x18)
		p.put("home/lamp", "on") // goes on meanwhile
		p.auth(0x18, access.Method, l.step(told))
		if l.step(p.challenge(0)); !l.conversation.Valid() {
			t.Error("the broker has not proved that it knows the verifier")
		}
	}
	p.put("home/lamp", "off")
}

func TestAClientThatDoesNotSignInAgainIsDisconnected(t *testing.T) {
	n := startNode(t, withUsers(t))
	again := func(name, password string) func(*peer) {
		return func(p *peer) {
			l := newLogin(t, name, password)
			p.auth(0x19, access.Method, l.step(nil))
			p.auth(0x18, access.Method, l.step(p.challenge(0x18)))
		}
	}
	for _, tt := range []struct {
		name string
		send func(*peer)
		code byte
	}{
		{"another password", again("anna", "x"), 0x87},
		{"another user", again("bert", "secret"), 0x87},
		{"nothing was begun", func(p *peer) { p.auth(0x18, access.Method, nil) }, 0x82},
		{"another method", func(p *peer) { p.auth(0x19, "PLAIN", nil) }, 0x82},
		{"it is begun twice", func(p *peer) {
			l := newLogin(t, "anna", "secret")
			p.auth(0x19, access.Method, l.step(nil))
			p.challenge(0x18)
			p.auth(0x19, access.Method, nil)
		}, 0x82},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := n.signedIn()
			tt.send(p)
			p.expectEnd(tt.code)
		})
	}
}

func TestAClientSignsInWithItsPassword(t *testing.T) {
	n := startNode(t, withUsers(t))
	for _, tt := range []struct {
		name, user, password string
		code3, code5         byte
	}{
		{"the password", "anna", "secret", 0, 0},
		{"another password", "anna", "x", 4, 0x86},
		{"nobody", "nobody", "secret", 4, 0x86},
		{"nothing is said", "", "", 5, 0x87},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for version, want := range map[byte]byte{4: tt.code3, 5: tt.code5} {
				ack := n.dial(version).connect("client", func(pk *packets.Packet) {
					c := &pk.Connect
					c.Username, c.UsernameFlag = []byte(tt.user), tt.user != ""
					c.Password, c.PasswordFlag = []byte(tt.password), tt.user != ""
				})
				if ack.ReasonCode != want {
					t.Errorf("version %d: CONNACK 0x%02X, want 0x%02X", version, ack.ReasonCode, want)
				}
			}
		})
	}
	p := n.connect(5, "plain", func(pk *packets.Packet) {
		pk.Connect.Username, pk.Connect.UsernameFlag = []byte("anna"), true
		pk.Connect.Password, pk.Connect.PasswordFlag = []byte("secret"), true
	})
	p.auth(0x19, access.Method, nil) // its CONNECT has named none [MQTT-4.12.0-7]
	p.expectEnd(0x82)
}
