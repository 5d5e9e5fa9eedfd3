package access

import (
	"errors"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// signedIn returns a token of anna, who signs in with her password.
func signedIn(t *testing.T, d *Door) string {
	t.Helper()
	who, err := d.SignIn(nil, "anna", "pencil")
	if err != nil {
		t.Fatal(err)
	}
	text, expires, err := d.Tokens.Make(who, 0)
	if left := time.Until(expires); err != nil || left > hour || left < hour-2*time.Second {
		t.Fatalf("%v, it expires in %v", err, left)
	}
	return text
}

func TestATokenOfTheNodeIsItsUser(t *testing.T) {
	users, _ := load(t, "anna:"+argonOf(t, "pencil").String()+" {\"roles\":[\"driver\"]}\n")
	vault := newDrawer()
	d := open(t, users, vault, nil)
	text := signedIn(t, d)
	for _, d := range []*Door{d, open(t, users, vault, nil)} { // as after a restart
		who, err := d.Enter(with(text))
		if err != nil || who.User != "anna" || who.By != Token || len(who.Roles) != 1 || !who.IsListed() {
			t.Errorf("%+v, %v", who, err)
		}
		if err == nil && d.Still(who) != nil {
			t.Error(d.Still(who))
		}
	}
	if _, err := open(t, users, newDrawer(), nil).Enter(with(text)); !errors.Is(err, ErrToken) {
		t.Errorf("another node: %v", err)
	}
	if _, err := open(t, nil, vault, nil).Enter(with(text)); !errors.Is(err, ErrToken) {
		t.Errorf("without users: %v", err)
	}
	forged := sign(t, jose.HS256, []byte("0123456789abcdef0123456789abcdef"), ownKey, map[string]any{
		"iss": ownIssuer, "sub": "anna", "exp": time.Now().Add(hour).Unix(),
	})
	if _, err := d.Enter(with(forged)); !errors.Is(err, ErrToken) {
		t.Errorf("another secret: %v", err)
	}
}

func TestATokenLivesNoLongerThanItMay(t *testing.T) {
	users, _ := load(t, "anna:"+argonOf(t, "pencil").String()+"\n")
	d := open(t, users, newDrawer(), nil)
	who, err := d.SignIn(nil, "anna", "pencil")
	if err != nil {
		t.Fatal(err)
	}
	for ttl, want := range map[time.Duration]error{24 * hour: nil, 24*hour + 1: ErrTTL, -1: ErrTTL, time.Second: nil} {
		if _, _, err := d.Tokens.Make(who, ttl); !errors.Is(err, want) {
			t.Errorf("%v: %v", ttl, err)
		}
	}
	if _, _, err := d.Tokens.Refresh(who, 0); !errors.Is(err, ErrStale) {
		t.Errorf("a password is refreshed: %v", err)
	}
	passwordOf := d.Tokens.passwordOf(argonOf(t, "pencil").String())
	for _, tt := range []struct {
		name     string
		signedIn time.Duration // ago
		ttl      time.Duration
		want     error
		most     time.Duration
	}{
		{"at once", 0, 0, nil, hour},
		{"near the end", 23*hour + 30*time.Minute, 0, nil, 30 * time.Minute},
		{"near the end, for longer", 23*hour + 30*time.Minute, hour, ErrTTL, 0},
		{"behind the end", 24 * hour, 0, ErrStale, 0},
	} {
		text, _, err := d.Tokens.make("anna", passwordOf, time.Now().Add(-tt.signedIn), 0)
		if err != nil {
			t.Fatal(err)
		}
		who, err := d.Enter(with(text))
		if err != nil {
			t.Fatal(err)
		}
		again, expires, err := d.Tokens.Refresh(who, tt.ttl)
		if !errors.Is(err, tt.want) || err == nil && time.Until(expires) > tt.most {
			t.Errorf("%s: %v, until %v", tt.name, err, expires)
		}
		if err == nil {
			if _, err := d.Enter(with(again)); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
	}
}

func TestATokenThatIsRevokedCountsNoMore(t *testing.T) {
	users, _ := load(t, "anna:"+argonOf(t, "pencil").String()+"\n")
	s := newSigners(t)
	for _, tt := range []struct {
		name        string
		global      bool
		othersCount bool
	}{{"one", false, true}, {"all", true, false}} {
		t.Run(tt.name, func(t *testing.T) {
			vault := newDrawer()
			d := open(t, users, vault, s.issuer(t))
			one, other := signedIn(t, d), signedIn(t, d)
			who, err := d.Enter(with(one))
			if err != nil {
				t.Fatal(err)
			}
			before := d.Changes()
			vault.full = true
			if err := d.Tokens.Revoke(t.Context(), who, tt.global); !errors.Is(err, errFull) || d.Still(who) != nil {
				t.Errorf("%v: what is not on disk counts", err)
			}
			vault.full = false
			if err := d.Tokens.Revoke(t.Context(), who, tt.global); err != nil {
				t.Fatal(err)
			}
			if err := d.Still(who); !errors.Is(err, ErrRevoked) || d.Changes() == before {
				t.Errorf("who came in with it: %v", err)
			}
			for _, d := range []*Door{d, open(t, users, vault, s.issuer(t))} {
				if _, err := d.Enter(with(one)); !errors.Is(err, ErrToken) {
					t.Errorf("the token: %v", err)
				}
				if _, err := d.Enter(with(other)); (err == nil) != tt.othersCount {
					t.Errorf("another token of the user: %v", err)
				}
			}
		})
	}
}

// A token of an issuer is revoked with all others that have the same id, and if it has none,
// by what was signed, whatever the signature.
func TestATokenOfAnIssuerIsRevoked(t *testing.T) {
	s := newSigners(t)
	for _, id := range []any{"7", nil} {
		d := open(t, nil, newDrawer(), s.issuer(t))
		claims := claimsWith(map[string]any{"jti": id})
		one, same := sign(t, jose.ES256, s.ec, "", claims), sign(t, jose.ES256, s.ec, "", claims)
		other := sign(t, jose.ES256, s.ec, "", claimsWith(map[string]any{"jti": "8"}))
		who, err := d.Enter(with(one))
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Tokens.Revoke(t.Context(), who, true); err != nil {
			t.Fatal(err)
		}
		for text, want := range map[string]error{one: ErrToken, same: ErrToken, other: nil} {
			if _, err := d.Enter(with(text)); !errors.Is(err, want) {
				t.Errorf("%v: %v, want %v", id, err, want)
			}
		}
	}
}

func TestWhatWasRevokedIsForgottenWhenItHasExpired(t *testing.T) {
	users, _ := load(t, "anna:"+argonOf(t, "pencil").String()+"\n")
	vault := newDrawer()
	d := open(t, users, vault, nil)
	for i := range maxRevokedOfUser + 1 {
		who, err := d.Enter(with(signedIn(t, d)))
		if err != nil {
			t.Fatal(i, err)
		}
		if err := d.Tokens.Revoke(t.Context(), who, false); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			r := d.Tokens.revoked[who.Credential]
			r.Expires = time.Now().Add(-time.Second)
			d.Tokens.revoked[who.Credential] = r
		}
	}
	if n := len(vault.kept[keptRevoked]); n != maxRevokedOfUser {
		t.Errorf("%d revoked tokens are kept, want %d", n, maxRevokedOfUser)
	}
	who, err := d.Enter(with(signedIn(t, d)))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Tokens.Revoke(t.Context(), who, false); err != nil { // one more, and all are
		t.Fatal(err)
	}
	if n := len(vault.kept[keptRevoked]); n != maxRevokedOfUser || len(vault.kept[keptSince]) != 1 {
		t.Errorf("%d revoked tokens and %d users are kept", n, len(vault.kept[keptSince]))
	}
	d.Tokens.since["anna"] = time.Now().Add(-25 * hour)
	if err := d.Tokens.forgetExpired(t.Context()); err != nil || len(vault.kept[keptSince]) != 0 {
		t.Errorf("%v: %v is kept", err, vault.kept[keptSince])
	}
}

func TestATokenGoesWithThePassword(t *testing.T) {
	for name, change := range map[string]func(*User){
		"another password": func(u *User) { u.Verifier = argonOf(t, "brush") },
		"no password":      func(u *User) { u.Verifier = nil },
	} {
		users, path := load(t, "anna:"+argonOf(t, "pencil").String()+"\n")
		d := open(t, users, newDrawer(), nil)
		text := signedIn(t, d)
		who, err := d.Enter(with(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := Set(path, "anna", change); err != nil {
			t.Fatal(err)
		}
		if err := d.Still(who); !errors.Is(err, ErrRevoked) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := d.Enter(with(text)); !errors.Is(err, ErrToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
