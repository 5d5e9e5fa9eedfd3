package access

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
)

// errFull is what a vault says that can keep nothing.
var errFull = errors.New("the disk is full")

// A drawer is a vault in memory. It is for one goroutine.
type drawer struct {
	kept map[string]map[string][]byte
	full bool
}

var _ Vault = (*drawer)(nil)

func newDrawer() *drawer { return &drawer{kept: map[string]map[string][]byte{}} }

func (d *drawer) Keep(_ context.Context, kind, id string, value []byte) error {
	if d.full {
		return errFull
	}
	if d.kept[kind] == nil {
		d.kept[kind] = map[string][]byte{}
	}
	d.kept[kind][id] = slices.Clone(value)
	return nil
}

func (d *drawer) Forget(_ context.Context, kind string, ids ...string) error {
	if d.full {
		return errFull
	}
	for _, id := range ids {
		delete(d.kept[kind], id)
	}
	return nil
}

func (d *drawer) Kept(kind string) (map[string][]byte, error) { return maps.Clone(d.kept[kind]), nil }

// open returns a door of users with what a vault keeps.
func open(t testing.TB, users *Users, vault Vault, issuer *Issuer) *Door {
	t.Helper()
	d := &Door{
		Users: users, Keys: NewKeys(users, vault),
		Tokens: NewTokens(users, vault, TokenOptions{TTL: hour, MaxTTL: 24 * hour, Issuer: issuer}),
	}
	if err := d.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}
