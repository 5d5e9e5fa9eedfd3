package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/api"
)

// JWT says whose JSON Web Tokens clients may show instead of a password. Without keys there
// are none but the broker's own.
type JWT struct {
	// Keys are those that sign tokens.
	Keys []JWTKey `mapstructure:"keys"`
	// KeySet is the URL of a JSON Web Key Set with more of them: https, or http on this
	// machine. If it cannot be had, the keys stay as they were.
	KeySet string `mapstructure:"key_set"`
	// Refresh is how often the key set is asked for.
	Refresh time.Duration `mapstructure:"refresh"`
	// Issuer and Audience are what tokens have to name (iss, aud), unless they are empty.
	Issuer   string `mapstructure:"issuer"`
	Audience string `mapstructure:"audience"`
	// Leeway is by how much the clocks of the issuer and the broker may differ.
	Leeway time.Duration `mapstructure:"leeway"`
	// User names the claim with the name of the user, and Roles the one with the roles, a list
	// or a text with spaces between; "realm_access.roles" is a claim inside another.
	User  string `mapstructure:"user"`
	Roles string `mapstructure:"roles"`
	// Attributes are claims that rules may compare with: "tenant", or "tenant=org.tenant" for
	// one that is called otherwise.
	Attributes []string `mapstructure:"attributes"`
}

// A JWTKey is a key that signs tokens.
type JWTKey struct {
	// ID is what tokens call it (kid). One without is tried for every token.
	ID string `mapstructure:"id"`
	// Algorithm is HS256, RS256, ES256 or EdDSA. The key is used for no other.
	Algorithm string `mapstructure:"algorithm"`
	// File has the public key, or a certificate, in PEM. For HS256 it has the secret itself, of
	// 32 bytes at least.
	File string `mapstructure:"file"`
}

// Tokens are those that the broker makes for users who sign in by auth:login.
type Tokens struct {
	// TTL is how long one counts, and MaxTTL the longest that it may be asked for, and that it
	// may be refreshed before its user has to sign in again.
	TTL    time.Duration `mapstructure:"ttl"`
	MaxTTL time.Duration `mapstructure:"max_ttl"`
}

// defaultJWT and defaultTokens are what holds unless it is said otherwise.
func defaultJWT() JWT {
	return JWT{Refresh: time.Hour, Leeway: 10 * time.Second, User: "sub", Roles: "roles"}
}

func defaultTokens() Tokens { return Tokens{TTL: time.Hour, MaxTTL: 30 * 24 * time.Hour} }

// isUsed says whether any tokens but the broker's own are taken.
func (j JWT) isUsed() bool { return len(j.Keys) > 0 || j.KeySet != "" }

// checkAccess reports what is not allowed of tokens.
func (c Config) checkAccess(k *check) {
	j := c.JWT
	for i, key := range j.Keys {
		in := k.in(fmt.Sprintf("jwt.keys[%d]", i))
		in.oneOf("algorithm", key.Algorithm, "HS256", "RS256", "ES256", "EdDSA")
		if key.File == "" {
			in.bad("file", `""`, "the name of a file")
		}
		if key.ID == "ambit" {
			in.bad("id", quoted(key.ID), "another one: the broker's own key is called that")
		}
	}
	if j.KeySet != "" && !access.IsKeySet(j.KeySet) {
		k.bad("jwt.key_set", quoted(j.KeySet), "a URL with https, or with http on this machine")
	}
	k.duration("jwt.refresh", j.Refresh, time.Minute, 30*24*time.Hour)
	k.duration("jwt.leeway", j.Leeway, 0, 10*time.Minute)
	if j.User == "" {
		k.bad("jwt.user", `""`, "the name of a claim")
	}
	for i, a := range j.Attributes {
		if name, from, renamed := strings.Cut(a, "="); name == "" || renamed && from == "" {
			k.bad(fmt.Sprintf("jwt.attributes[%d]", i), quoted(a), `the name of a claim, or "attribute=claim"`)
		}
	}
	k.duration("tokens.ttl", c.Tokens.TTL, time.Second, c.Tokens.MaxTTL)
	k.duration("tokens.max_ttl", c.Tokens.MaxTTL, time.Second, 365*24*time.Hour)
}

// loadIssuer returns whose tokens are taken, or nil if there is nobody.
func loadIssuer(cfg Config, log *slog.Logger) (*access.Issuer, error) {
	j := cfg.JWT
	if !j.isUsed() {
		return nil, nil
	}
	o := access.IssuerOptions{
		KeySet: j.KeySet, Issuer: j.Issuer, Audience: j.Audience, Leeway: j.Leeway, Log: log,
		Mapping: access.Mapping{User: j.User, Roles: j.Roles, Attributes: j.Attributes},
	}
	for _, key := range j.Keys {
		o.Keys = append(o.Keys, access.KeyFile(key))
	}
	issuer, err := access.NewIssuer(o)
	if err != nil {
		return nil, fmt.Errorf("jwt.keys: %w", err)
	}
	return issuer, nil
}

// A gate is what the broker knows of who may come in.
type gate struct {
	users  *access.Users      // or nil
	issuer *access.Issuer     // or nil
	policy *access.PolicyFile // or nil
}

// loadGate reads the files that say who may come in. The error has all that is wrong with them.
func loadGate(cfg Config, log *slog.Logger) (gate, error) {
	users, noUsers := loadUsers(cfg, log)
	issuer, noIssuer := loadIssuer(cfg, log)
	g := gate{users: users, issuer: issuer}
	var noPolicy error
	if cfg.Access != "" {
		if g.policy, noPolicy = access.OpenPolicy(cfg.Access, api.Has, log); noPolicy != nil {
			noPolicy = fmt.Errorf("access: %w", noPolicy)
		}
	}
	return g, errors.Join(noUsers, noIssuer, noPolicy)
}

// LoadPolicy reads a policy, as a broker does that has it. The error has all that is wrong with it.
func LoadPolicy(path string) (*access.Policy, error) { return access.LoadPolicy(path, api.Has) }

// renew asks for the key set now and then, until the listeners close.
func (b *Broker) renew(issuer *access.Issuer, every time.Duration) {
	ctx, cancel := context.WithCancel(b.listeners.closing)
	defer cancel()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for issuer.Renew(ctx); ; issuer.Renew(ctx) {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
