package access

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xdg-go/scram"
)

// pencil is the verifier of the example of RFC 7677.
const pencil = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$" +
	"WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

// load writes a file of users and loads it.
func load(t testing.TB, text string) (*Users, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	u, err := Load(path, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	return u, path
}

func TestAPasswordIsThatOfItsUserAlone(t *testing.T) {
	u, _ := load(t, "# staff\n\nuser:"+pencil+"\r\nten:ant:"+pencil+"\n")
	for _, tt := range []struct {
		name, password string
		ok             bool
	}{
		{"user", "pencil", true},
		{"user", "pencil", true}, // which is known now
		{"user", "pen", false},
		{"user", "", false},
		{"user", "\xff", false},
		{"user", "pencil\u00ad", true}, // a soft hyphen is nothing (RFC 4013)
		{"ten:ant", "pencil", true},
		{"ten", "pencil", false},
		{"nobody", "pencil", false},
		{"", "", false},
	} {
		_, err := u.Verify(tt.name, []byte(tt.password))
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrDenied) {
			t.Errorf("%q, %q: %v, want success: %v", tt.name, tt.password, err, tt.ok)
		}
	}
}

func TestUsersAreReadAgainWhenTheFileHasChanged(t *testing.T) {
	u, path := load(t, "user:"+pencil+"\n")
	verify := func(name, password string, ok bool) {
		t.Helper()
		if _, err := u.Verify(name, []byte(password)); (err == nil) != ok {
			t.Errorf("%s: %v, want success: %v", name, err, ok)
		}
	}
	verify("user", "pencil", true)
	v, err := NewScram("brush", MinIterations)
	if err != nil {
		t.Fatal(err)
	}
	if err := Set(path, "user", func(u *User) { u.Verifier = v }); err != nil {
		t.Fatal(err)
	}
	verify("user", "pencil", false)
	verify("user", "brush", true)
	if err := os.WriteFile(path, []byte("half a li"), 0o600); err != nil {
		t.Fatal(err)
	}
	verify("user", "brush", true)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	verify("user", "brush", true)
	verify("user", "brush", true)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	verify("user", "brush", false)
}

func TestALineThatCannotBeReadIsNamed(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"no verifier", "anna:secret", "users:1: it is not <name>:$argon2id$…, <name>:SCRAM-SHA-256$… or <name>:-"},
		{"no name", ":" + pencil, "users:1: it is not <name>:"},
		{"a user twice", "a:" + pencil + "\n#\na:" + pencil, `users:3: there is a user "a" already`},
		{"too few iterations", "a:" + strings.Replace(pencil, "4096", "1", 1), "users:1: the number of iterations must be from 4096 to"},
		{"no base64", "a:" + strings.Replace(pencil, "WG5d", "WG5!", 1), "users:1: salt and keys must be base64"},
		{"a key is cut", "a:" + pencil[:len(pencil)-8], "users:1: salt and keys must be base64"},
		{"a key is missing", "a:" + pencil[:strings.LastIndex(pencil, ":")], "users:1: salt and keys must be base64"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "users")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Load(path, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want …%s…", err, tt.want)
			}
		})
	}
}

func TestSetChangesOneLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	before := "# staff\nanna:" + pencil + "\n\nbert:" + pencil
	if err := os.WriteFile(path, []byte(before), 0o640); err != nil {
		t.Fatal(err)
	}
	v, err := NewScram("brush", MinIterations)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"anna", "carla"} {
		if err := Set(path, name, func(u *User) { u.Verifier = v }); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	want := "# staff\nanna:" + v.String() + "\n\nbert:" + pencil + "\ncarla:" + v.String() + "\n"
	if err != nil || string(got) != want {
		t.Errorf("%v\ngot  %q\nwant %q", err, got, want)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v, want the permissions that it had", info, err)
	}
	for _, name := range []string{"", "#anna", "an\nna"} {
		if err := Set(path, name, func(u *User) { u.Verifier = v }); err == nil {
			t.Errorf("%q is taken", name)
		}
	}
	made := filepath.Join(t.TempDir(), "users")
	if err := Set(made, "anna", func(u *User) { u.Verifier = v }); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(made); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v, want it for its owner alone", info, err)
	}
}

func TestAPasswordThatCannotBeOneIsRefused(t *testing.T) {
	for _, password := range []string{"", "\xff", "a\x00"} {
		if _, err := NewScram(password, DefaultIterations); err == nil {
			t.Errorf("%q is taken", password)
		}
	}
}

// exchange has a client of SCRAM sign in, and returns the challenge that it got.
func exchange(t *testing.T, u *Users, name, password, authzID string) (challenge string, err error) {
	t.Helper()
	client, err := scram.SHA256.NewClient(name, password, authzID)
	if err != nil {
		t.Fatal(err)
	}
	conversation := client.NewConversation()
	x, err := (&Door{Users: u}).Begin(nil)
	if err != nil {
		t.Fatal(err)
	}
	said := ""
	for step := 0; ; step++ {
		if said, err = conversation.Step(said); err != nil {
			t.Fatal(err)
		}
		answer, done, err := x.Step([]byte(said))
		if err != nil {
			return challenge, err
		}
		if said = string(answer); step == 0 {
			challenge = said
		}
		if done {
			if _, err := conversation.Step(said); err != nil || !conversation.Valid() || x.Name() != name {
				t.Errorf("%s: %v: the broker has not proved what it knows", x.Name(), err)
			}
			return challenge, nil
		}
	}
}

func TestAnExchangeProvesThePassword(t *testing.T) {
	u, _ := load(t, "user:"+pencil+"\nten,ant=:"+pencil+"\n")
	for _, tt := range []struct {
		name, user, password, authzID string
		ok                            bool
	}{
		{"the password", "user", "pencil", "", true},
		{"another password", "user", "pen", "", false},
		{"nobody", "nobody", "pencil", "", false},
		{"a name with marks of SCRAM", "ten,ant=", "pencil", "", true},
		{"in the own name", "user", "pencil", "user", true},
		{"in the name of another", "user", "pencil", "ten,ant=", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := exchange(t, u, tt.user, tt.password, tt.authzID)
			if (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrDenied) {
				t.Errorf("%v, want success: %v", err, tt.ok)
			}
		})
	}
}

// Whoever asks for a user who does not exist is challenged as one who does, and
// again with the same salt.
func TestAnExchangeDoesNotSayWhoExists(t *testing.T) {
	u, _ := load(t, "user:"+pencil+"\n")
	saltOf := func(name string) string {
		challenge, err := exchange(t, u, name, "x", "")
		if !errors.Is(err, ErrDenied) {
			t.Fatal(err)
		}
		_, salt, _ := strings.Cut(challenge, ",")
		return salt
	}
	if a, b := saltOf("nobody"), saltOf("nobody"); a == "" || a != b {
		t.Errorf("%q and %q", a, b)
	}
	if a, b := saltOf("nobody"), saltOf("noone"); a == b {
		t.Errorf("both are challenged with %q", a)
	}
}

func TestStepsThatAreNoneAreRefused(t *testing.T) {
	u, _ := load(t, "user:"+pencil+"\n")
	for _, said := range []string{"", "n,,", "p=tls-unique,,n=user,r=abc", "n,,n=us=er,r=abc", "\x00\xff"} {
		x, err := (&Door{Users: u}).Begin(nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, done, err := x.Step([]byte(said)); done || !errors.Is(err, ErrDenied) {
				t.Errorf("%q: %v, %v", said, done, err)
			}
		}
	}
}

// Exchanges that were begun at the same time are no more guesses than those one after another.
func TestManyExchangesAtOnceAreNoMoreThanOneByOne(t *testing.T) {
	u, _ := load(t, "user:"+pencil+"\n")
	const free = 3
	d := &Door{Users: u, Guard: NewAttempts(AttemptOptions{Failures: free, Backoff: time.Minute}).Begin}
	last := map[*Exchange]string{}
	for range 20 {
		client, err := scram.SHA256.NewClient("user", "pen", "")
		if err != nil {
			t.Fatal(err)
		}
		talk := client.NewConversation()
		said, err := talk.Step("")
		if err != nil {
			t.Fatal(err)
		}
		x, err := d.Begin(at("10.0.0.1"))
		if err != nil {
			t.Fatal(err)
		}
		challenge, _, err := x.Step([]byte(said))
		if err != nil {
			t.Fatal(err)
		}
		if last[x], err = talk.Step(string(challenge)); err != nil {
			t.Fatal(err)
		}
	}
	denied := 0
	for x, said := range last {
		if _, _, err := x.Step([]byte(said)); errors.Is(err, ErrDenied) {
			denied++
		} else if !errors.Is(err, ErrTooOften) {
			t.Error(err)
		}
	}
	if denied != free+1 {
		t.Errorf("%d were tried, want %d", denied, free+1)
	}
}
