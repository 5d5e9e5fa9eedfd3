package access

import (
	"encoding/json"
	"math"
)

// A storedIdentity is what is kept of who a client is, so that it can be said later
// whether that still holds.
type storedIdentity struct {
	Roles      []string                   `json:"roles,omitempty"`
	Attributes map[string]json.RawMessage `json:"attributes,omitempty"`
	By         Proof                      `json:"by,omitempty"`
	Credential string                     `json:"credential,omitempty"`
	// Password stands for that of a user of the file, and Made is when a token of the node
	// was made.
	Password string `json:"password,omitempty"`
	Made     int64  `json:"made,omitempty"`
	// Shown is what a [Shown] keeps of itself.
	Shown json.RawMessage `json:"shown,omitempty"`
}

// Remember returns what is to be kept of somebody for [Door.Recall]: no secret, nor a hash of
// one. Nil is nobody, who has shown nothing.
func (d *Door) Remember(who *Identity, from Peer) []byte {
	if who == nil || who.By == Anonymous && from.Shown == nil {
		return nil
	}
	s := storedIdentity{Roles: who.Roles, Attributes: who.Attributes, By: who.By, Credential: who.Credential}
	if from.Shown != nil {
		s.Shown = from.Shown.Keep()
	}
	switch {
	case who.token != nil:
		s.Password, s.Made = who.token.Password, who.token.Made
	case who.verifier != "" && d.Tokens != nil:
		s.Password, s.Made = d.Tokens.passwordOf(who.verifier), math.MaxInt64 // no token is revoked by it
	}
	text, err := json.Marshal(s)
	if err != nil {
		return nil // attributes that are not JSON are not known either
	}
	return text
}

// Recall returns a user as it was when it was remembered, who did not come in since, and what
// the listener knew. Of what cannot be read nothing is known but the name.
func (d *Door) Recall(user string, text []byte) (*Identity, Peer) {
	who := &Identity{User: user, By: Anonymous}
	var s storedIdentity
	if json.Unmarshal(text, &s) != nil {
		return who, Peer{}
	}
	who.Roles, who.Attributes, who.By, who.Credential = s.Roles, s.Attributes, s.By, s.Credential
	if s.Password != "" { // what holds of a token of that password holds of the password
		who.By, who.token = Token, &own{Made: s.Made, Password: s.Password}
	}
	if s.Shown == nil || d.Shown == nil {
		return who, Peer{}
	}
	return who, Peer{Shown: d.Shown(s.Shown)}
}

// Again returns who somebody is by now who came in once: with other roles and attributes, if
// those have changed. The error is [ErrRevoked] or another that says that he would not come
// in. That something has expired since does not count.
func (d *Door) Again(who *Identity) (*Identity, error) {
	err := d.Still(who)
	if err != ErrChanged { //nolint:errorlint // it is returned as it is
		return who, err
	}
	next := &Identity{User: who.User, By: who.By, Credential: who.Credential, Expires: who.Expires, verifier: who.verifier, token: who.token}
	grants := Grants{}
	if who.By == APIKey {
		key, ok := d.Keys.find(who.Credential)
		if !ok {
			return nil, ErrRevoked
		}
		if grants, err = d.Keys.grants(key); err != nil {
			return nil, err
		}
	} else if user, ok := d.Users.lookup(who.User); ok {
		grants = user.Grants
	}
	next.Roles, next.Attributes = grants.Roles, grants.Attributes
	return next, nil
}
