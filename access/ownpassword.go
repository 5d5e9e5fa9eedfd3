package access

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"time"
)

var (
	// ErrUnlisted says that the password of a user is not one that can be changed here.
	ErrUnlisted = errors.New("the password of this user is not kept by the broker")
	// ErrUnwritable says that the file of users cannot be written. Why is logged.
	ErrUnwritable = errors.New("the file of users cannot be written")
	// ErrPassword says that a password cannot be one.
	ErrPassword = errors.New("this cannot be a password")
)

const (
	// maxPasswordBytes is the longest password that a user may choose.
	maxPasswordBytes = 1024
	// changeEvery is how often one user may change the password: each time all clients are
	// looked at, and the file is written anew.
	changeEvery = 10 * time.Second
)

// SetPassword gives a user of the file another password, which then holds for everybody:
// whoever came in by the old one, or by a token that was made for it, may not stay, but for
// who is it that asks. current, if it is not nil, has to be the old one. The error is
// [ErrUnlisted], [ErrPassword], [ErrDenied], [ErrBusy], [ErrRevoked],
// [ErrTooOften] or [ErrUnwritable].
func (d *Door) SetPassword(who *Identity, from net.Addr, current *string, password string) error {
	if d.Users == nil || !who.IsListed() {
		return ErrUnlisted
	}
	if current != nil {
		_, err := d.guarded(from, who.User, func() (*Identity, error) { return d.verify(from, who.User, []byte(*current)) })
		if err != nil {
			d.Audit.Refused(who.User, "", from, err)
			return err
		}
	}
	err := d.Users.setPassword(who, password, func(of Verifier) bool {
		return who.holds(of) || who.token != nil && d.Tokens.passwordOf(of.String()) == who.token.Password
	})
	if err == nil {
		d.Audit.PasswordChanged(who, from)
	}
	return err
}

// setPassword writes another password of a user into the file, if the old one is still the
// one that was shown.
func (u *Users) setPassword(who *Identity, password string, shown func(Verifier) bool) error {
	if err := CheckPassword(password); err != nil {
		return err
	}
	late := time.NewTimer(slotTimeout)
	defer late.Stop()
	select { // apart from those who sign in
	case u.changing <- struct{}{}:
		defer func() { <-u.changing }()
	case <-late.C:
		return ErrBusy
	}
	if last, ok := u.changedAt[who.User]; ok && time.Since(last) < changeEvery {
		return fmt.Errorf("%w: the password was changed less than %v ago", ErrTooOften, changeEvery)
	}
	user, _ := u.lookup(who.User)
	next, err := another(user.Verifier, password)
	if err != nil {
		return err
	}
	err = edit(u.path, who.User, func(user *User) error {
		if user.Verifier == nil || !shown(user.Verifier) {
			return ErrRevoked
		}
		// Until the file is there, the old one holds.
		who.renewed.Store(&[2]string{user.Verifier.String(), next.String()})
		user.Verifier = next
		return nil
	})
	if errors.Is(err, ErrRevoked) {
		return err
	}
	if err != nil {
		u.log.Error("the file of users cannot be written: a user could not change the password", "user", who.User, "reason", err)
		return ErrUnwritable
	}
	u.changedAt[who.User] = time.Now()
	u.changed()
	return nil
}

// CheckPassword says why somebody may not choose a password: the error is [ErrPassword].
func CheckPassword(password string) error {
	secret := Login{Password: []byte(password)}
	switch {
	case password == "" || len(password) > maxPasswordBytes:
		return fmt.Errorf("%w: it must have from 1 to %d bytes", ErrPassword, maxPasswordBytes)
	case secret.isSecret():
		return fmt.Errorf("%w: it would be taken for a token or an API key", ErrPassword)
	}
	return nil
}

// another returns a verifier of another password, of the same kind.
func another(old Verifier, password string) (Verifier, error) {
	s, ok := old.(Scram)
	if !ok {
		return NewArgon2(password)
	}
	next, err := NewScram(password, s.Iters)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPassword, err)
	}
	return next, nil
}

// holds says whether a verifier is of the password that somebody came in with, or has set.
func (i *Identity) holds(v Verifier) bool {
	if v == nil {
		return false
	}
	if renewed := i.renewed.Load(); renewed != nil {
		return slices.Contains(renewed[:], v.String())
	}
	return v.String() == i.verifier
}
