package hooks

import (
	"context"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/persistence"
)

// A Vault has the store keep what access has to keep.
type Vault struct{ store *persistence.Store }

var _ access.Vault = Vault{}

// NewVault returns the vault of a store.
func NewVault(store *persistence.Store) Vault { return Vault{store} }

// Keep implements [access.Vault].
func (v Vault) Keep(ctx context.Context, kind, id string, value []byte) error {
	return v.do(ctx, persistence.PutCredential(persistence.Credential{Kind: kind, ID: id, Value: value}))
}

// Forget implements [access.Vault].
func (v Vault) Forget(ctx context.Context, kind string, ids ...string) error {
	var records []persistence.Record
	for _, id := range ids {
		records = append(records, persistence.DeleteCredential(kind, id))
	}
	return v.do(ctx, records...)
}

// do returns when records are on disk.
func (v Vault) do(ctx context.Context, records ...persistence.Record) error {
	done := make(chan error, 1)
	op := &persistence.Op{Records: records, Committed: func(r *persistence.Result) { done <- r.Err }}
	if err := v.store.Append(ctx, op); err != nil {
		return err
	}
	return <-done
}

// Kept implements [access.Vault].
func (v Vault) Kept(kind string) (map[string][]byte, error) {
	all := map[string][]byte{}
	for c, err := range v.store.Credentials(kind) {
		if err != nil {
			return nil, err
		}
		all[c.ID] = c.Value
	}
	return all, nil
}
