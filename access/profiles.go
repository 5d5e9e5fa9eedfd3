package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
)

var (
	// ErrLongProfile says that a profile would have too many bytes.
	ErrLongProfile = fmt.Errorf("a profile may have %d bytes", maxProfileBytes)
	// ErrManyProfiles says that all profiles together would.
	ErrManyProfiles = errors.New("the profiles of all users take as much memory as they may")
)

const (
	maxProfileBytes = 4 << 10
	// maxProfilesBytes bounds all profiles with the names of their users.
	maxProfilesBytes = 16 << 20
)

// Profiles are what users of the file say of themselves: JSON objects, by which no rule
// goes. Their methods may be called concurrently.
type Profiles struct {
	users *Users // or nil
	vault Vault

	editing sync.Mutex // is held while one is written

	mu    sync.RWMutex // guards what follows
	of    map[string]json.RawMessage
	bytes int
}

// NewProfiles returns the profiles of users, who may be nil. They are of use after
// [Door.Open].
func NewProfiles(users *Users, vault Vault) *Profiles {
	return &Profiles{users: users, vault: vault, of: map[string]json.RawMessage{}}
}

// open reads what the vault has.
func (p *Profiles) open() error {
	if p == nil {
		return nil
	}
	of, err := kept[json.RawMessage](p.vault, keptProfile)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.of, p.bytes = of, 0
	for user, text := range of {
		p.bytes += len(user) + len(text)
	}
	return nil
}

// Of returns the profile of a user, or nil. It must not be changed.
func (p *Profiles) Of(user string) json.RawMessage {
	if p == nil {
		return nil
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.of[user]
}

// Edit gives a user of the file another profile, and returns it: what change makes of the
// one that is there, or of nil. When it returns that is on disk. The error is [ErrUnlisted],
// [ErrLongProfile], [ErrManyProfiles], or that of change.
func (p *Profiles) Edit(ctx context.Context, user string, change func([]byte) ([]byte, error)) (json.RawMessage, error) {
	if p == nil {
		return nil, ErrUnlisted
	}
	if _, listed := p.users.lookup(user); !listed {
		return nil, ErrUnlisted
	}
	p.editing.Lock()
	defer p.editing.Unlock()
	before := p.Of(user)
	after, err := change(before)
	if err != nil {
		return nil, err
	}
	grown := len(after) - len(before)
	if before == nil {
		grown += len(user)
	}
	p.mu.RLock()
	full := p.bytes+grown > maxProfilesBytes && grown > 0
	p.mu.RUnlock()
	switch {
	case len(after) > maxProfileBytes:
		return nil, ErrLongProfile
	case full:
		return nil, ErrManyProfiles
	}
	if err := p.vault.Keep(ctx, keptProfile, user, after); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.of[user] = after
	p.bytes += grown
	return after, nil
}
