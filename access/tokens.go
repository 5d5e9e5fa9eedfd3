package access

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

var (
	// ErrTTL says that a token is asked for that would live for too long.
	ErrTTL = errors.New("the token would live for longer than it may")
	// ErrStale says that a token cannot be had for another: it is not the node's own, or its
	// user has to sign in again.
	ErrStale = errors.New("the token cannot be refreshed: sign in")
	// ErrManyRevoked says that no more tokens can be revoked.
	ErrManyRevoked = errors.New("too many tokens are revoked")
)

const (
	// ownKey is what the node's own tokens call their key, and ownIssuer their issuer.
	ownKey    = "ambit"
	ownIssuer = "ambit"
	// maxRevoked bounds how many tokens are remembered that were revoked.
	maxRevoked = 100_000
	// maxRevokedOfUser is from how many on all tokens of a user are revoked instead.
	maxRevokedOfUser = 100
)

// TokenOptions are the settings of [Tokens]. They are not written after [NewTokens].
type TokenOptions struct {
	// TTL is how long a token lives, and MaxTTL the longest that it may be asked for, and
	// that it may be refreshed after its user has signed in.
	TTL, MaxTTL time.Duration
	// Issuer is whose tokens are taken besides; nil is nobody.
	Issuer *Issuer
}

// Tokens are those that the node makes for users who sign in, and those of an issuer. Their
// methods may be called concurrently.
type Tokens struct {
	opts  TokenOptions
	users *Users // or nil
	vault Vault

	revoking sync.Mutex // is held while tokens are revoked

	secret []byte // is there after Open
	signer jose.Signer

	mu      sync.RWMutex // guards what follows
	revoked map[string]revocation
	since   map[string]time.Time // by user: older tokens of the node do not count
	changes uint64
}

// A revocation is what is kept of a token that was revoked, until it would have expired.
type revocation struct {
	User    string    `json:"user"`
	Expires time.Time `json:"expires"`
}

// NewTokens returns the tokens of users, who may be nil. They are of use after [Tokens.Open].
func NewTokens(users *Users, vault Vault, o TokenOptions) *Tokens {
	return &Tokens{opts: o, users: users, vault: vault, revoked: map[string]revocation{}, since: map[string]time.Time{}}
}

// Open reads what the vault has of tokens, and makes the secret that signs them if there is
// none.
func (t *Tokens) Open(ctx context.Context) error {
	secrets, err := kept[[]byte](t.vault, keptSecret)
	if err != nil {
		return err
	}
	if t.secret = secrets["tokens"]; len(t.secret) < minSecretBytes {
		t.secret = make([]byte, 2*minSecretBytes)
		_, _ = rand.Read(t.secret) // never fails
		if err := keep(ctx, t.vault, keptSecret, "tokens", t.secret); err != nil {
			return err
		}
	}
	key := jose.SigningKey{Algorithm: jose.HS256, Key: t.secret}
	if t.signer, err = jose.NewSigner(key, (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", ownKey)); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.since, err = kept[time.Time](t.vault, keptSince); err != nil {
		return err
	}
	t.revoked, err = kept[revocation](t.vault, keptRevoked)
	return err
}

// own are the claims of the node's own tokens besides those of everybody's.
type own struct {
	// Made is when it was made, in milliseconds, and SignedIn when its user has signed in.
	Made     int64 `json:"ambit_made"`
	SignedIn int64 `json:"auth_time"`
	// Password stands for the password that the user signed in with.
	Password string `json:"ambit_pwd"`
}

// Make returns a token for a user who has signed in with a password, and until when it
// counts. A ttl of 0 is that of the settings. The error is [ErrTTL] if it is too long.
func (t *Tokens) Make(who *Identity, ttl time.Duration) (string, time.Time, error) {
	return t.make(who.User, t.passwordOf(who.verifier), time.Now(), ttl)
}

func (t *Tokens) make(user, password string, signedIn time.Time, ttl time.Duration) (string, time.Time, error) {
	if ttl == 0 {
		ttl = t.opts.TTL
	}
	if ttl < 0 || ttl > t.opts.MaxTTL {
		return "", time.Time{}, ErrTTL
	}
	now := time.Now().UTC()
	expires := now.Add(ttl).Truncate(time.Second)
	text, err := jwt.Signed(t.signer).Claims(jwt.Claims{
		Issuer: ownIssuer, Subject: user, ID: rand.Text(), IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(expires),
	}).Claims(own{now.UnixMilli(), signedIn.Unix(), password}).Serialize()
	return text, expires, err
}

// passwordOf returns what stands for a password in tokens.
func (t *Tokens) passwordOf(verifier string) string {
	mac := hmac.New(sha256.New, t.secret)
	mac.Write([]byte("password\x00" + verifier))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// Key returns a secret of the node of 256 bits for one use, which is the same after a restart.
func (t *Tokens) Key(use string) []byte {
	mac := hmac.New(sha256.New, t.secret)
	mac.Write([]byte("key\x00" + use))
	return mac.Sum(nil)
}

// Refresh returns another token for one of the node that somebody came with. The error is
// [ErrStale] if there is none any more, or [ErrTTL].
func (t *Tokens) Refresh(who *Identity, ttl time.Duration) (string, time.Time, error) {
	if who.token == nil {
		return "", time.Time{}, ErrStale
	}
	signedIn := time.Unix(who.token.SignedIn, 0)
	left := t.opts.MaxTTL - time.Since(signedIn)
	if left < time.Second {
		return "", time.Time{}, ErrStale
	}
	if ttl == 0 {
		ttl = min(t.opts.TTL, left)
	}
	if ttl > left {
		return "", time.Time{}, ErrTTL
	}
	return t.make(who.User, who.token.Password, signedIn, ttl)
}

// Renew returns a token for one of the node whose user has another password since, which
// counts for as long as is left of it.
func (t *Tokens) Renew(who *Identity, left time.Duration) (string, time.Time, error) {
	user, ok := t.users.lookup(who.User)
	if who.token == nil || !ok || !who.holds(user.Verifier) {
		return "", time.Time{}, ErrStale
	}
	return t.make(who.User, t.passwordOf(user.Verifier.String()), time.Unix(who.token.SignedIn, 0), max(left, time.Second))
}

// Revoke revokes the token that somebody came with, and with all, every token that the node
// has made for the same user. When it returns nil that is on disk.
func (t *Tokens) Revoke(ctx context.Context, who *Identity, all bool) error {
	t.revoking.Lock()
	defer t.revoking.Unlock()
	if err := t.forgetExpired(ctx); err != nil {
		return err
	}
	t.mu.RLock()
	of, count := 0, len(t.revoked)
	for _, r := range t.revoked {
		if r.User == who.User {
			of++
		}
	}
	t.mu.RUnlock()
	if who.token != nil && (all || of >= maxRevokedOfUser) {
		return t.revokeAll(ctx, who.User)
	}
	if count >= maxRevoked {
		return ErrManyRevoked
	}
	r := revocation{who.User, who.Expires.UTC()}
	if err := keep(ctx, t.vault, keptRevoked, who.Credential, r); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.revoked[who.Credential] = r
	t.changes++
	return nil
}

// revokeAll revokes every token that was made for a user until now.
func (t *Tokens) revokeAll(ctx context.Context, user string) error {
	now := time.Now().UTC()
	if err := keep(ctx, t.vault, keptSince, user, now); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.since[user] = now
	t.changes++
	return nil
}

// forgetExpired forgets what was revoked and has expired since.
func (t *Tokens) forgetExpired(ctx context.Context) error {
	now := time.Now()
	var tokens, users []string
	t.mu.RLock()
	for id, r := range t.revoked {
		if r.Expires.Before(now) {
			tokens = append(tokens, id)
		}
	}
	for user, since := range t.since {
		if now.Sub(since) > t.opts.MaxTTL {
			users = append(users, user)
		}
	}
	t.mu.RUnlock()
	if len(tokens) > 0 {
		if err := t.vault.Forget(ctx, keptRevoked, tokens...); err != nil {
			return err
		}
	}
	if len(users) > 0 {
		if err := t.vault.Forget(ctx, keptSince, users...); err != nil {
			return err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range tokens {
		delete(t.revoked, id)
	}
	for _, user := range users {
		delete(t.since, user)
	}
	return nil
}

func (t *Tokens) changed() uint64 {
	if t == nil {
		return 0
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.changes
}

// enter returns who comes with a token.
func (t *Tokens) enter(text string) (*Identity, error) {
	if len(text) > maxTokenBytes {
		return nil, ErrToken
	}
	var who *Identity
	var err error
	if keyOf(text) == ownKey {
		who, err = t.enterOwn(text)
	} else if t.opts.Issuer != nil {
		who, err = t.opts.Issuer.enter(text)
	} else {
		err = ErrToken
	}
	if err != nil {
		return nil, err
	}
	if t.still(who) != nil {
		return nil, ErrToken
	}
	return who, nil
}

// keyOf returns the key that a token names, or "".
func keyOf(text string) string {
	signed, err := jose.ParseSignedCompact(text, algorithms())
	if err != nil || len(signed.Signatures) != 1 {
		return ""
	}
	return signed.Signatures[0].Header.KeyID
}

// enterOwn returns who comes with a token of the node.
func (t *Tokens) enterOwn(text string) (*Identity, error) {
	keys := func(jose.Header) []verifyKey { return []verifyKey{{ownKey, jose.HS256, t.secret}} }
	read, err := readToken(text, keys, jwt.Expected{Issuer: ownIssuer}, 0)
	if err != nil {
		return nil, err
	}
	claims, err := json.Marshal(read.all)
	var o own
	if err != nil || json.Unmarshal(claims, &o) != nil || read.claims.Subject == "" {
		return nil, ErrToken
	}
	who := &Identity{User: read.claims.Subject, By: Token, Credential: read.id, Expires: read.claims.Expiry.Time(), token: &o}
	user, ok := t.users.lookup(who.User)
	if !ok {
		return nil, ErrToken
	}
	who.Roles, who.Attributes = user.Roles, user.Attributes
	return who, nil
}

// still says whether somebody who came with a token may stay.
func (t *Tokens) still(who *Identity) error {
	t.mu.RLock()
	_, revoked := t.revoked[who.Credential]
	since := t.since[who.User]
	t.mu.RUnlock()
	if revoked {
		return ErrRevoked
	}
	if who.token == nil {
		return nil
	}
	if who.token.Made <= since.UnixMilli() && !since.IsZero() {
		return ErrRevoked
	}
	user, ok := t.users.lookup(who.User)
	if !ok || user.Verifier == nil || t.passwordOf(user.Verifier.String()) != who.token.Password && !who.holds(user.Verifier) {
		return ErrRevoked
	}
	if !user.equal(Grants{who.Roles, who.Attributes}) {
		return ErrChanged
	}
	return nil
}
