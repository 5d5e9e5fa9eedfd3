package access

import (
	"net"

	"github.com/xdg-go/scram"
)

// Method is the SASL mechanism of an [Exchange].
const Method = "SCRAM-SHA-256"

// An Exchange is one authentication by SCRAM-SHA-256 (RFC 7677): the client
// proves that it knows a password without saying it, and the broker that it
// knows the verifier. It is for one goroutine.
type Exchange struct {
	conversation *scram.ServerConversation
	users        *Users
	verifier     Scram  // of the user
	guard        Guard  // or nil
	audit        *Audit // or nil
	from         net.Addr
	done         func(error) // that the guard wants to be told with, or nil
}

// Begin returns a new exchange with somebody at an address, or nil if nobody can sign
// in that way.
func (d *Door) Begin(from net.Addr) (*Exchange, error) {
	if d.Users == nil {
		return nil, nil
	}
	x := &Exchange{users: d.Users, guard: d.Guard, audit: d.Audit, from: from}
	server, err := scram.SHA256.NewServer(func(name string) (scram.StoredCredentials, error) {
		x.verifier = d.Users.findScram(name)
		return scram.StoredCredentials(x.verifier), nil
	})
	if err != nil {
		return nil, err
	}
	x.conversation = server.NewConversation()
	return x, nil
}

// Step takes what the client said, and returns what it is answered. done says
// that it is who it says. The error is [ErrDenied], or that of the guard.
func (x *Exchange) Step(data []byte) (answer []byte, done bool, err error) {
	if x.done != nil { // others that were begun at the same time may have failed meanwhile
		if _, err := x.guard(x.from, x.Name()); err != nil {
			x.end(err)
			x.audit.Refused(x.Name(), "", x.from, err)
			return nil, false, err
		}
	}
	text, err := x.conversation.Step(string(data))
	if other := x.conversation.AuthzID(); err != nil || other != "" && other != x.Name() {
		x.end(ErrDenied)
		x.audit.Refused(x.Name(), "", x.from, ErrDenied)
		return nil, false, ErrDenied
	}
	if x.conversation.Valid() {
		x.end(nil)
		return []byte(text), true, nil
	}
	if x.guard != nil && x.done == nil { // the first step has said who it is
		if x.done, err = x.guard(x.from, x.Name()); err != nil {
			x.audit.Refused(x.Name(), "", x.from, err)
			return nil, false, err
		}
	}
	return []byte(text), false, nil
}

// end tells the guard how it went, once.
func (x *Exchange) end(err error) {
	if x.done != nil {
		x.done(err)
		x.done, x.guard = nil, nil
	}
}

// Name returns who the client says it is.
func (x *Exchange) Name() string { return x.conversation.Username() }

// Identity returns who the client is, once it is done.
func (x *Exchange) Identity() *Identity {
	who := &Identity{User: x.Name(), By: Scram256, verifier: x.verifier.String()}
	if user, ok := x.users.lookup(who.User); ok {
		who.Roles, who.Attributes = user.Roles, user.Attributes
	}
	return who
}
