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
	prefix    = "SCRAM-SHA-256$"
)

// A Verifier is what is kept of a password: enough to check it, and not enough
// to sign in with. It is written as PostgreSQL does:
//
//	SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>
type Verifier scram.StoredCredentials

// NewVerifier returns a verifier of a password, with a new salt.
func NewVerifier(password string, iterations int) (Verifier, error) {
	if password == "" {
		return Verifier{}, errors.New("the password is empty")
	}
	if iterations < MinIterations || iterations > MaxIterations {
		return Verifier{}, fmt.Errorf("%d iterations: must be from %d to %d", iterations, MinIterations, MaxIterations)
	}
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails
	return derive(password, scram.KeyFactors{Salt: string(salt), Iters: iterations})
}

// derive hashes a password. It fails for one with characters that a password
// must not have (RFC 4013).
func derive(password string, by scram.KeyFactors) (Verifier, error) {
	client, err := scram.SHA256.NewClient("", password, "")
	if err != nil {
		return Verifier{}, err
	}
	credentials, err := client.GetStoredCredentialsWithError(by)
	return Verifier(credentials), err
}

// isOf says whether the verifier is of a password.
func (v Verifier) isOf(password string) bool {
	given, err := derive(password, v.KeyFactors)
	return err == nil && hmac.Equal(given.StoredKey, v.StoredKey)
}

func (v Verifier) equal(w Verifier) bool {
	return v.KeyFactors == w.KeyFactors && hmac.Equal(v.StoredKey, w.StoredKey)
}

// String returns the verifier as files have it.
func (v Verifier) String() string {
	text := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("%s%d:%s$%s:%s", prefix, v.Iters, text([]byte(v.Salt)), text(v.StoredKey), text(v.ServerKey))
}

func parseVerifier(text string) (Verifier, error) {
	rest, _ := strings.CutPrefix(text, prefix)
	factors, keys, _ := strings.Cut(rest, "$")
	count, salt, _ := strings.Cut(factors, ":")
	stored, server, _ := strings.Cut(keys, ":")
	var v Verifier
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
