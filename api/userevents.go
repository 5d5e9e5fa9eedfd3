package api

// What is told to a user on $users/<user>/events.
const (
	// SignedIn and SignedOut: a client is connected as the user, or is not any more; or a
	// token was made, or revoked.
	SignedIn  = "signin"
	SignedOut = "signout"
	// Changed: what the user signs in with, or may do, is something else now.
	Changed = "credentials"
)

// A UserEvent is what is told to a user.
type UserEvent struct {
	// Event is SignedIn, SignedOut or Changed.
	Event string
	// What says what it is about: "connection", "token", "key" or "user" (the line of the
	// file of users).
	What string
	// ClientID is that of the client that has done it, or "", and Protocol by which it
	// came, or "".
	ClientID, Protocol string
}

// tellUser tells a user of what the request has done.
func (c *call) tellUser(user, event, what string) {
	c.out.TellUser(user, UserEvent{Event: event, What: what, ClientID: c.from.ClientID, Protocol: c.from.Protocol})
}
