package hooks

import (
	"encoding/json"
	"errors"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/sessions"
)

// Door says who may come in, by whichever protocol.
func (h *Hook) Door() *access.Door { return h.door }

// Admit lets in whoever signs in, or may connect without.
func (h *Hook) Admit(c *sessions.Client) error {
	if who, ok := c.Identity.(*access.Identity); ok { // whoever attached it has let it in
		return h.admit(c, who)
	}
	a := access.Arrival{ClientID: c.ClientID, From: c.Remote}
	a.Peer, _ = c.Via.Peer.(access.Peer)
	if c.HasUsername || c.HasPassword {
		a.Login = &access.Login{Name: c.Username, Password: c.Password}
	}
	who, err := h.door.Enter(a)
	if errors.Is(err, access.ErrExpired) { // CONNACK has no word for it
		return &sessions.Error{Code: packets.ErrNotAuthorized.Code, Text: err.Error()}
	}
	if err != nil {
		return refuse(err)
	}
	return h.admit(c, who)
}

// admit notes who a client is.
func (h *Hook) admit(c *sessions.Client, who *access.Identity) error {
	if peer, _ := c.Via.Peer.(access.Peer); peer.OwnID && c.ClientID != who.User {
		return &sessions.Error{Code: packets.ErrClientIdentifierNotValid.Code, Text: "the client identifier has to be that of the certificate"}
	}
	c.User, c.Identity, c.Rights = who.User, who, h.rightsOf(who, c.ClientID)
	h.door.Audit.SignedIn(who, c.ClientID, c.Remote)
	c.Lapse = h.lapseOf(who)
	return nil
}

// lapseOf returns for how long somebody may be there.
func (h *Hook) lapseOf(who *access.Identity) sessions.Lapse {
	if who.Expires.IsZero() {
		return sessions.Lapse{}
	}
	return sessions.Lapse{At: who.Expires, Why: refuse(access.ErrExpired), Say: h.expired}
}

// tokenExpired returns the notification that Kuzzle's clients wait for.
func tokenExpired(node string) string {
	text, err := json.Marshal(struct {
		Status  int    `json:"status"`
		Info    string `json:"info"`
		Message string `json:"message"`
		Type    string `json:"type"`
		Node    string `json:"node"`
	}{200, "This is an automated server notification", "Authentication Token Expired", "TokenExpired", node})
	if err != nil {
		panic(err) // it is made of text and a number
	}
	return string(text)
}

// Still says whether a client that was let in may stay.
func (h *Hook) Still(c *sessions.Client) error {
	peer, _ := c.Via.Peer.(access.Peer)
	err := h.door.StillFrom(c.Who().(*access.Identity), peer)
	if err == nil && h.door.Bans.Has(c.ClientID, c.User, c.Remote) {
		err = access.ErrBanned
	}
	if err != nil {
		h.door.Audit.Ended(c.User, c.ClientID, err)
	}
	return refuse(err)
}

// Authenticate begins an exchange by SCRAM-SHA-256.
func (h *Hook) Authenticate(c *sessions.Client, method string) (sessions.Exchange, error) {
	if h.opts.Users == nil || method != access.Method { // [MQTT-4.12.0-1]
		return nil, &sessions.Error{Code: packets.ErrBadAuthenticationMethod.Code, Text: "there is no such authentication method"}
	}
	if err := h.door.Approach(c.ClientID, c.Remote); err != nil {
		return nil, refuse(err)
	}
	x, err := h.door.Begin(c.Remote)
	if err != nil {
		return nil, err
	}
	return &exchange{x, h, c}, nil
}

// An exchange is one of [access.Exchange] by a client.
type exchange struct {
	*access.Exchange
	hook   *Hook
	client *sessions.Client
}

// Step notes who the client is. It stays that for as long as it is connected.
func (x *exchange) Step(data []byte) (answer []byte, done bool, err error) {
	answer, done, err = x.Exchange.Step(data)
	if errors.Is(err, access.ErrTooOften) {
		return nil, false, refuse(err)
	}
	if done && x.hook.door.Bans.Has("", x.Name(), nil) {
		return nil, false, refuse(access.ErrBanned)
	}
	if err != nil || done && x.client.User != "" && x.client.User != x.Name() {
		return nil, false, &sessions.Error{Code: packets.ErrNotAuthorized.Code, Text: access.ErrDenied.Error()}
	}
	if done && x.client.Identity == nil { // others read it once it is there
		err = x.hook.admit(x.client, x.Identity())
	}
	return answer, done, err
}
