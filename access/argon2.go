package access

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// What argon2id costs: memory for a moment, and so much that a file that was stolen says
// little (RFC 9106, and what OWASP asks for at least).
const (
	argon2KiB     = 19 << 10
	argon2Passes  = 2
	argon2Threads = 1

	// What a line of a file may cost the broker.
	maxArgon2KiB    = 256 << 10
	maxArgon2Passes = 64

	argon2Bytes = 32
	argon2Mark  = "$argon2id$"
)

// An Argon2 is a verifier by argon2id, version 1.3. It is written as its authors do:
//
//	$argon2id$v=19$m=<KiB>,t=<passes>,p=<threads>$<salt>$<hash>
type Argon2 struct {
	kib, passes uint32
	threads     uint8
	salt, hash  string
}

var _ Verifier = Argon2{}

// NewArgon2 returns a verifier of a password, with a new salt.
func NewArgon2(password string) (Argon2, error) {
	if password == "" {
		return Argon2{}, errEmpty
	}
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails
	v := Argon2{kib: argon2KiB, passes: argon2Passes, threads: argon2Threads, salt: string(salt)}
	v.hash = v.derive(password, argon2Bytes)
	return v, nil
}

func (v Argon2) derive(password string, bytes uint32) string {
	return string(argon2.IDKey([]byte(password), []byte(v.salt), v.passes, v.kib, v.threads, bytes))
}

func (v Argon2) isOf(password string) bool {
	return hmac.Equal([]byte(v.derive(password, uint32(len(v.hash)))), []byte(v.hash))
}

func (v Argon2) decoy(secret func(of string) []byte) Verifier {
	v.salt, v.hash = string(secret("salt")[:saltBytes]), string(secret("hash"))
	return v
}

// String returns the verifier as files have it.
func (v Argon2) String() string {
	text := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("%sv=%d$m=%d,t=%d,p=%d$%s$%s", argon2Mark, argon2.Version, v.kib, v.passes, v.threads,
		text([]byte(v.salt)), text([]byte(v.hash)))
}

// parseArgon2 reads a verifier.
func parseArgon2(text string) (Argon2, error) {
	parts := strings.Split(text, "$") // "", argon2id, version, costs, salt, hash
	if len(parts) != 6 || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return Argon2{}, fmt.Errorf("it is not %sv=%d$m=…,t=…,p=…$<salt>$<hash>", argon2Mark, argon2.Version)
	}
	var costs [3]uint64
	fields := strings.Split(parts[3], ",")
	for i, name := range []string{"m=", "t=", "p="} {
		if i >= len(fields) {
			break
		}
		if n, ok := strings.CutPrefix(fields[i], name); ok {
			costs[i], _ = strconv.ParseUint(n, 10, 32) // 0 is refused below
		}
	}
	if m, t, p := costs[0], costs[1], costs[2]; len(fields) != 3 || m < 8*p || m > maxArgon2KiB || t < 1 || t > maxArgon2Passes || p < 1 || p > 255 {
		return Argon2{}, fmt.Errorf("argon2id takes m (KiB) up to %d, t up to %d, and p up to 255", maxArgon2KiB, maxArgon2Passes)
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	hash, hashErr := base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || hashErr != nil || len(salt) < 8 || len(hash) < 16 || len(salt) > 64 || len(hash) > 64 {
		return Argon2{}, errors.New("salt and hash must be base64 without padding, of 8 to 64 and 16 to 64 bytes")
	}
	return Argon2{uint32(costs[0]), uint32(costs[1]), uint8(costs[2]), string(salt), string(hash)}, nil
}
