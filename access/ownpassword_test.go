package access

import (
	"errors"
	"os"
	"testing"
)

// Two who write the file at the same time both have written it.
func TestNobodyWritesOverWhatSomebodyElseWrites(t *testing.T) {
	_, path := load(t, "anna:-\nbert:-\n")
	times := 0
	err := edit(path, "anna", func(u *User) error {
		if times++; times == 1 {
			if err := Set(path, "bert", func(u *User) { u.Roles = []string{"night"} }); err != nil {
				return err
			}
		}
		u.Roles = []string{"day"}
		return nil
	})
	text, readErr := os.ReadFile(path)
	if want := "anna:- {\"roles\":[\"day\"]}\nbert:- {\"roles\":[\"night\"]}\n"; err != nil || readErr != nil || string(text) != want || times != 2 {
		t.Errorf("%v, %v: %s, written %d times", err, readErr, text, times)
	}
}

// A password is set by who has shown the one that holds, and makes nobody a user again.
func TestAPasswordIsSetByItsUser(t *testing.T) {
	users, path := load(t, "anna:"+argonOf(t, "pencil").String()+"\n")
	d := open(t, users, newDrawer(), nil)
	who, err := d.SignIn(nil, "anna", "pencil")
	if err != nil {
		t.Fatal(err)
	}
	if err := Set(path, "anna", func(u *User) { u.Verifier = argonOf(t, "eraser") }); err != nil {
		t.Fatal(err)
	}
	if err := d.SetPassword(who, nil, nil, "crayon"); !errors.Is(err, ErrRevoked) {
		t.Errorf("by who has shown another password: %v", err)
	}
	if who, err = d.SignIn(nil, "anna", "eraser"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("bert:-\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.SetPassword(who, nil, nil, "crayon"); !errors.Is(err, ErrRevoked) {
		t.Errorf("by who is gone: %v", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "bert:-\n" {
		t.Errorf("%v: %s", err, text)
	}
}
