package access

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	// How long a key set may take to come, how long it may be, and how soon it is asked
	// for again because of a token whose key it does not have.
	keySetTimeout  = 5 * time.Second
	keySetBytes    = 256 << 10
	keySetInterval = 10 * time.Second
)

// IssuerOptions say whose tokens are taken, and what they say. They are not written after
// [NewIssuer].
type IssuerOptions struct {
	// Keys are those that sign tokens.
	Keys []KeyFile
	// KeySet is the URL of more of them, as a JSON Web Key Set: https, or http on this machine.
	// "" is none.
	KeySet string
	// Issuer and Audience are what tokens have to say, unless they are "".
	Issuer, Audience string
	// Leeway is by how much clocks may differ.
	Leeway time.Duration
	Mapping
	Log *slog.Logger
}

// An Issuer is whose tokens are taken, besides the node's own. Its methods may be called
// concurrently.
type Issuer struct {
	opts   IssuerOptions
	static []verifyKey
	client *http.Client

	asking sync.Mutex // is held while the key set is asked for
	asked  time.Time  // guarded by asking

	mu  sync.RWMutex // guards what follows
	set []verifyKey
}

// NewIssuer returns an issuer, and reads the files of its keys. Its key set is not there
// before [Issuer.Renew].
func NewIssuer(o IssuerOptions) (*Issuer, error) {
	i := &Issuer{opts: o, client: &http.Client{
		Timeout:       keySetTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("it is elsewhere: name that URL") },
	}}
	for _, file := range o.Keys {
		key, err := file.load()
		if err != nil {
			return nil, fmt.Errorf("%q cannot be used: %w", file.File, err)
		}
		i.static = append(i.static, key)
	}
	return i, nil
}

// IsKeySet says whether a key set may be asked for at a URL.
func IsKeySet(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	host := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || host != nil && host.IsLoopback())
}

// Renew asks for the key set. If it does not come, the keys stay as they are.
func (i *Issuer) Renew(ctx context.Context) {
	if i.opts.KeySet == "" {
		return
	}
	i.asking.Lock()
	defer i.asking.Unlock()
	i.renew(ctx)
}

// renew is Renew. The caller holds i.asking.
func (i *Issuer) renew(ctx context.Context) {
	defer func() { i.asked = time.Now() }()
	keys, err := i.fetch(ctx)
	if err != nil {
		if ctx.Err() == nil {
			i.opts.Log.Warn("the key set of tokens cannot be had; keys stay as they were", "url", i.opts.KeySet, "reason", err)
		}
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if !slices.EqualFunc(keys, i.set, func(a, b verifyKey) bool { return a.id == b.id }) {
		i.opts.Log.Info("the key set of tokens has changed", "keys", len(keys))
	}
	i.set = keys
}

// fetch asks for the key set.
func (i *Issuer) fetch(ctx context.Context) ([]verifyKey, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, i.opts.KeySet, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	answer, err := i.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }() // it was read, or is given up
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %s", answer.Status)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, keySetBytes+1))
	if err != nil {
		return nil, err
	}
	if len(text) > keySetBytes {
		return nil, fmt.Errorf("it is longer than %d bytes", keySetBytes)
	}
	return parseKeySet(text)
}

// keysFor returns the keys that may have signed a token: those with its key id and those
// without any, or all if it names none. For an id that is not known, the key set is asked for
// again, unless that was done a moment ago.
func (i *Issuer) keysFor(h jose.Header) []verifyKey {
	keys, known := i.find(h)
	if known || i.opts.KeySet == "" {
		return keys
	}
	i.asking.Lock()
	defer i.asking.Unlock()
	if time.Since(i.asked) >= keySetInterval {
		i.renew(context.Background()) // which ends in time
	}
	keys, _ = i.find(h)
	return keys
}

// find returns the keys that there are for a token, and whether one of them is what the token
// names.
func (i *Issuer) find(h jose.Header) (keys []verifyKey, known bool) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	for _, k := range slices.Concat(i.static, i.set) {
		if string(k.algorithm) != h.Algorithm || k.id != h.KeyID && k.id != "" && h.KeyID != "" {
			continue
		}
		known = known || k.id == h.KeyID
		if keys = append(keys, k); len(keys) == maxTries {
			break
		}
	}
	return keys, known || h.KeyID == "" && len(keys) > 0
}

// enter returns who comes with a token.
func (i *Issuer) enter(text string) (*Identity, error) {
	expected := jwt.Expected{Issuer: i.opts.Issuer}
	if i.opts.Audience != "" {
		expected.AnyAudience = jwt.Audience{i.opts.Audience}
	}
	t, err := readToken(text, i.keysFor, expected, i.opts.Leeway)
	if err != nil {
		return nil, err
	}
	who, err := i.opts.identity(t)
	if err != nil {
		return nil, err
	}
	who.Expires = t.claims.Expiry.Time().Add(i.opts.Leeway)
	return who, nil
}
