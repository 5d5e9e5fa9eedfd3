package access

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/xdg-go/scram"
)

// The guard is told how each attempt to sign in went, and nobody gets past it.
func TestAGuardIsAskedBeforeAnybodySignsIn(t *testing.T) {
	users, _ := load(t, "anna:"+pencil+"\n")
	vault := newDrawer()
	d := open(t, users, vault, nil)
	_, key, err := d.Keys.Create(t.Context(), Key{User: "anna"})
	if err != nil {
		t.Fatal(err)
	}
	errLater := errors.New("later")
	var told []string
	refuses := false
	d.Guard = func(from net.Addr, user string) (func(error), error) {
		if refuses {
			return nil, errLater
		}
		return func(err error) { told = append(told, fmt.Sprintf("%v %q %v", from, user, err)) }, nil
	}
	from := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 7}
	proves := func(password string) func() error {
		return func() error {
			client, err := scram.SHA256.NewClient("anna", password, "")
			if err != nil {
				t.Fatal(err)
			}
			conversation, says := client.NewConversation(), ""
			x, err := d.Begin(from)
			if err != nil {
				t.Fatal(err)
			}
			for {
				if says, err = conversation.Step(says); err != nil {
					t.Fatal(err)
				}
				answer, done, err := x.Step([]byte(says))
				if done || err != nil {
					return err
				}
				says = string(answer)
			}
		}
	}
	enters := func(name, password string) func() error {
		return func() error {
			_, err := d.Enter(Arrival{From: from, Login: &Login{Name: name, Password: []byte(password)}})
			return err
		}
	}
	attempts := []struct {
		attempt func() error
		want    string
	}{
		{enters("anna", "pencil"), `192.0.2.1:7 "anna" <nil>`},
		{enters("anna", "pen"), `192.0.2.1:7 "anna" ` + ErrDenied.Error()},
		{enters("", key), `192.0.2.1:7 "" <nil>`},
		{enters("", keyMark), `192.0.2.1:7 "" ` + ErrToken.Error()},
		{proves("pencil"), `192.0.2.1:7 "anna" <nil>`},
		{proves("pen"), `192.0.2.1:7 "anna" ` + ErrDenied.Error()},
		{func() error { _, err := d.SignIn(from, "anna", "pencil"); return err }, `192.0.2.1:7 "anna" <nil>`},
	}
	for _, a := range attempts {
		told = nil
		_ = a.attempt() // what the guard is told says how it went
		if !slices.Equal(told, []string{a.want}) {
			t.Errorf("the guard is told %q, want %q", told, a.want)
		}
	}
	refuses, told = true, nil
	for _, a := range attempts {
		if err := a.attempt(); !errors.Is(err, errLater) {
			t.Errorf("%s: %v", a.want, err)
		}
	}
}

func TestACertificateIsItsUser(t *testing.T) {
	users, _ := load(t, "anna:- {\"roles\":[\"driver\"]}\n")
	d := &Door{Users: users}
	cert := &x509.Certificate{NotAfter: time.Now().Add(hour)}
	for _, tt := range []struct {
		name  string
		user  string
		login *Login
		roles int
		want  error
	}{
		{"a user of the file", "anna", nil, 1, nil},
		{"another one", "bert", nil, 0, nil},
		{"the same name", "anna", &Login{Name: "anna", Password: []byte("x")}, 1, nil},
		{"a password without a name", "anna", &Login{Password: []byte("x")}, 1, nil},
		{"another name", "anna", &Login{Name: "bert"}, 0, ErrDenied},
		{"nobody is named", "", nil, 0, ErrDenied},
		{"nobody is named, and somebody says a name", "", &Login{Name: "anna"}, 0, ErrDenied},
	} {
		who, err := d.Enter(Arrival{Peer: Peer{Certificate: cert, User: tt.user}, Login: tt.login})
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err == nil && (who.User != tt.user || who.By != Certificate || len(who.Roles) != tt.roles || !who.Expires.Equal(cert.NotAfter) || d.Still(who) != nil) {
			t.Errorf("%s: %+v, %v", tt.name, who, d.Still(who))
		}
	}
}

// What stands for nothing is not taken for nothing where it is wrong.
func TestAWrongTokenIsNotNobody(t *testing.T) {
	d := open(t, nil, newDrawer(), nil)
	d.Local, d.Remote = true, true
	for _, login := range []*Login{
		{Password: []byte("eyJhbGciOiJub25lIn0.e30.")}, {Name: "anna", Password: []byte(keyMark + "a-b")}, {Bearer: true}, {Bearer: true, Password: []byte("abc")},
	} {
		if who, err := d.Enter(Arrival{Login: login}); !errors.Is(err, ErrToken) {
			t.Errorf("%q: %+v, %v", login.Password, who, err)
		}
	}
	who, err := d.Enter(Arrival{Login: &Login{Name: "anna", Password: []byte("secret")}})
	if err != nil || who.User != "" {
		t.Errorf("a password where there are no users: %+v, %v", who, err)
	}
}
