package access

import (
	"encoding/json"
	"sync/atomic"
	"time"
)

// An Identity is who a client is, as whoever vouched for it says. It is not written
// once it is made, but by [Door.SetPassword].
type Identity struct {
	// User is the name, and "" of somebody who did not sign in.
	User string
	// Roles are what the user is, in the order in which they were given.
	Roles []string
	// Attributes are what rules may compare with, each a JSON value.
	Attributes map[string]json.RawMessage
	// By says how it was proven.
	By Proof
	// Credential is the id of an API key or a token, by which it can be revoked, and
	// "" of what has none.
	Credential string
	// Expires is until when it holds. The zero time is for ever.
	Expires time.Time

	verifier string // of the password that it was proven by, as files have it
	token    *own   // what a token of the node says, or nil
	// renewed are the verifiers of the password that somebody who came in so has set since,
	// and of the one before; or nil.
	renewed atomic.Pointer[[2]string]
}

// IsListed says whether roles and attributes are those of the file of users.
func (i *Identity) IsListed() bool { return i.By == Password || i.By == Scram256 || i.token != nil }

// MayAs says whether somebody is the same user with the same roles and attributes, and so may do the same.
func (i *Identity) MayAs(other *Identity) bool {
	return i.User == other.User && Grants{i.Roles, i.Attributes}.equal(Grants{other.Roles, other.Attributes})
}

// A Proof is a way to show who one is.
type Proof string

// The proofs. Anonymous is none.
const (
	Anonymous   Proof = "anonymous"
	Password    Proof = "password"
	Scram256    Proof = "scram"
	Token       Proof = "token"
	APIKey      Proof = "apikey"
	Certificate Proof = "certificate"
)

// Nobody returns who did not sign in.
func Nobody() *Identity { return nobody }

// nobody is whoever comes in without signing in.
var nobody = &Identity{By: Anonymous}
