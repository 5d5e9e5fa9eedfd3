package integration

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/paho"
	"github.com/xdg-go/scram"
)

// startWithUser starts a broker that lets in anna, with the password secret,
// and nobody else.
func startWithUser(t *testing.T) *broker {
	t.Helper()
	users := filepath.Join(t.TempDir(), "users.txt")
	passwd := exec.Command(filepath.Join(programs, "ambit"), "passwd", users, "anna", "--scram")
	passwd.Stdin = strings.NewReader("secret\n")
	if out, err := passwd.CombinedOutput(); err != nil {
		t.Fatalf("ambit passwd: %v\n%s", err, out)
	}
	return startBroker(t, brokerOptions{config: fmt.Sprintf("{anonymous: none, users: %q}", users)})
}

func TestMosquittoSignsInWithItsPassword(t *testing.T) {
	need(t, "mosquitto_pub")
	b := startWithUser(t)
	host, port, err := net.SplitHostPort(b.mqtt)
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"311", "5"} {
		for _, tt := range []struct {
			name  string
			login []string
			ok    bool
		}{
			{"the password", []string{"-u", "anna", "-P", "secret"}, true},
			{"another password", []string{"-u", "anna", "-P", "x"}, false},
			{"nothing", nil, false},
		} {
			args := append([]string{"-h", host, "-p", port, "-V", version, "-q", "1", "-t", "fleet/trucks/42", "-m", "{}"}, tt.login...)
			if out, err := exec.Command("mosquitto_pub", args...).CombinedOutput(); (err == nil) != tt.ok {
				t.Errorf("%s, %s: %v, want success: %v\n%s", version, tt.name, err, tt.ok, out)
			}
		}
	}
	told, err := exec.Command("mosquitto_sub", "-h", host, "-p", port, "-u", "anna", "-P", "secret",
		"-t", "fleet/trucks/?{}&since=0", "-C", "1", "-W", "10").CombinedOutput()
	if err != nil || !strings.Contains(string(told), `"author":"anna"`) {
		t.Errorf("%v: the author of the document is not anna: %s", err, told)
	}
}

// A pahoLogin signs paho.golang in by SCRAM-SHA-256. Paho uses it from one
// goroutine at a time.
type pahoLogin struct {
	t            *testing.T
	conversation *scram.ClientConversation
}

func newPahoLogin(t *testing.T, password string) *pahoLogin {
	t.Helper()
	client, err := scram.SHA256.NewClient("anna", password, "")
	if err != nil {
		t.Fatal(err)
	}
	return &pahoLogin{t, client.NewConversation()}
}

func (l *pahoLogin) step(told []byte) []byte {
	says, err := l.conversation.Step(string(told))
	if err != nil {
		l.t.Error(err)
	}
	return []byte(says)
}

// Authenticate answers an AUTH.
func (l *pahoLogin) Authenticate(a *paho.Auth) *paho.Auth {
	return &paho.Auth{ReasonCode: 0x18, Properties: &paho.AuthProperties{
		AuthMethod: a.Properties.AuthMethod, AuthData: l.step(a.Properties.AuthData),
	}}
}

// Authenticated is told that it is done.
func (*pahoLogin) Authenticated() {}

func TestPahoSignsInBySCRAM(t *testing.T) {
	b := startWithUser(t)
	const method = "SCRAM-SHA-256"
	for _, tt := range []struct {
		name, password string
		code           byte
	}{
		{"the password", "secret", 0},
		{"another password", "x", 0x87},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			var d net.Dialer
			conn, err := d.DialContext(ctx, "tcp", b.mqtt)
			if err != nil {
				t.Fatal(err)
			}
			login := newPahoLogin(t, tt.password)
			c := paho.NewClient(paho.ClientConfig{Conn: conn, AuthHandler: login})
			ack, err := c.Connect(ctx, &paho.Connect{
				ClientID: "paho", CleanStart: true, KeepAlive: 20,
				Properties: &paho.ConnectProperties{AuthMethod: method, AuthData: login.step(nil)},
			})
			if ack == nil || ack.ReasonCode != tt.code || (err == nil) != (tt.code == 0) {
				t.Fatalf("CONNACK %+v, %v, want 0x%02X", ack, err, tt.code)
			}
			if err != nil {
				return
			}
			if login.step(ack.Properties.AuthData); !login.conversation.Valid() {
				t.Error("the broker has not proved that it knows the verifier")
			}
			*login = *newPahoLogin(t, tt.password)
			again, err := c.Authenticate(ctx, &paho.Auth{ReasonCode: 0x19, Properties: &paho.AuthProperties{
				AuthMethod: method, AuthData: login.step(nil),
			}})
			if err != nil || !again.Success {
				t.Errorf("AUTH %+v, %v, want success", again, err)
			}
			if err := c.Disconnect(&paho.Disconnect{}); err != nil {
				t.Error(err)
			}
		})
	}
}
