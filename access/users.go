// Package access says who a client is: by users with passwords in a file, tokens, API
// keys and certificates; and what it may do, by a policy.
package access

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"log/slog"
	"maps"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/xdg-go/scram"
)

var (
	// ErrDenied says that a user does not exist, or that the password is another
	// one. Nobody is told which.
	ErrDenied = errors.New("the user name or the password is wrong")
	// ErrBusy says that too many passwords wait to be hashed.
	ErrBusy = errors.New("too many clients sign in at one time")
)

const (
	// maxSlots bounds how many passwords are hashed at one time, and so how much memory
	// that takes.
	maxSlots = 8
	// slotTimeout is how long a password waits for its turn.
	slotTimeout = 5 * time.Second
)

// Users are those of a file, which is read again when it has changed. Their
// methods may be called concurrently.
//
// A line of the file is a name, a colon and a [Verifier], or "-" for none, and after a
// space {"roles":[…],"attributes":{…}}. Empty lines and those that begin with # are left
// alone.
type Users struct {
	path string
	log  *slog.Logger
	// secret makes up verifiers of users that do not exist, so that they are as
	// long in being refused as others.
	secret []byte
	// slots bounds how many passwords are hashed at one time.
	slots chan struct{}
	// changing is held by who changes a password, and guards changedAt: when users have.
	changing  chan struct{}
	changedAt map[string]time.Time

	mu    sync.Mutex  // guards what follows
	seen  os.FileInfo // nil while the file is not there
	users map[string]User
	// renewed are those that have changed, until somebody asks.
	renewed []string
	// changes is how often the users were read.
	changes uint64
	// costs are the verifiers that there are, in the order of the users.
	costs []Verifier
	// known are passwords that were right, hashed with the secret: a fleet that
	// reconnects costs a hash for each, and not thousands.
	known map[string][]byte
}

// Load reads the users of a file. What happens to the file from then on is told
// to log.
func Load(path string, log *slog.Logger) (*Users, error) {
	u := &Users{
		path: path, log: log, secret: make([]byte, sha256.Size),
		slots:    make(chan struct{}, min(maxSlots, max(1, runtime.GOMAXPROCS(0)/2))),
		changing: make(chan struct{}, 1), changedAt: map[string]time.Time{},
	}
	_, _ = rand.Read(u.secret) // never fails
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	users, err := readFile(path)
	if err != nil {
		return nil, err
	}
	u.set(info, users)
	return u, nil
}

// set replaces what the file said. The caller holds u.mu, if others know of u.
func (u *Users) set(info os.FileInfo, users map[string]User) {
	u.renew(users)
	u.seen, u.users, u.known, u.costs = info, users, map[string][]byte{}, nil
	u.changes++
	for _, name := range slices.Sorted(maps.Keys(users)) {
		if v := users[name].Verifier; v != nil {
			u.costs = append(u.costs, v)
		}
	}
}

// Verify returns who signs in, if the password is that of the user, and else
// [ErrDenied]. It takes as long for users that do not exist. [ErrBusy] says nothing of
// the password.
func (u *Users) Verify(name string, password []byte) (*Identity, error) {
	return u.verify(name, password, nil)
}

// verify is Verify that asks once more whether the attempt may be made, unless may is nil, when
// its turn has come: others that were begun at the same time may have failed meanwhile.
func (u *Users) verify(name string, password []byte, may func() error) (*Identity, error) {
	user, known := u.find(name)
	hash := u.hash("password", string(password))
	if known != nil && hmac.Equal(known, hash) {
		return user.identity(name, Password), nil
	}
	late := time.NewTimer(slotTimeout)
	defer late.Stop()
	select {
	case u.slots <- struct{}{}:
		defer func() { <-u.slots }()
	case <-late.C:
		return nil, ErrBusy
	}
	if may != nil {
		if err := may(); err != nil {
			return nil, err
		}
	}
	if !user.Verifier.isOf(string(password)) {
		return nil, ErrDenied
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if now, ok := u.users[name]; ok && now.Verifier != nil && now.Verifier.String() == user.Verifier.String() {
		u.known[name] = hash
	}
	return user.identity(name, Password), nil
}

// identity returns a user who has shown who that is.
func (u User) identity(name string, by Proof) *Identity {
	who := &Identity{User: name, Roles: u.Roles, Attributes: u.Attributes, By: by}
	if u.Verifier != nil {
		who.verifier = u.Verifier.String()
	}
	return who
}

// find returns a user with a verifier, which for one who does not exist or has none is
// of no password, and the hash of the password if it was right before.
func (u *Users) find(name string) (user User, known []byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.refresh()
	if user, ok := u.users[name]; ok && user.Verifier != nil {
		return user, u.known[name]
	}
	return User{Verifier: u.cost(name).decoy(func(of string) []byte { return u.hash(of, name) })}, nil
}

// cost returns the verifier of which a user who does not exist has a decoy: that of
// one who does, the same for every attempt, so that what an attempt costs says nothing
// of who exists. The caller holds u.mu.
func (u *Users) cost(name string) Verifier {
	if len(u.costs) == 0 {
		return Argon2{kib: argon2KiB, passes: argon2Passes, threads: argon2Threads}
	}
	return u.costs[binary.BigEndian.Uint64(u.hash("cost", name))%uint64(len(u.costs))]
}

// findScram returns the verifier of a user for an exchange, which for one who has none
// of that kind is of no password.
func (u *Users) findScram(name string) Scram {
	user, _ := u.find(name)
	if v, ok := user.Verifier.(Scram); ok {
		return v
	}
	decoy := Scram{KeyFactors: scram.KeyFactors{Iters: DefaultIterations}}.decoy(func(of string) []byte { return u.hash(of, name) })
	return decoy.(Scram)
}

// lookup returns a user of the file.
func (u *Users) lookup(name string) (User, bool) {
	if u == nil {
		return User{}, false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.refresh()
	user, ok := u.users[name]
	return user, ok
}

// changed returns how often the users were read, and reads them if the file has changed.
func (u *Users) changed() uint64 {
	if u == nil {
		return 0
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.refresh()
	return u.changes
}

// refresh reads the file if it has changed. One that cannot be read leaves the
// users as they are. The caller holds u.mu.
func (u *Users) refresh() {
	info, err := os.Stat(u.path)
	switch {
	case err != nil && u.seen == nil:
		return // that is known
	case err == nil && u.seen != nil && os.SameFile(info, u.seen) &&
		info.Size() == u.seen.Size() && info.ModTime().Equal(u.seen.ModTime()):
		return
	}
	u.seen = info // one at fault is read again when it has changed once more
	var users map[string]User
	if err == nil {
		users, err = readFile(u.path)
	}
	if err != nil {
		u.log.Warn("the file of users cannot be used; users stay as they were", "reason", err)
		return
	}
	u.set(info, users)
	u.log.Info("users are read again", "users", len(users))
}

// still says whether somebody who signed in as a user of the file is that user still.
func (u *Users) still(who *Identity) error {
	if u == nil {
		return nil
	}
	now, ok := u.lookup(who.User)
	switch who.By {
	case Password, Scram256:
		if !ok || !who.holds(now.Verifier) {
			return ErrRevoked
		}
	case Certificate:
	default:
		return nil
	}
	if !now.equal(Grants{who.Roles, who.Attributes}) {
		return ErrChanged
	}
	return nil
}

// hash returns what only this process can compute of a text. of keeps its uses
// apart.
func (u *Users) hash(of, text string) []byte {
	mac := hmac.New(sha256.New, u.secret)
	mac.Write([]byte(of + "\x00" + text))
	return mac.Sum(nil)
}
