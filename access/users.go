// Package access says who a client is, by users with passwords in a file.
package access

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"

	"github.com/xdg-go/scram"
)

// ErrDenied says that a user does not exist, or that the password is another
// one. Nobody is told which.
var ErrDenied = errors.New("the user name or the password is wrong")

// Users are those of a file, which is read again when it has changed. Their
// methods may be called concurrently.
//
// A line of the file is a name, a colon and a [Verifier]. Empty lines and those
// that begin with # are left alone.
type Users struct {
	path string
	log  *slog.Logger
	// secret makes up verifiers of users that do not exist, so that they are as
	// long in being refused as others.
	secret []byte
	// slots bounds how many passwords are hashed at one time.
	slots chan struct{}

	mu        sync.Mutex  // guards what follows
	seen      os.FileInfo // nil while the file is not there
	verifiers map[string]Verifier
	// known are passwords that were right, hashed with the secret: a fleet that
	// reconnects costs a hash for each, and not thousands.
	known map[string][]byte
}

// Load reads the users of a file. What happens to the file from then on is told
// to log.
func Load(path string, log *slog.Logger) (*Users, error) {
	u := &Users{
		path: path, log: log, secret: make([]byte, sha256.Size),
		slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
	}
	_, _ = rand.Read(u.secret) // never fails
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	verifiers, err := readFile(path)
	if err != nil {
		return nil, err
	}
	u.seen, u.verifiers, u.known = info, verifiers, map[string][]byte{}
	return u, nil
}

// Verify returns nil if the password is that of the user, and else [ErrDenied].
// It takes as long for users that do not exist.
func (u *Users) Verify(name string, password []byte) error {
	verifier, known := u.find(name)
	hash := u.hash("password", string(password))
	if known != nil && hmac.Equal(known, hash) {
		return nil
	}
	u.slots <- struct{}{}
	defer func() { <-u.slots }()
	if !verifier.isOf(string(password)) {
		return ErrDenied
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if v, ok := u.verifiers[name]; ok && v.equal(verifier) {
		u.known[name] = hash
	}
	return nil
}

// find returns the verifier of a user, which for one who does not exist is of no
// password, and the hash of the password if it was right before.
func (u *Users) find(name string) (v Verifier, known []byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.refresh()
	if v, ok := u.verifiers[name]; ok {
		return v, u.known[name]
	}
	return Verifier{
		KeyFactors: scram.KeyFactors{Salt: string(u.hash("salt", name)[:saltBytes]), Iters: DefaultIterations},
		StoredKey:  u.hash("stored", name), ServerKey: u.hash("server", name),
	}, nil
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
	var verifiers map[string]Verifier
	if err == nil {
		verifiers, err = readFile(u.path)
	}
	if err != nil {
		u.log.Warn("the file of users cannot be used; users stay as they were", "reason", err)
		return
	}
	u.verifiers, u.known = verifiers, map[string][]byte{}
	u.log.Info("users are read again", "users", len(verifiers))
}

// hash returns what only this process can compute of a text. of keeps its uses
// apart.
func (u *Users) hash(of, text string) []byte {
	mac := hmac.New(sha256.New, u.secret)
	mac.Write([]byte(of + "\x00" + text))
	return mac.Sum(nil)
}

// readFile reads a file of users. The error names the line at fault.
func readFile(path string) (map[string]Verifier, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	verifiers := map[string]Verifier{}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		name, v, err := parseLine(line)
		if _, twice := verifiers[name]; err == nil && twice {
			err = fmt.Errorf("there is a user %q already", name)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		verifiers[name] = v
	}
	return verifiers, nil
}

// parseLine reads the line of one user. Names may have colons; verifiers begin
// with what no name has behind one.
func parseLine(line string) (name string, v Verifier, err error) {
	at := strings.LastIndex(line, ":"+prefix)
	if at <= 0 {
		return "", v, fmt.Errorf("it is not <name>:%s…", prefix)
	}
	v, err = parseVerifier(line[at+1:])
	return line[:at], v, err
}
