package hooks

import (
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/sessions"
)

// Door says who may come in, by whichever protocol.
func (h *Hook) Door() *access.Door { return h.door }

// Admit lets in whoever signs in with a user name and its password, or may
// connect without.
func (h *Hook) Admit(c *sessions.Client) error {
	var login *access.Login
	if c.HasUsername || c.HasPassword {
		login = &access.Login{Name: c.Username, Password: c.Password}
	}
	who, err := h.door.Enter(c.Remote, login)
	if err != nil {
		return refuse(err)
	}
	c.User, c.Identity = who.User, who
	return nil
}

// Authenticate begins an exchange by SCRAM-SHA-256.
func (h *Hook) Authenticate(c *sessions.Client, method string) (sessions.Exchange, error) {
	if h.opts.Users == nil || method != access.Method { // [MQTT-4.12.0-1]
		return nil, &sessions.Error{Code: packets.ErrBadAuthenticationMethod.Code, Text: "there is no such authentication method"}
	}
	x, err := h.opts.Users.Begin()
	if err != nil {
		return nil, err
	}
	return &exchange{x, c}, nil
}

// An exchange is one of [access.Exchange] by a client.
type exchange struct {
	*access.Exchange
	client *sessions.Client
}

// Step notes who the client is. It stays that for as long as it is connected.
func (x *exchange) Step(data []byte) (answer []byte, done bool, err error) {
	answer, done, err = x.Exchange.Step(data)
	if err != nil || done && x.client.User != "" && x.client.User != x.Name() {
		return nil, false, &sessions.Error{Code: packets.ErrNotAuthorized.Code, Text: access.ErrDenied.Error()}
	}
	if done {
		x.client.User = x.Name()
		x.client.Identity = &access.Identity{User: x.Name(), By: access.Scram}
	}
	return answer, done, nil
}
