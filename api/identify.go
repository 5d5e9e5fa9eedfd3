package api

import (
	"errors"
	"slices"

	"github.com/ambitmq/ambit/access"
)

// manager is the role of those who may make and revoke API keys of others.
const manager = "admin"

// IsForAll says whether an action can be asked for by everybody: to sign in, and what counts.
func IsForAll(controller, action string) bool {
	return controller == "auth" && (action == "login" || action == "checkToken")
}

// identify finds out who asks: whoever the token or the key of the request says, or else who
// came in. Signing in and asking about a token need none that counts.
func (c *call) identify() error {
	secret, err := c.string("jwt")
	if err != nil || IsForAll(c.Controller, c.Action) {
		return err
	}
	if secret == "" {
		return c.enroll()
	}
	who, err := c.opts.Door.Show(c.from.Arrival, bare(secret))
	if err != nil {
		c.audit().Refused("", c.from.ClientID, c.from.Arrival.From, err)
		return told(err)
	}
	c.from.Identity, c.from.User, c.from.Operator = who, who.User, false
	return c.enroll()
}

// told returns what a caller is told of an error of access.
func told(err error) error {
	switch {
	case errors.Is(err, access.ErrToken), errors.Is(err, access.ErrRevoked), errors.Is(err, access.ErrChanged):
		return badToken.with()
	case errors.Is(err, access.ErrExpired):
		return expiredToken.with()
	case errors.Is(err, access.ErrTooOften):
		return tooOften.with(err)
	case errors.Is(err, access.ErrBanned):
		return banned.with()
	case errors.Is(err, access.ErrDenied):
		return badLogin.with("wrong username or password")
	case errors.Is(err, access.ErrTTL):
		return longToken.with()
	case errors.Is(err, access.ErrUnlisted):
		return noCredentials.with(err)
	case errors.Is(err, access.ErrPassword):
		return invalidValue.with("body.password", "a password: "+err.Error())
	case errors.Is(err, access.ErrLongProfile):
		return invalidValue.with("body", err.Error())
	case errors.Is(err, access.ErrStale):
		return staleToken.with()
	case errors.Is(err, access.ErrBusy), errors.Is(err, access.ErrManyRevoked), errors.Is(err, access.ErrManyKeys), errors.Is(err, access.ErrManyBans), errors.Is(err, access.ErrManyProfiles),
		errors.Is(err, access.ErrUnwritable):
		return unavailable.with(err)
	}
	return err
}

// user returns who asks. The error says that it is nobody.
func (c *call) user() (*access.Identity, error) {
	if c.from.Identity == nil || c.from.Identity.User == "" {
		return nil, mustSignIn.with(c.Controller, c.Action)
	}
	return c.from.Identity, nil
}

// manages says whether the caller may do something to other users. The error is why not.
func (c *call) manages() error {
	if c.from.Operator {
		return nil
	}
	who, err := c.user()
	if err != nil {
		return err
	}
	if !slices.Contains(who.Roles, manager) {
		return noRight.with(c.Controller, c.Action, who.User)
	}
	return nil
}
