package access

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"
)

// keyMark is what every API key begins with, so that it is known for one where it should
// not be.
const keyMark = "ambit-key-"

// What a key may hold.
const (
	maxKeyText  = 256
	maxKeyParts = 32
)

// A Key is an API key, without the secret: that is shown once, and only its hash is kept.
type Key struct {
	ID string `json:"-"`
	// User is who comes in with it.
	User string `json:"user"`
	// Description is for people.
	Description string `json:"description,omitempty"`
	// Created and Expires are in UTC. An Expires of zero is never.
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"`
	// Grants narrow those of a user of the file, unless they are nil, and are all that
	// anybody else has.
	Grants *Grants `json:"grants,omitempty"`
	// Listed says that the user has to be in the file of users.
	Listed bool `json:"listed,omitempty"`
	// Origins are the pages that may use it, as in [OriginIs], and Networks where it may
	// come from; none is no bound.
	Origins  []string       `json:"origins,omitempty"`
	Networks []netip.Prefix `json:"networks,omitempty"`

	Hash []byte `json:"hash"` // of the secret, by SHA-256: it is random
}

// isKey says whether a password can be an API key.
func isKey(password []byte) bool { return strings.HasPrefix(string(password), keyMark) }

// newSecret gives a key an id and a secret of 256 bits at least, and returns the text of both.
func (k *Key) newSecret() string {
	k.ID = strings.ToLower(rand.Text())[:16]
	secret := rand.Text() + rand.Text()
	k.Hash = hashOf(secret)
	return keyMark + k.ID + "-" + secret
}

// cutKey returns the id and the secret of a text.
func cutKey(text []byte) (id, secret string) {
	rest, _ := strings.CutPrefix(string(text), keyMark)
	id, secret, _ = strings.Cut(rest, "-")
	return id, secret
}

func hashOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

func (k Key) isOf(secret string) bool { return hmac.Equal(hashOf(secret), k.Hash) }

func (k Key) isOver(now time.Time) bool { return !k.Expires.IsZero() && !now.Before(k.Expires) }

// mayCome says whether the key may be used by somebody who arrives. The error is [ErrKeyOrigin] or
// [ErrKeyNetwork].
func (k Key) mayCome(a Arrival) error {
	switch {
	case len(k.Origins) > 0 && !OriginIs(a.Origin, k.Origins):
		return ErrKeyOrigin
	case len(k.Networks) > 0 && !isIn(k.Networks, a.From):
		return ErrKeyNetwork
	}
	return nil
}

// Check says what is wrong with a key that is to be made, or returns nil.
func (k Key) Check() error {
	switch {
	case k.User == "" || len(k.User) > maxKeyText:
		return fmt.Errorf("the user must have a name of up to %d bytes", maxKeyText)
	case len(k.Description) > maxKeyText:
		return fmt.Errorf("the description may have %d bytes", maxKeyText)
	case len(k.Origins) > maxKeyParts || len(k.Networks) > maxKeyParts:
		return fmt.Errorf("there may be %d origins and %d networks", maxKeyParts, maxKeyParts)
	case !k.Expires.IsZero() && !time.Now().Before(k.Expires):
		return errors.New("it has expired")
	}
	for _, origin := range k.Origins {
		if _, err := path.Match(origin, ""); err != nil || origin == "" || len(origin) > maxKeyText {
			return fmt.Errorf("%q is no pattern of an origin", origin)
		}
	}
	if k.Grants == nil {
		return nil
	}
	if len(k.Grants.Roles) > maxKeyParts || len(k.Grants.Attributes) > maxKeyParts {
		return fmt.Errorf("there may be %d roles and %d attributes", maxKeyParts, maxKeyParts)
	}
	return k.Grants.check()
}

// Within says whether others have all that is granted.
func (g Grants) Within(all Grants) bool {
	left := g.within(all)
	return len(left.Roles) == len(g.Roles) && len(left.Attributes) == len(g.Attributes)
}

// within returns what is left of grants within others: roles that both have, and attributes that
// are the same in both.
func (g Grants) within(all Grants) Grants {
	var left Grants
	for _, role := range g.Roles {
		if slices.Contains(all.Roles, role) {
			left.Roles = append(left.Roles, role)
		}
	}
	for name, value := range g.Attributes {
		if same, ok := all.Attributes[name]; ok && string(same) == string(value) {
			if left.Attributes == nil {
				left.Attributes = map[string]json.RawMessage{}
			}
			left.Attributes[name] = value
		}
	}
	return left
}
