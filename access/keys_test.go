package access

import (
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// with returns somebody who arrives with a password that stands for a user.
func with(secret string) Arrival { return Arrival{Login: &Login{Password: []byte(secret)}} }

func TestAKeyIsItsUser(t *testing.T) {
	vault := newDrawer()
	d := open(t, nil, vault, nil)
	grants := Grants{Roles: []string{"viewer"}, Attributes: map[string]json.RawMessage{"tenant": json.RawMessage(`"acme"`)}}
	key, text, err := d.Keys.Create(t.Context(), Key{User: "dash", Description: "wall", Grants: &grants})
	if err != nil {
		t.Fatal(err)
	}
	for kind, all := range vault.kept {
		for id, kept := range all {
			if _, secret := cutKey([]byte(text)); strings.Contains(string(kept), secret) {
				t.Errorf("%s %s has the secret: %s", kind, id, kept)
			}
		}
	}
	d = open(t, nil, vault, nil) // as after a restart
	other := strings.Replace(text, key.ID, "aaaaaaaaaaaaaaaa", 1)
	for _, tt := range []struct {
		name string
		a    Arrival
		want error
	}{
		{"the key", with(text), nil},
		{"as a bearer", Arrival{Login: &Login{Password: []byte(text), Bearer: true}}, nil},
		{"with the name of its user", Arrival{Login: &Login{Name: "dash", Password: []byte(text)}}, nil},
		{"with another name", Arrival{Login: &Login{Name: "anna", Password: []byte(text)}}, ErrDenied},
		{"another secret", with(text[:len(text)-1] + "_"), ErrToken},
		{"half of the secret", with(text[:len(text)/2]), ErrToken},
		{"no secret", with(keyMark + key.ID), ErrToken},
		{"another id", with(other), ErrToken},
		{"the mark alone", with(keyMark), ErrToken},
	} {
		who, err := d.Enter(tt.a)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if err == nil && (who.User != "dash" || who.By != APIKey || who.Credential != key.ID || !reflect.DeepEqual(Grants{who.Roles, who.Attributes}, grants)) {
			t.Errorf("%s: %+v", tt.name, who)
		}
	}
}

func TestAKeyIsBoundToItsPagesItsNetworksAndItsTime(t *testing.T) {
	d := open(t, nil, newDrawer(), nil)
	at := func(ip, origin string) Arrival {
		return Arrival{From: &net.TCPAddr{IP: net.ParseIP(ip), Port: 1}, Peer: Peer{Origin: origin}}
	}
	pages := Key{User: "a", Origins: []string{"https://*.example.com", "localhost:8080"}}
	nets := Key{User: "a", Networks: []netip.Prefix{netip.MustParsePrefix("::ffff:10.1.0.0/112"), netip.MustParsePrefix("2001:db8::/32")}}
	for _, tt := range []struct {
		name string
		key  Key
		a    Arrival
		want error
	}{
		{"a page", pages, at("192.0.2.1", "https://maps.example.com"), nil},
		{"a page of another host", pages, at("192.0.2.1", "https://example.org"), ErrKeyOrigin},
		{"a page by another scheme", pages, at("192.0.2.1", "http://maps.example.com"), ErrKeyOrigin},
		{"a page by any scheme", pages, at("192.0.2.1", "http://localhost:8080"), nil},
		{"no page", pages, at("192.0.2.1", ""), ErrKeyOrigin},
		{"a network", nets, at("10.1.2.3", ""), nil},
		{"a network, by IPv4 in IPv6", nets, at("::ffff:10.1.2.3", "https://example.org"), nil},
		{"a network of IPv6", nets, at("2001:db8::1", ""), nil},
		{"another network", nets, at("10.2.0.1", ""), ErrKeyNetwork},
		{"no address", nets, Arrival{From: &net.UnixAddr{Name: "s"}}, ErrKeyNetwork},
	} {
		_, text, err := d.Keys.Create(t.Context(), tt.key)
		if err != nil {
			t.Fatal(err)
		}
		tt.a.Login = &Login{Password: []byte(text), Bearer: true}
		if _, err := d.Enter(tt.a); !errors.Is(err, tt.want) || err != nil && !errors.Is(err, ErrToken) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		tt.a.Login = &Login{Password: []byte(text[:len(text)-1] + "?"), Bearer: true}
		if _, err := d.Enter(tt.a); !errors.Is(err, ErrToken) || errors.Is(err, ErrKeyOrigin) || errors.Is(err, ErrKeyNetwork) {
			t.Errorf("%s, with another secret: %v", tt.name, err)
		}
	}
	key, text, err := d.Keys.Create(t.Context(), Key{User: "b", Expires: time.Now().Add(hour)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Enter(with(text)); err != nil {
		t.Fatal(err)
	}
	key.Expires = time.Now().Add(-time.Second) // that time has passed
	d.Keys.keys[key.ID] = key
	if _, err := d.Enter(with(text)); !errors.Is(err, ErrExpired) {
		t.Errorf("a key that has expired: %v", err)
	}
	before := len(d.Keys.List(""))
	if _, _, err := d.Keys.Create(t.Context(), Key{User: "c"}); err != nil || len(d.Keys.List("")) != before {
		t.Errorf("%v: a key that has expired is kept", err)
	}
}

func TestAKeyGrantsNoMoreThanItsUserHas(t *testing.T) {
	const grants = ` {"roles":["driver","night"],"attributes":{"tenant":"acme","n":1}}`
	users, path := load(t, "anna:"+argonOf(t, "pencil").String()+grants+"\n")
	d := open(t, users, newDrawer(), nil)
	all := Grants{[]string{"driver", "night"}, map[string]json.RawMessage{"tenant": json.RawMessage(`"acme"`), "n": json.RawMessage("1")}}
	for _, tt := range []struct {
		name        string
		given, want Grants
	}{
		{"less", Grants{[]string{"driver"}, map[string]json.RawMessage{"n": json.RawMessage("1")}}, Grants{[]string{"driver"}, map[string]json.RawMessage{"n": json.RawMessage("1")}}},
		{"more", Grants{[]string{"admin", "night"}, map[string]json.RawMessage{"n": json.RawMessage("2"), "m": json.RawMessage("1")}}, Grants{Roles: []string{"night"}}},
		{"nothing", Grants{}, Grants{}},
		{"all", all, all},
	} {
		_, text, err := d.Keys.Create(t.Context(), Key{User: "anna", Grants: &tt.given})
		if err != nil {
			t.Fatal(err)
		}
		who, err := d.Enter(with(text))
		if err != nil || !(Grants{who.Roles, who.Attributes}).equal(tt.want) {
			t.Errorf("%s: %+v, %v", tt.name, who, err)
		}
	}
	_, text, err := d.Keys.Create(t.Context(), Key{User: "anna"})
	if err != nil {
		t.Fatal(err)
	}
	who, err := d.Enter(with(text))
	if err != nil || !(Grants{who.Roles, who.Attributes}).equal(all) {
		t.Fatalf("%+v, %v", who, err)
	}
	if err := Set(path, "anna", func(u *User) { u.Roles = []string{"driver"} }); err != nil {
		t.Fatal(err)
	}
	if err := d.Still(who); !errors.Is(err, ErrChanged) {
		t.Errorf("its user has other roles: %v", err)
	}
	if err := os.WriteFile(path, []byte("bert:-\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Still(who); !errors.Is(err, ErrRevoked) {
		t.Errorf("its user is gone: %v", err)
	}
	if _, err := d.Enter(with(text)); !errors.Is(err, ErrToken) {
		t.Errorf("its user is gone, and comes in: %v", err)
	}
}

func TestAKeyThatIsRevokedCountsNoMore(t *testing.T) {
	vault := newDrawer()
	d := open(t, nil, vault, nil)
	key, text, err := d.Keys.Create(t.Context(), Key{User: "dash"})
	if err != nil {
		t.Fatal(err)
	}
	who, err := d.Enter(with(text))
	if err != nil {
		t.Fatal(err)
	}
	vault.full = true
	before := d.Changes()
	if err := d.Keys.Delete(t.Context(), key.ID); !errors.Is(err, errFull) || d.Still(who) != nil || d.Changes() != before {
		t.Errorf("%v: what is not on disk counts", err)
	}
	vault.full = false
	if err := d.Keys.Delete(t.Context(), key.ID); err != nil {
		t.Fatal(err)
	}
	if err := d.Still(who); !errors.Is(err, ErrRevoked) || d.Changes() == before {
		t.Errorf("who came in with it: %v", err)
	}
	for _, d := range []*Door{d, open(t, nil, vault, nil)} {
		if _, err := d.Enter(with(text)); !errors.Is(err, ErrToken) {
			t.Errorf("the key: %v", err)
		}
	}
	if err := d.Keys.Delete(t.Context(), key.ID); !errors.Is(err, ErrNoKey) {
		t.Errorf("once more: %v", err)
	}
}

func TestAUserHasSoManyKeysAndNoMore(t *testing.T) {
	d := open(t, nil, newDrawer(), nil)
	for range maxKeysOfUser {
		if _, _, err := d.Keys.Create(t.Context(), Key{User: "a"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := d.Keys.Create(t.Context(), Key{User: "a"}); !errors.Is(err, ErrManyKeys) {
		t.Error(err)
	}
	if _, _, err := d.Keys.Create(t.Context(), Key{User: "b"}); err != nil {
		t.Error(err)
	}
}

func TestAKeyThatIsNoneIsRefused(t *testing.T) {
	many := make([]string, maxKeyParts+1)
	for name, key := range map[string]Key{
		"no user":             {},
		"a long user":         {User: strings.Repeat("x", maxKeyText+1)},
		"a long description":  {User: "a", Description: strings.Repeat("x", maxKeyText+1)},
		"it has expired":      {User: "a", Expires: time.Now().Add(-time.Second)},
		"too many pages":      {User: "a", Origins: many},
		"a page that is none": {User: "a", Origins: []string{"[a"}},
		"an empty page":       {User: "a", Origins: []string{""}},
		"a role without name": {User: "a", Grants: &Grants{Roles: []string{""}}},
		"too many roles":      {User: "a", Grants: &Grants{Roles: many}},
	} {
		if err := key.Check(); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
