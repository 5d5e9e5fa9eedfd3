package access

import (
	"github.com/xdg-go/scram"
)

// Method is the SASL mechanism of an [Exchange].
const Method = "SCRAM-SHA-256"

// An Exchange is one authentication by SCRAM-SHA-256 (RFC 7677): the client
// proves that it knows a password without saying it, and the broker that it
// knows the verifier. It is for one goroutine.
type Exchange struct{ conversation *scram.ServerConversation }

// Begin returns a new exchange.
func (u *Users) Begin() (*Exchange, error) {
	server, err := scram.SHA256.NewServer(func(name string) (scram.StoredCredentials, error) {
		v, _ := u.find(name)
		return scram.StoredCredentials(v), nil
	})
	if err != nil {
		return nil, err
	}
	return &Exchange{server.NewConversation()}, nil
}

// Step takes what the client said, and returns what it is answered. done says
// that it is who it says. The error is [ErrDenied].
func (x *Exchange) Step(data []byte) (answer []byte, done bool, err error) {
	text, err := x.conversation.Step(string(data))
	if other := x.conversation.AuthzID(); err != nil || other != "" && other != x.Name() {
		return nil, false, ErrDenied
	}
	return []byte(text), x.conversation.Valid(), nil
}

// Name returns who the client says it is.
func (x *Exchange) Name() string { return x.conversation.Username() }
