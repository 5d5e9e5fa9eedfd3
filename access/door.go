package access

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"time"

	"github.com/ambitmq/ambit/limits"
)

var (
	// ErrMustSignIn says that nobody comes in without signing in.
	ErrMustSignIn = errors.New("clients have to sign in (see the settings anonymous and users)")
	// ErrElsewhere says that the client is not on this machine.
	ErrElsewhere = errors.New("anonymous clients may connect from this machine only (see the setting anonymous)")
	// ErrRevoked says that what somebody came in with does not count any more.
	ErrRevoked = errors.New("what the client signed in with was revoked")
	// ErrChanged says that the roles or the attributes of a user are others now.
	ErrChanged = errors.New("the rights of the user have changed")
)

// A Door says who may come in, by whichever protocol. It is not written once it is
// used.
type Door struct {
	// Users are those who may sign in with a password; nil is nobody.
	Users *Users
	// Tokens and Keys are what they, and others, may show instead; nil is none.
	Tokens *Tokens
	Keys   *Keys
	// Profiles are what users say of themselves. May be nil.
	Profiles *Profiles
	// Access says what they may do. Nil is everything.
	Access *PolicyFile
	// Local and Remote let clients of this machine, and of others, in without
	// signing in.
	Local, Remote bool
	// Shown returns the certificate of somebody who came in before the process was. May be nil.
	Shown func(kept json.RawMessage) Shown
	// Guard is asked before anybody signs in. May be nil.
	Guard Guard
	// Bans say who may not come in. May be nil.
	Bans *Bans
	// Flapping sees to it that nobody connects again and again. May be nil.
	Flapping *Flapping
	// Counts is told how often somebody was banned. May be nil.
	Counts *limits.Counts
	// Audit is told of who is not let in, and of who signs in by name and password for a
	// token. May be nil.
	Audit *Audit
}

// A Guard is asked before somebody signs in from an address as a user, who is ""
// where a secret alone says who that is. It refuses with an error, or returns what
// is told how that went: nil, or why not. It may be asked once more while that goes on.
type Guard func(from net.Addr, user string) (done func(error), err error)

// An Arrival is somebody who wants to come in.
type Arrival struct {
	// ClientID is the client identifier of an MQTT client, and else "".
	ClientID string
	// From is the address that it comes from.
	From net.Addr
	Peer
	// Login is nil for somebody who does not sign in.
	Login *Login
}

// A Peer is what the listener knows of who arrives.
type Peer struct {
	// Origin is that of the page that connects, "https://maps.example.com", or "".
	Origin string
	// Certificate is the one that the client has shown, if TLS has verified it and
	// the listener says whom it names: User. Else it is nil.
	Certificate *x509.Certificate
	User        string
	// OwnID says that the client identifier has to be the name of the user.
	OwnID bool
	// Shown is the certificate that the client has shown, whomever it names. Nil is none.
	Shown Shown
}

// A Shown is a certificate that TLS has verified, which may be revoked since.
type Shown interface {
	// IsRevoked says whether it would be refused now.
	IsRevoked() bool
	// Keep returns what has to be kept of it, as JSON, so that it can be asked later.
	Keep() json.RawMessage
}

// isRevoked says whether what the listener knows does not hold any more.
func (p Peer) isRevoked() bool { return p.Shown != nil && p.Shown.IsRevoked() }

// A Login is a user name and a password.
type Login struct {
	Name     string
	Password []byte
	// Bearer says that there is no name, and that the password can only be a token or
	// a key.
	Bearer bool
}

// Open reads what is kept of tokens and keys.
func (d *Door) Open(ctx context.Context) error {
	if d.Bans != nil {
		if err := d.Bans.Open(); err != nil {
			return err
		}
	}
	if d.Tokens == nil {
		return nil
	}
	return errors.Join(d.Tokens.Open(ctx), d.Keys.Open(), d.Profiles.open())
}

// Enter returns who arrives. Without a login and a certificate it is nobody, if that
// may come in. The error is [ErrDenied], [ErrBusy], [ErrToken], [ErrExpired], [ErrMustSignIn],
// [ErrElsewhere], or that of the guard. Where there are no users, a password that is no
// token and no key is not looked at.
func (d *Door) Enter(a Arrival) (*Identity, error) {
	err := d.Approach(a.ClientID, a.From)
	var who *Identity
	if err == nil && a.isRevoked() {
		err = ErrRevoked
	}
	if err == nil {
		who, err = d.enter(a)
	}
	if err == nil {
		err = d.keepOut("", who.User, nil)
	}
	if err != nil {
		name := a.User
		if a.Login != nil {
			name = cmp.Or(a.Login.Name, name)
		}
		d.Audit.Refused(name, a.ClientID, a.From, err)
		return nil, err
	}
	return who, nil
}

// Approach says whether a client may come so far as to say who it is. The error is
// [ErrBanned].
func (d *Door) Approach(client string, from net.Addr) error {
	if err := d.keepOut(client, "", from); err != nil {
		return err
	}
	banned, begun := d.Flapping.connect(client, from)
	if begun {
		d.Audit.BanMade(byItself, Ban{Reason: "flapping", Kind: BanClient, Of: client, Until: time.Now().Add(d.Flapping.ban)})
	}
	if banned {
		return ErrBanned
	}
	return nil
}

// keepOut says whether a client, a user or an address is banned.
func (d *Door) keepOut(client, user string, from net.Addr) error {
	if d.Bans.Has(client, user, from) {
		d.Counts.Add(limits.Banned)
		return ErrBanned
	}
	return nil
}

func (d *Door) enter(a Arrival) (*Identity, error) {
	switch {
	case a.Certificate != nil:
		return d.byCertificate(a)
	case a.Login != nil && (d.Users != nil || a.Login.isSecret()):
		return d.guarded(a.From, a.Login.Name, func() (*Identity, error) { return d.signIn(a) })
	case d.admits(a.From):
		return nobody, nil
	case d.Local:
		return nil, ErrElsewhere
	}
	return nil, ErrMustSignIn
}

// IsOpen says whether whoever arrives so has nothing more to show of itself, unless it is banned.
func (d *Door) IsOpen(a Arrival) bool {
	return a.Certificate != nil || a.Login == nil && d.admits(a.From)
}

// admits says whether whoever comes from an address need not sign in.
func (d *Door) admits(from net.Addr) bool { return d.Remote || d.Local && isLocal(from) }

// guarded asks the guard before somebody signs in, and tells it of the end.
func (d *Door) guarded(from net.Addr, user string, signIn func() (*Identity, error)) (*Identity, error) {
	if d.Guard == nil {
		return signIn()
	}
	done, err := d.Guard(from, user)
	if err != nil {
		return nil, err
	}
	who, err := signIn()
	done(err)
	return who, err
}

// verify returns who signs in by a password, as the guard has allowed. Nobody has no name: since
// no attempt of that is counted, none may cost anything.
func (d *Door) verify(from net.Addr, name string, password []byte) (*Identity, error) {
	if name == "" {
		return nil, ErrDenied
	}
	return d.Users.verify(name, password, func() error {
		if d.Guard == nil {
			return nil
		}
		_, err := d.Guard(from, name)
		return err
	})
}

// isSecret says whether a login is by a token or a key.
func (l *Login) isSecret() bool { return l.Bearer || isKey(l.Password) || isToken(l.Password) }

// signIn returns who signs in.
func (d *Door) signIn(a Arrival) (*Identity, error) {
	if !a.Login.isSecret() {
		return d.verify(a.From, a.Login.Name, a.Login.Password)
	}
	who, err := d.show(a)
	if err == nil && a.Login.Name != "" && a.Login.Name != who.User {
		return nil, ErrDenied
	}
	return who, err
}

// show returns who shows a token or a key.
func (d *Door) show(a Arrival) (*Identity, error) {
	switch {
	case d.Tokens == nil:
	case isKey(a.Login.Password):
		return d.Keys.enter(a)
	case isToken(a.Login.Password):
		return d.Tokens.enter(string(a.Login.Password))
	}
	return nil, ErrToken
}

// Show returns who shows a token or a key in a request. The error is [ErrToken], [ErrExpired] or
// [ErrBanned].
func (d *Door) Show(a Arrival, secret string) (*Identity, error) {
	a.Login = &Login{Password: []byte(secret), Bearer: true}
	who, err := d.show(a)
	if err == nil {
		err = d.keepOut("", who.User, a.From)
	}
	if err != nil {
		return nil, err
	}
	return who, nil
}

// SignIn returns a user who says the password. The error is [ErrDenied], [ErrBusy], [ErrBanned],
// or that of the guard. From an address that is banned nobody learns whether a password is right.
func (d *Door) SignIn(from net.Addr, name, password string) (*Identity, error) {
	var who *Identity
	err := d.keepOut("", "", from)
	if err == nil {
		who, err = d.guarded(from, name, func() (*Identity, error) {
			if d.Users == nil {
				return nil, ErrDenied
			}
			return d.verify(from, name, []byte(password))
		})
	}
	if err == nil {
		err = d.keepOut("", name, nil)
	}
	if err != nil {
		d.Audit.Refused(name, "", from, err)
		return nil, err
	}
	d.Audit.SignedIn(who, "", from)
	return who, nil
}

// byCertificate returns whom a certificate names. The client may say the same, and
// nothing else; a password is not needed, and not looked at.
func (d *Door) byCertificate(a Arrival) (*Identity, error) {
	if a.User == "" || a.Login != nil && a.Login.Name != "" && a.Login.Name != a.User {
		return nil, ErrDenied
	}
	who := &Identity{User: a.User, By: Certificate, Expires: a.Certificate.NotAfter}
	if d.Users != nil {
		if u, ok := d.Users.lookup(a.User); ok {
			who.Roles, who.Attributes = u.Roles, u.Attributes
		}
	}
	return who, nil
}

// Changes returns a number that is another one when [Door.Still] may be. It looks
// whether the file of users has changed.
func (d *Door) Changes() uint64 {
	return d.Users.changed() + d.Tokens.changed() + d.Keys.changed() + d.Bans.changed()
}

// StillFrom is [Door.Still] of somebody at a listener that knows of a certificate.
func (d *Door) StillFrom(who *Identity, from Peer) error {
	if from.isRevoked() {
		return ErrRevoked
	}
	return d.Still(who)
}

// Still returns nil if somebody who came in may stay: [ErrRevoked] if not, and
// [ErrChanged] if it has to come in again to be who it is now.
func (d *Door) Still(who *Identity) error {
	switch who.By {
	case Token, APIKey:
		if d.Tokens == nil {
			return ErrRevoked // they are not taken any more
		}
	default:
	}
	switch who.By {
	case Token:
		return d.Tokens.still(who)
	case APIKey:
		return d.Keys.still(who)
	case Password, Scram256, Certificate:
		return d.Users.still(who)
	case Anonymous:
	}
	return nil
}

// isLocal says whether an address is of this machine.
func isLocal(addr net.Addr) bool {
	switch a := addr.(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return false
}
