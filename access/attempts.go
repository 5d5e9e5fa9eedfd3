package access

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/ambitmq/ambit/limits"
)

// ErrTooOften says that somebody has tried too often to sign in, and has to wait.
var ErrTooOften = errors.New("too many attempts to sign in")

// Attempts are what is remembered of attempts to sign in that have failed.
type Attempts struct {
	// user is of a user and an address, and address of an address alone. Who has signed in
	// lately from an address is in known, and not held up by what others do there.
	user, address, known *limits.Backoff
	counts               *limits.Counts
}

// AttemptOptions are settings of [Attempts].
type AttemptOptions struct {
	// Failures is how many cost nothing, as one user from one address. Ten times as many do of
	// all users from one address.
	Failures int
	// Backoff is the longest that the next attempt has to wait.
	Backoff time.Duration
	// Counts is told of each attempt that has to wait. May be nil.
	Counts *limits.Counts
}

// maxAttempts is how many users at addresses are remembered.
const maxAttempts = 100_000

// NewAttempts returns attempts of which none has been made.
func NewAttempts(o AttemptOptions) *Attempts {
	backoff := func(free int) *limits.Backoff {
		return &limits.Backoff{Free: free, First: time.Second, Most: o.Backoff, Keys: maxAttempts}
	}
	return &Attempts{backoff(o.Failures), backoff(10 * o.Failures), backoff(1 << 30), o.Counts}
}

// Begin is a [Guard]. Where a secret alone says who somebody is, it cannot be guessed, and
// nobody has to wait.
func (a *Attempts) Begin(from net.Addr, user string) (done func(error), err error) {
	if user == "" {
		return func(error) {}, nil
	}
	address := limits.NetworkOf(from).String()
	key := address + " " + user
	now := time.Now()
	wait := a.user.Wait(key, now)
	if !a.known.Has(key, now) {
		wait = max(wait, a.address.Wait(address, now))
	}
	if wait > 0 {
		a.counts.Add(limits.SignIns)
		return nil, fmt.Errorf("%w: the next one may be made in %v", ErrTooOften, wait.Round(time.Second))
	}
	return func(err error) {
		now := time.Now()
		switch {
		case err == nil:
			a.user.Succeed(key)
			a.known.Fail(key, now)
		case errors.Is(err, ErrDenied), errors.Is(err, ErrToken):
			a.user.Fail(key, now)
			a.address.Fail(address, now)
		}
	}, nil
}
