package access

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ambitmq/ambit/test/mutate"
)

// cheap is a verifier by argon2id of "pencil", as the reference implementation writes it.
const cheap = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$"

func argonOf(t testing.TB, password string) Argon2 {
	t.Helper()
	v := Argon2{kib: 64, passes: 1, threads: 1, salt: "somesalt"}
	v.hash = v.derive(password, argon2Bytes)
	return v
}

// The hash is the one of the test vectors of the reference implementation:
// argon2 somesalt -id -t 2 -m 16 -p 1 -l 32, of "password".
func TestArgon2IsThatOfTheReference(t *testing.T) {
	v, err := parseArgon2("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	if err != nil {
		t.Fatal(err)
	}
	if !v.isOf("password") || v.isOf("passwort") {
		t.Error("the password is not that of the vector")
	}
}

func TestAUserIsReadAsWritten(t *testing.T) {
	v := argonOf(t, "pencil")
	for _, tt := range []struct {
		line, name string
		want       User
	}{
		{"anna:" + v.String(), "anna", User{Verifier: v}},
		{"an:na:-", "an:na", User{}},
		{"anna:" + v.String() + ` {"roles":["driver","night"]}`, "anna", User{v, Grants{Roles: []string{"driver", "night"}}}},
		{`anna:- {"attributes":{"tenant":"a:- b","n":[1,2]}}`, "anna",
			User{nil, Grants{Attributes: map[string]json.RawMessage{"tenant": json.RawMessage(`"a:- b"`), "n": json.RawMessage("[1,2]")}}}},
	} {
		name, got, err := parseLine(tt.line)
		if err != nil || name != tt.name || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %q %+v, %v", tt.line, name, got, err)
		}
		again, err := got.line(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, same, err := parseLine(again); err != nil || !reflect.DeepEqual(same, got) {
			t.Errorf("%s: written as %s, and read as %+v, %v", tt.line, again, same, err)
		}
	}
}

func TestALineOfAUserThatIsNoneIsRefused(t *testing.T) {
	for name, line := range map[string]string{
		"no hash":            "a:$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ",
		"another version":    "a:$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng",
		"too much memory":    "a:$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng",
		"too little memory":  "a:$argon2id$v=19$m=4,t=1,p=1$c29tZXNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng",
		"no threads":         "a:$argon2id$v=19$m=64,t=1,p=0$c29tZXNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng",
		"too many passes":    "a:$argon2id$v=19$m=64,t=65,p=1$c29tZXNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng",
		"costs that are not": "a:$argon2id$v=19$m=64,t=1$c29tZXNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng",
		"a hash too short":   "a:$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$MTIz",
		"another kind":       "a:$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng",
		"no JSON":            "a:- roles=driver",
		"another member":     `a:- {"role":["driver"]}`,
		"a role of no name":  `a:- {"roles":[""]}`,
		"an unnamed one":     `a:- {"attributes":{"":1}}`,
		"more than grants":   `a:- {"roles":["a"]} {}`,
		"too long":           "a:- " + strings.Repeat(" ", maxLineBytes),
	} {
		if user, u, err := parseLine(line); err == nil {
			t.Errorf("%s: %q %+v", name, user, u)
		}
	}
}

// Whoever has no password signs in with none, and an attempt costs what one of a user
// who exists costs.
func TestAUserWithoutAPasswordIsRefusedAsNobodyIs(t *testing.T) {
	v := argonOf(t, "pencil")
	u, _ := load(t, "anna:"+v.String()+"\nbert:- {\"roles\":[\"driver\"]}\n")
	for _, name := range []string{"bert", "nobody"} {
		for _, password := range []string{"", "-", "pencil"} {
			if _, err := u.Verify(name, []byte(password)); !errors.Is(err, ErrDenied) {
				t.Errorf("%s, %q: %v", name, password, err)
			}
		}
		user, _ := u.find(name)
		if decoy, ok := user.Verifier.(Argon2); !ok || decoy.kib != v.kib || decoy.passes != v.passes {
			t.Errorf("%s is refused at the cost of %v", name, user.Verifier)
		}
	}
}

func TestAUserHasRolesAndAttributes(t *testing.T) {
	u, path := load(t, "anna:"+argonOf(t, "pencil").String()+` {"roles":["driver"],"attributes":{"tenant":"acme"}}`+"\n")
	who, err := u.Verify("anna", []byte("pencil"))
	if err != nil || !slices.Equal(who.Roles, []string{"driver"}) || string(who.Attributes["tenant"]) != `"acme"` {
		t.Fatalf("%+v, %v", who, err)
	}
	d := &Door{Users: u}
	if err := d.Still(who); err != nil {
		t.Error(err)
	}
	for _, tt := range []struct {
		name   string
		change func(*User)
		want   error
	}{
		{"nothing", func(*User) {}, nil},
		{"a role more", func(u *User) { u.Roles = append(u.Roles, "night") }, ErrChanged},
		{"another attribute", func(u *User) {
			u.Roles = []string{"driver"}
			u.Attributes = map[string]json.RawMessage{"tenant": json.RawMessage(`1`)}
		}, ErrChanged},
		{"another password", func(u *User) { u.Verifier = argonOf(t, "brush") }, ErrRevoked},
	} {
		if err := Set(path, "anna", tt.change); err != nil {
			t.Fatal(err)
		}
		if err := d.Still(who); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Still(who); !errors.Is(err, ErrRevoked) {
		t.Errorf("without the user: %v", err)
	}
}

func FuzzLineOfAUser(f *testing.F) {
	seeds := []string{"a:-", "a:" + pencil, "a:" + cheap + "MTIzNDU2Nzg5MDEyMzQ1Ng", `a:- {"roles":["b"],"attributes":{"c":null}}`, "a:b:- {}"}
	for _, line := range seeds {
		f.Add(line)
	}
	for line := range mutate.Texts(20_000, seeds...) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		name, u, err := parseLine(line)
		if err != nil || strings.ContainsAny(line, "\r\n") {
			return
		}
		text, err := u.line(name)
		if err != nil {
			t.Fatal(err)
		}
		again, v, err := parseLine(text)
		if err != nil || again != name || !slices.Equal(u.Roles, v.Roles) || !slices.Equal(slices.Sorted(maps.Keys(u.Attributes)), slices.Sorted(maps.Keys(v.Attributes))) {
			t.Errorf("%q is written as %q, and read as %q %+v, %v", line, text, again, v, err)
		}
	})
}

func TestNamesThatWouldBeReadOtherwiseAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	for _, name := range []string{"a:- b", "a:$argon2id$", "a:" + scramMark} {
		if err := Set(path, name, func(*User) {}); err == nil {
			t.Errorf("%q is taken", name)
		}
	}
}
