package access

import (
	"context"
	"encoding/json"
	"fmt"
)

// A Vault keeps what must outlive the process, by kind and id. What Keep and Forget have
// done is on disk.
type Vault interface {
	Keep(ctx context.Context, kind, id string, value []byte) error
	Forget(ctx context.Context, kind string, ids ...string) error
	Kept(kind string) (map[string][]byte, error)
}

// The kinds of what is kept.
const (
	keptSecret  = "secret"  // "tokens": the key of the node's own tokens
	keptRevoked = "revoked" // by the id of a token: when it would expire
	keptSince   = "since"   // by user: tokens that are older do not count
	keptKey     = "key"     // by its id: an API key
	keptProfile = "profile" // by user: what that one says of itself
)

// keep keeps v as JSON.
func keep(ctx context.Context, vault Vault, kind, id string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return vault.Keep(ctx, kind, id, text)
}

// kept returns all that is kept of a kind.
func kept[T any](vault Vault, kind string) (map[string]T, error) {
	texts, err := vault.Kept(kind)
	if err != nil {
		return nil, err
	}
	all := make(map[string]T, len(texts))
	for id, text := range texts {
		var v T
		if err := json.Unmarshal(text, &v); err != nil {
			return nil, fmt.Errorf("%s %q in the store: %w", kind, id, err)
		}
		all[id] = v
	}
	return all, nil
}
