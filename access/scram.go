package access

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/xdg-go/scram"
)

const (
	// DefaultIterations is how often a password is hashed: enough that a file that
	// was stolen says little, and few enough for a microcontroller.
	DefaultIterations = 15_000
	// MinIterations is the least that clients of SCRAM accept (RFC 7677).
	MinIterations = 4096
	// MaxIterations bounds what a line of a file may cost the broker.
	MaxIterations = 10_000_000

	saltBytes = 16
	scramMark = "SCRAM-SHA-256$"
)

// errEmpty says that a password is none.
var errEmpty = errors.New("the password is empty")

// A Verifier is what is kept of a password: enough to check it, and not enough
// to sign in with. It is an [Argon2] or a [Scram].
type Verifier interface {
	// String returns it as files have it.
	fmt.Stringer
	// isOf says whether it is of a password.
	isOf(password string) bool
	// decoy returns one that costs as much, and is of no password.
	decoy(secret func(of string) []byte) Verifier
}

// A Scram is a verifier that serves those who prove that they know their password,
// too. It is written as PostgreSQL does:
//
//	SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>
type Scram scram.StoredCredentials

var _ Verifier = Scram{}

// NewScram returns a verifier of a password, with a new salt.
func NewScram(password string, iterations int) (Scram, error) {
	if password == "" {
		return Scram{}, errEmpty
	}
	if iterations < MinIterations || iterations > MaxIterations {
		return Scram{}, fmt.Errorf("%d iterations: must be from %d to %d", iterations, MinIterations, MaxIterations)
	}
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails
	return derive(password, scram.KeyFactors{Salt: string(salt), Iters: iterations})
}

// derive hashes a password. It fails for one with characters that a password
// must not have (RFC 4013).
func derive(password string, by scram.KeyFactors) (Scram, error) {
	client, err := scram.SHA256.NewClient("", password, "")
	if err != nil {
		return Scram{}, err
	}
	credentials, err := client.GetStoredCredentialsWithError(by)
	return Scram(credentials), err
}

func (v Scram) isOf(password string) bool {
	given, err := derive(password, v.KeyFactors)
	return err == nil && hmac.Equal(given.StoredKey, v.StoredKey)
}

func (v Scram) decoy(secret func(of string) []byte) Verifier {
	return Scram{
		KeyFactors: scram.KeyFactors{Salt: string(secret("salt")[:saltBytes]), Iters: v.Iters},
		StoredKey:  secret("stored"), ServerKey: secret("server"),
	}
}

// String returns the verifier as files have it.
func (v Scram) String() string {
	text := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("%s%d:%s$%s:%s", scramMark, v.Iters, text([]byte(v.Salt)), text(v.StoredKey), text(v.ServerKey))
}

func parseScram(text string) (Scram, error) {
	rest, _ := strings.CutPrefix(text, scramMark)
	factors, keys, _ := strings.Cut(rest, "$")
	count, salt, _ := strings.Cut(factors, ":")
	stored, server, _ := strings.Cut(keys, ":")
	var v Scram
	var err error
	if v.Iters, err = strconv.Atoi(count); err != nil || v.Iters < MinIterations || v.Iters > MaxIterations {
		return v, fmt.Errorf("the number of iterations must be from %d to %d", MinIterations, MaxIterations)
	}
	bytes := func(text string, least int) []byte {
		b, decodeErr := base64.StdEncoding.DecodeString(text)
		if decodeErr != nil || len(b) < least {
			err = errors.New("salt and keys must be base64, of at least 8 and of 32 bytes")
		}
		return b
	}
	v.Salt, v.StoredKey, v.ServerKey = string(bytes(salt, 8)), bytes(stored, 32), bytes(server, 32)
	return v, err
}
