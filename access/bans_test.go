package access

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ambitmq/ambit/limits"
)

// A chest is a vault in memory.
type chest map[string]map[string][]byte

func (c chest) Keep(_ context.Context, kind, id string, value []byte) error {
	if c[kind] == nil {
		c[kind] = map[string][]byte{}
	}
	c[kind][id] = value
	return nil
}

func (c chest) Forget(_ context.Context, kind string, ids ...string) error {
	for _, id := range ids {
		delete(c[kind], id)
	}
	return nil
}

func (c chest) Kept(kind string) (map[string][]byte, error) { return maps.Clone(c[kind]), nil }

func at(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 1} }

func TestABanKeepsOutWhomItIsOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := chest{}
		b := NewBans(kept)
		for _, ban := range []Ban{
			{Kind: BanClient, Of: "dev"}, {Kind: BanUser, Of: "anna"}, {Kind: BanNetwork, Of: "10.1.2.3/16"},
			{Kind: BanNetwork, Of: "::ffff:192.0.2.0/127"}, {Kind: BanNetwork, Of: "2001:db8::/32", Until: time.Now().Add(time.Hour)},
		} {
			if _, err := b.Create(t.Context(), ban); err != nil {
				t.Fatal(err)
			}
		}
		again := NewBans(kept)
		if err := again.Open(); err != nil {
			t.Fatal(err)
		}
		check := func(b *Bans, later bool) {
			t.Helper()
			for _, tt := range []struct {
				client, user, from string
				want               bool
			}{
				{"dev", "", "10.0.0.1", true},
				{"anna", "dev", "10.0.0.1", false},
				{"other", "anna", "10.0.0.1", true},
				{"other", "bert", "10.1.255.255", true},
				{"other", "bert", "10.2.0.0", false},
				{"other", "bert", "192.0.2.1", true},
				{"other", "bert", "192.0.2.2", false},
				{"other", "bert", "2001:db8:1::1", !later},
			} {
				if got := b.Has(tt.client, tt.user, at(tt.from)); got != tt.want {
					t.Errorf("client %q, user %q from %s: banned %v", tt.client, tt.user, tt.from, got)
				}
			}
		}
		check(b, false)
		check(again, false)
		time.Sleep(time.Hour)
		check(b, true)
		if n := len(b.List()); n != 4 {
			t.Errorf("%d bans count, want 4", n)
		}
		if _, err := b.Lift(t.Context(), "client:dev"); err != nil {
			t.Error(err)
		}
		if _, err := b.Lift(t.Context(), "client:dev"); !errors.Is(err, ErrNoBan) {
			t.Error(err)
		}
		if b.Has("dev", "", nil) {
			t.Error("a ban that is lifted counts")
		}
	})
}

func TestABanIsOfSomebody(t *testing.T) {
	b := NewBans(chest{})
	for _, ban := range []Ban{
		{}, {Kind: BanClient}, {Kind: "host", Of: "a"}, {Kind: BanNetwork, Of: "here"}, {Kind: BanNetwork, Of: "10.0.0.0/33"},
		{Kind: BanUser, Of: string(make([]byte, maxBanBytes+1))}, {Kind: BanUser, Of: "\xff"},
	} {
		if _, err := b.Create(t.Context(), ban); err == nil {
			t.Errorf("%+v is made", ban)
		}
	}
}

// attempt tries to sign in.
func attempt(t *testing.T, d *Door, ip, name, password string, want error) {
	t.Helper()
	_, err := d.Enter(Arrival{From: at(ip), Login: &Login{Name: name, Password: []byte(password)}})
	if !errors.Is(err, want) {
		t.Errorf("%s from %s: %v, want %v", name, ip, err, want)
	}
}

// Whoever guesses has to wait, and nobody else: neither the same user elsewhere, nor who
// has signed in from there.
func TestWhoGuessesPasswordsHasToWaitAlone(t *testing.T) {
	users, _ := load(t, "user:"+pencil+"\nother:"+pencil+"\n")
	synctest.Test(t, func(t *testing.T) {
		counts := new(limits.Counts)
		guard := NewAttempts(AttemptOptions{Failures: 3, Backoff: time.Minute, Counts: counts})
		d := &Door{Users: users, Guard: guard.Begin}
		attempt(t, d, "10.0.0.1", "other", "pencil", nil)
		for range 4 {
			attempt(t, d, "10.0.0.1", "user", "pen", ErrDenied)
		}
		attempt(t, d, "10.0.0.1", "user", "pencil", ErrTooOften)
		attempt(t, d, "10.0.0.2", "user", "pencil", nil)
		attempt(t, d, "10.0.0.1", "other", "pencil", nil)
		time.Sleep(time.Second)
		attempt(t, d, "10.0.0.1", "user", "pen", ErrDenied)
		time.Sleep(time.Second)
		attempt(t, d, "10.0.0.1", "user", "pencil", ErrTooOften) // it is two seconds now
		time.Sleep(time.Second)
		attempt(t, d, "10.0.0.1", "user", "pencil", nil)
		attempt(t, d, "10.0.0.1", "user", "pen", ErrDenied) // and all is forgotten
		attempt(t, d, "10.0.0.1", "user", "pencil", nil)
		if n := counts.Of(limits.SignIns); n != 2 {
			t.Errorf("%d attempts had to wait, want 2", n)
		}
		for i := range 40 { // another name each time
			_, err := d.Enter(Arrival{From: at("10.0.0.9"), Login: &Login{Name: string(rune('a' + i)), Password: []byte("x")}})
			if i > 31 && !errors.Is(err, ErrTooOften) {
				t.Fatalf("name %d of one address: %v", i, err)
			}
		}
		for _, ip := range []string{"10.0.0.1", "10.0.0.2"} {
			attempt(t, d, ip, "other", "pencil", nil)
		}
	})
}

// Whoever makes many attempts at the same time has no more of them than one after another.
func TestManyGuessesAtOnceAreNoMoreThanOneByOne(t *testing.T) {
	users, _ := load(t, "user:"+pencil+"\nother:"+pencil+"\n")
	const free = 3
	for name, try := range map[string]func(d *Door) error{
		"passwords": func(d *Door) error {
			_, err := d.Enter(Arrival{From: at("10.0.0.1"), Login: &Login{Name: "user", Password: []byte("pen")}})
			return err
		},
		"auth:login": func(d *Door) error {
			_, err := d.SignIn(at("10.0.0.1"), "user", "pen")
			return err
		},
	} {
		d := &Door{Users: users, Guard: NewAttempts(AttemptOptions{Failures: free, Backoff: time.Minute}).Begin}
		var tries sync.WaitGroup
		var denied atomic.Int64
		for range 60 {
			tries.Go(func() {
				switch err := try(d); {
				case errors.Is(err, ErrDenied):
					denied.Add(1)
				case !errors.Is(err, ErrTooOften):
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		tries.Wait()
		if most := int64(free + 8); denied.Load() > most { // a few may begin before the last has been counted
			t.Errorf("%s: %d were tried, want at most %d", name, denied.Load(), most)
		}
	}
}

// A password without a name is nobody's, and costs nothing: no guard would have anybody wait.
func TestAPasswordWithoutANameIsNotHashed(t *testing.T) {
	users, _ := load(t, "user:"+pencil+"\n")
	for range cap(users.slots) {
		users.slots <- struct{}{} // all are taken
	}
	d := &Door{Users: users, Guard: NewAttempts(AttemptOptions{Failures: 3, Backoff: time.Minute}).Begin}
	attempt(t, d, "10.0.0.1", "", "pencil", ErrDenied) // and not ErrBusy, after a while
}

func TestWhoIsBannedDoesNotComeIn(t *testing.T) {
	users, _ := load(t, "user:"+pencil+"\n")
	d := &Door{Users: users, Remote: true, Bans: NewBans(chest{}), Audit: NewAudit(slog.New(slog.NewTextHandler(t.Output(), nil)))}
	attempt(t, d, "10.0.0.1", "user", "pencil", nil)
	if _, err := d.Bans.Create(t.Context(), Ban{Kind: BanUser, Of: "user"}); err != nil {
		t.Fatal(err)
	}
	attempt(t, d, "10.0.0.1", "user", "pencil", ErrBanned)
	if _, err := d.SignIn(at("10.0.0.1"), "user", "pencil"); !errors.Is(err, ErrBanned) {
		t.Error(err)
	}
	if _, err := d.Bans.Create(t.Context(), Ban{Kind: BanNetwork, Of: "10.0.0.0/8"}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Enter(Arrival{From: at("10.0.0.1")}); !errors.Is(err, ErrBanned) {
		t.Error(err)
	}
	if _, err := d.Enter(Arrival{From: at("11.0.0.1")}); err != nil {
		t.Error(err)
	}
}

func TestAClientThatConnectsAgainAndAgainIsBannedForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		counts := new(limits.Counts)
		d := &Door{Remote: true, Flapping: NewFlapping(limits.Rate{N: 5, Per: time.Second}, time.Minute, counts)}
		come := func(client, ip string, want error) {
			t.Helper()
			if _, err := d.Enter(Arrival{ClientID: client, From: at(ip)}); !errors.Is(err, want) {
				t.Errorf("%s from %s: %v, want %v", client, ip, err, want)
			}
		}
		for range 5 {
			come("dev", "10.0.0.1", nil)
		}
		come("dev", "10.0.0.1", ErrBanned)
		come("dev", "10.0.0.2", nil) // somebody else may have its name
		come("other", "10.0.0.1", nil)
		time.Sleep(59 * time.Second)
		come("dev", "10.0.0.1", ErrBanned)
		time.Sleep(2 * time.Second)
		come("dev", "10.0.0.1", nil)
		if counts.Of(limits.Flapping) != 1 || counts.Of(limits.Banned) != 1 {
			t.Errorf("%d bans, %d refusals", counts.Of(limits.Flapping), counts.Of(limits.Banned))
		}
	})
}

// From an address that is banned nobody signs in, shows a token or a key, or learns whether a
// password is right, on a connection that was there before as well.
func TestABannedAddressIsToldNothingOfPasswords(t *testing.T) {
	users, _ := load(t, "anna:"+pencil+"\n")
	vault := newDrawer()
	d := open(t, users, vault, nil)
	d.Bans = NewBans(vault)
	_, key, err := d.Keys.Create(t.Context(), Key{User: "anna"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Bans.Create(t.Context(), Ban{Kind: BanNetwork, Of: "192.0.2.0/24"}); err != nil {
		t.Fatal(err)
	}
	for ip, banned := range map[string]bool{"192.0.2.1": true, "198.51.100.1": false} {
		want := func(err error) error {
			if banned {
				return ErrBanned
			}
			return err
		}
		if _, err := d.SignIn(at(ip), "anna", "pencil"); !errors.Is(err, want(nil)) {
			t.Errorf("the password from %s: %v", ip, err)
		}
		if _, err := d.SignIn(at(ip), "anna", "another"); !errors.Is(err, want(ErrDenied)) {
			t.Errorf("another password from %s: %v", ip, err)
		}
		if _, err := d.Show(Arrival{From: at(ip)}, key); !errors.Is(err, want(nil)) {
			t.Errorf("a key from %s: %v", ip, err)
		}
	}
}
