package access

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

var (
	// ErrNoKey says that there is no API key of that id.
	ErrNoKey = errors.New("there is no such API key")
	// ErrManyKeys says that there are as many API keys as there may be.
	ErrManyKeys = errors.New("there are as many API keys as there may be")
)

// How many keys there may be: of a user who makes them, and of all.
const (
	maxKeysOfUser = 100
	maxKeys       = 100_000
)

// Keys are the API keys of a node. Their methods may be called concurrently.
type Keys struct {
	users *Users // or nil
	vault Vault

	making sync.Mutex // is held while keys are made and deleted

	mu      sync.RWMutex // guards what follows
	keys    map[string]Key
	changes uint64
}

// NewKeys returns the keys of users, who may be nil, that a vault keeps. They are not there
// before [Keys.Open].
func NewKeys(users *Users, vault Vault) *Keys {
	return &Keys{users: users, vault: vault, keys: map[string]Key{}}
}

// Open reads the keys.
func (k *Keys) Open() error {
	all, err := kept[Key](k.vault, keptKey)
	if err != nil {
		return err
	}
	for id, key := range all {
		key.ID = id
		all[id] = key
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = all
	return nil
}

// Create makes a key, and returns it with the text that its user comes in with, which
// nobody can say again. The error is [ErrManyKeys], or says what is wrong with the key.
func (k *Keys) Create(ctx context.Context, key Key) (Key, string, error) {
	k.making.Lock()
	defer k.making.Unlock()
	key.Created = time.Now().UTC().Truncate(time.Millisecond)
	if err := key.Check(); err != nil {
		return Key{}, "", err
	}
	if err := k.forgetExpired(ctx, time.Now()); err != nil {
		return Key{}, "", err
	}
	if len(k.List(key.User)) >= maxKeysOfUser || len(k.List("")) >= maxKeys {
		return Key{}, "", ErrManyKeys
	}
	if k.users != nil {
		_, key.Listed = k.users.lookup(key.User)
	}
	text := key.newSecret()
	if err := keep(ctx, k.vault, keptKey, key.ID, key); err != nil {
		return Key{}, "", err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys[key.ID] = key
	return key, text, nil
}

// Delete revokes a key. The error is [ErrNoKey] if there is none.
func (k *Keys) Delete(ctx context.Context, id string) error {
	k.making.Lock()
	defer k.making.Unlock()
	if _, ok := k.find(id); !ok {
		return ErrNoKey
	}
	return k.forget(ctx, id)
}

// forgetExpired deletes the keys that nobody can use any more.
func (k *Keys) forgetExpired(ctx context.Context, now time.Time) error {
	var over []string
	for _, key := range k.List("") {
		if key.isOver(now) {
			over = append(over, key.ID)
		}
	}
	if len(over) == 0 {
		return nil
	}
	return k.forget(ctx, over...)
}

func (k *Keys) forget(ctx context.Context, ids ...string) error {
	if err := k.vault.Forget(ctx, keptKey, ids...); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, id := range ids {
		delete(k.keys, id)
	}
	k.changes++
	return nil
}

// List returns the keys of a user, or of all for "", the oldest first.
func (k *Keys) List(user string) []Key {
	k.mu.RLock()
	defer k.mu.RUnlock()
	var list []Key
	for _, key := range k.keys {
		if user == "" || key.User == user {
			list = append(list, key)
		}
	}
	slices.SortFunc(list, func(a, b Key) int {
		return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID))
	})
	return list
}

// Find returns a key by its id.
func (k *Keys) Find(id string) (Key, bool) { return k.find(id) }

func (k *Keys) find(id string) (Key, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	key, ok := k.keys[id]
	return key, ok
}

func (k *Keys) changed() uint64 {
	if k == nil {
		return 0
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.changes
}

// enter returns who arrives with a key. The error is [ErrToken], or [ErrExpired].
func (k *Keys) enter(a Arrival) (*Identity, error) {
	id, secret := cutKey(a.Login.Password)
	key, ok := k.find(id)
	if !ok || !key.isOf(secret) {
		return nil, ErrToken
	}
	if err := key.mayCome(a); err != nil {
		return nil, err
	}
	if key.isOver(time.Now()) {
		return nil, ErrExpired
	}
	grants, err := k.grants(key)
	if err != nil {
		return nil, ErrToken
	}
	return &Identity{
		User: key.User, Roles: grants.Roles, Attributes: grants.Attributes, By: APIKey, Credential: key.ID, Expires: key.Expires,
	}, nil
}

// grants returns what a key grants now: no more than its user has, who must be there still.
func (k *Keys) grants(key Key) (Grants, error) {
	var user User
	ok := false
	if k.users != nil {
		user, ok = k.users.lookup(key.User)
	}
	switch {
	case !ok && key.Listed:
		return Grants{}, ErrRevoked
	case ok && key.Grants == nil:
		return user.Grants, nil
	case ok:
		return key.Grants.within(user.Grants), nil
	case key.Grants != nil:
		return *key.Grants, nil
	}
	return Grants{}, nil
}

// still says whether somebody who came in with a key may stay.
func (k *Keys) still(who *Identity) error {
	key, ok := k.find(who.Credential)
	if !ok {
		return ErrRevoked
	}
	grants, err := k.grants(key)
	if err == nil && !grants.equal(Grants{who.Roles, who.Attributes}) {
		err = ErrChanged
	}
	return err
}
