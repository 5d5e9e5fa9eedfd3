package access

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

var (
	// ErrToken says that a token or a key is none of ours, or was revoked. Nobody is told
	// why.
	ErrToken = errors.New("the token is not valid")
	// ErrExpired says that a token or a key has expired.
	ErrExpired = errors.New("the token has expired")
	// ErrKeyOrigin and ErrKeyNetwork say of a key, whose secret was right, that it does not count
	// on pages of this origin, or from this address. Both are an [ErrToken].
	ErrKeyOrigin  = fmt.Errorf("%w for this origin", ErrToken)
	ErrKeyNetwork = fmt.Errorf("%w for this address", ErrToken)
)

const (
	// maxTokenBytes is the longest token that is looked at.
	maxTokenBytes = 8 << 10
	// maxTries is how many keys are tried for a token that does not name its key.
	maxTries = 16
	// maxRoles is how many roles a token may have.
	maxRoles = 100
)

// algorithms are those of signatures that are looked at; which one it is belongs to the key.
func algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.HS256, jose.RS256, jose.ES256, jose.EdDSA}
}

// isToken says whether a password can be a JSON Web Token: an object in base64, and two
// dots.
func isToken(password []byte) bool {
	text := string(password)
	return strings.HasPrefix(text, "eyJ") && strings.Count(text, ".") == 2
}

// A token is one whose signature is good.
type token struct {
	claims jwt.Claims
	all    map[string]json.RawMessage
	id     string // under which it can be revoked
}

// readToken reads a token, and checks its signature and its times. keys returns the keys that
// may have signed a token with a header.
func readToken(text string, keys func(jose.Header) []verifyKey, expected jwt.Expected, leeway time.Duration) (*token, error) {
	if len(text) > maxTokenBytes {
		return nil, ErrToken
	}
	signed, err := jwt.ParseSigned(text, algorithms())
	if err != nil || len(signed.Headers) != 1 {
		return nil, ErrToken
	}
	t := &token{}
	header := signed.Headers[0]
	verified := slices.ContainsFunc(keys(header), func(k verifyKey) bool {
		return string(k.algorithm) == header.Algorithm && signed.Claims(k.key, &t.claims, &t.all) == nil
	})
	if !verified || t.claims.Expiry == nil {
		return nil, ErrToken
	}
	err = t.claims.ValidateWithLeeway(expected, leeway)
	if errors.Is(err, jwt.ErrExpired) {
		return nil, ErrExpired
	}
	if err != nil {
		return nil, ErrToken
	}
	t.id = idOf(text, t.claims)
	return t, nil
}

// idOf returns what a token is revoked by: its issuer and id, or if it has no id, what was
// signed. The signature is no part of it: there may be several of the same.
func idOf(text string, c jwt.Claims) string {
	what := "signed\x00" + text[:strings.LastIndexByte(text, '.')]
	if c.ID != "" {
		what = "id\x00" + c.Issuer + "\x00" + c.ID
	}
	sum := sha256.Sum256([]byte(what))
	return hex.EncodeToString(sum[:16])
}

// A Mapping says which claims of a token say what. A name is that of a claim, or a path
// through objects, "realm_access.roles".
type Mapping struct {
	// User names the claim with the name of the user.
	User string
	// Roles names the claim with the roles: a list, or a text with spaces between them. ""
	// is none.
	Roles string
	// Attributes are claims that become attributes: "tenant", or "tenant=org.tenant" for
	// another name.
	Attributes []string
}

// identity returns who a token says that somebody is.
func (m Mapping) identity(t *token) (*Identity, error) {
	who := &Identity{By: Token, Credential: t.id}
	var name string
	if raw, ok := claim(t.all, m.User); !ok || json.Unmarshal(raw, &name) != nil || name == "" || len(name) > maxKeyText {
		return nil, fmt.Errorf("%w: %q does not name its user", ErrToken, m.User)
	}
	who.User = name
	if raw, ok := claim(t.all, m.Roles); ok && m.Roles != "" {
		var text string
		if json.Unmarshal(raw, &text) == nil {
			who.Roles = strings.Fields(text)
		} else if json.Unmarshal(raw, &who.Roles) != nil {
			return nil, fmt.Errorf("%w: %q are no roles", ErrToken, m.Roles)
		}
	}
	if slices.Contains(who.Roles, "") || len(who.Roles) > maxRoles {
		return nil, fmt.Errorf("%w: %q are no roles", ErrToken, m.Roles)
	}
	for _, attribute := range m.Attributes {
		name, from, renamed := strings.Cut(attribute, "=")
		if !renamed {
			from = name
		}
		if raw, ok := claim(t.all, from); ok && string(raw) != "null" {
			if who.Attributes == nil {
				who.Attributes = map[string]json.RawMessage{}
			}
			who.Attributes[name] = raw
		}
	}
	return who, nil
}

// claim returns the claim of a name, or at a path.
func claim(all map[string]json.RawMessage, name string) (json.RawMessage, bool) {
	if raw, ok := all[name]; ok {
		return raw, true
	}
	first, rest, deeper := strings.Cut(name, ".")
	raw, ok := all[first]
	if !deeper || !ok {
		return nil, false
	}
	var inner map[string]json.RawMessage
	if json.Unmarshal(raw, &inner) != nil {
		return nil, false
	}
	return claim(inner, rest)
}
