package access

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/ambitmq/ambit/limits"
)

var (
	// ErrBanned says that somebody is banned.
	ErrBanned = errors.New("banned")
	// ErrNoBan says that there is no ban of that id.
	ErrNoBan = errors.New("there is no such ban")
	// ErrManyBans says that there are as many bans as there may be.
	ErrManyBans = errors.New("there are as many bans as there may be")
)

// How many bans there may be, and how long their texts.
const (
	maxBans     = 100_000
	maxBanBytes = 256
)

// keptBan is the kind of a ban that is kept, by its id.
const keptBan = "ban"

// The kinds of whom a ban may be of.
const (
	BanClient  = "client" // a client identifier
	BanUser    = "user"
	BanNetwork = "network" // an address, or a network such as 10.1.0.0/16
)

// A Ban keeps somebody out. There is one of each that may be banned.
type Ban struct {
	// Kind and Of say whom.
	Kind string `json:"kind"`
	Of   string `json:"of"`
	// Reason and By say why and by whom it was made, for people.
	Reason string `json:"reason,omitempty"`
	By     string `json:"by,omitempty"`
	// Made is since when, and Until until when it is; zero is for ever.
	Made  time.Time `json:"made"`
	Until time.Time `json:"until,omitzero"`
}

// ID returns the name of the ban: that of another one of the same is the same.
func (b Ban) ID() string { return b.Kind + ":" + b.Of }

func (b Ban) isOver(now time.Time) bool { return !b.Until.IsZero() && !b.Until.After(now) }

// Check says what a ban has to be, if it is not, and writes a network as others do.
func (b *Ban) Check() error {
	for _, text := range []string{b.Of, b.Reason, b.By} {
		if len(text) > maxBanBytes || !utf8.ValidString(text) {
			return fmt.Errorf("texts of at most %d bytes, in UTF-8", maxBanBytes)
		}
	}
	switch b.Kind {
	case BanClient, BanUser:
		if b.Of == "" {
			return errors.New("a name")
		}
		return nil
	case BanNetwork:
		network, err := limits.ParseNetwork(b.Of)
		if err != nil {
			return errors.New("an address, or a network such as 10.0.0.0/8")
		}
		b.Of = network.String()
		return nil
	}
	return errors.New("client, user or network")
}

// Bans are those of a node. A nil one has none. Their methods may be called concurrently.
type Bans struct {
	vault  Vault
	making sync.Mutex // is held while bans are made and lifted

	mu      sync.RWMutex // guards what follows
	bans    map[string]Ban
	lengths []int // of the networks
	changes uint64
}

// NewBans returns the bans that a vault keeps. They are not there before [Bans.Open].
func NewBans(vault Vault) *Bans { return &Bans{vault: vault, bans: map[string]Ban{}} }

// Open reads the bans.
func (b *Bans) Open() error {
	all, err := kept[Ban](b.vault, keptBan)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bans = all
	b.measure()
	return nil
}

// measure notes how long the networks are. The caller holds b.mu.
func (b *Bans) measure() {
	b.lengths = nil
	for _, ban := range b.bans {
		if network, err := netip.ParsePrefix(ban.Of); ban.Kind == BanNetwork && err == nil && !slices.Contains(b.lengths, network.Bits()) {
			b.lengths = append(b.lengths, network.Bits())
		}
	}
}

// Create bans somebody, in place of the ban that there is of the same. Whoever is connected is
// disconnected within a second. The error is [ErrManyBans], or says what is wrong with the ban.
func (b *Bans) Create(ctx context.Context, ban Ban) (Ban, error) {
	b.making.Lock()
	defer b.making.Unlock()
	ban.Made = time.Now().UTC().Truncate(time.Millisecond)
	if err := ban.Check(); err != nil {
		return Ban{}, err
	}
	if err := b.forgetOver(ctx, ban.Made); err != nil {
		return Ban{}, err
	}
	if len(b.List()) >= maxBans {
		return Ban{}, ErrManyBans
	}
	if err := keep(ctx, b.vault, keptBan, ban.ID(), ban); err != nil {
		return Ban{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bans[ban.ID()] = ban
	b.measure()
	b.changes++
	return ban, nil
}

// Lift ends a ban. The error is [ErrNoBan] if there is none.
func (b *Bans) Lift(ctx context.Context, id string) (Ban, error) {
	b.making.Lock()
	defer b.making.Unlock()
	b.mu.RLock()
	ban, ok := b.bans[id]
	b.mu.RUnlock()
	if !ok || ban.isOver(time.Now()) {
		return Ban{}, ErrNoBan
	}
	return ban, b.forget(ctx, id)
}

// forgetOver deletes the bans that are over.
func (b *Bans) forgetOver(ctx context.Context, now time.Time) error {
	var over []string
	b.mu.RLock()
	for id, ban := range b.bans {
		if ban.isOver(now) {
			over = append(over, id)
		}
	}
	b.mu.RUnlock()
	if len(over) == 0 {
		return nil
	}
	return b.forget(ctx, over...)
}

func (b *Bans) forget(ctx context.Context, ids ...string) error {
	if err := b.vault.Forget(ctx, keptBan, ids...); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		delete(b.bans, id)
	}
	b.measure()
	return nil
}

// List returns the bans that count, the oldest first.
func (b *Bans) List() []Ban {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var list []Ban
	now := time.Now()
	for _, ban := range b.bans {
		if !ban.isOver(now) {
			list = append(list, ban)
		}
	}
	slices.SortFunc(list, func(a, b Ban) int { return cmp.Or(a.Made.Compare(b.Made), cmp.Compare(a.ID(), b.ID())) })
	return list
}

// Has says whether a client, a user or an address is banned; "" and nil is nobody.
func (b *Bans) Has(client, user string, from net.Addr) bool {
	if b == nil {
		return false
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if len(b.bans) == 0 {
		return false
	}
	now := time.Now()
	has := func(kind, of string) bool {
		ban, ok := b.bans[kind+":"+of]
		return ok && !ban.isOver(now)
	}
	if has(BanClient, client) || has(BanUser, user) {
		return true
	}
	addr := limits.AddrOf(from)
	return slices.ContainsFunc(b.lengths, func(bits int) bool {
		network, err := addr.Prefix(bits)
		return err == nil && has(BanNetwork, network.String())
	})
}

func (b *Bans) changed() uint64 {
	if b == nil {
		return 0
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.changes
}
