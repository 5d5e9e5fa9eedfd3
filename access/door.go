package access

import (
	"errors"
	"net"
)

var (
	// ErrMustSignIn says that nobody comes in without signing in.
	ErrMustSignIn = errors.New("clients have to sign in (see the settings anonymous and users)")
	// ErrElsewhere says that the client is not on this machine.
	ErrElsewhere = errors.New("anonymous clients may connect from this machine only (see the setting anonymous)")
)

// A Door says who may come in, by whichever protocol. It is not written once it is
// used.
type Door struct {
	// Users are those who may sign in; nil is nobody.
	Users *Users
	// Local and Remote let clients of this machine, and of others, in without
	// signing in.
	Local, Remote bool
}

// A Login is a user name and a password.
type Login struct {
	Name     string
	Password []byte
}

// Enter returns who signs in from an address. Login is nil for somebody who does
// not: then it is nobody, if that may come in. The error is [ErrDenied], [ErrMustSignIn] or
// [ErrElsewhere]. Where there are no users, a login is not looked at.
func (d *Door) Enter(from net.Addr, login *Login) (*Identity, error) {
	switch {
	case d.Users != nil && login != nil:
		if err := d.Users.Verify(login.Name, login.Password); err != nil {
			return nil, err
		}
		return &Identity{User: login.Name, By: Password}, nil
	case d.Remote || d.Local && isLocal(from):
		return nobody, nil
	case d.Local:
		return nil, ErrElsewhere
	}
	return nil, ErrMustSignIn
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
