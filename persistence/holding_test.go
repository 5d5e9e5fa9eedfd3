package persistence

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// holdingsAgree says whether what is counted of users on disk is what there is.
func holdingsAgree(s *Store, documents map[Key]*Document) error {
	want := map[string]Holding{}
	for _, d := range documents {
		if _, err := s.memory.Load().document(appendDocumentKey(nil, d.Key)); err == nil {
			continue
		}
		want[d.Author] = want[d.Author].plus(holdingOf(d), 1)
	}
	keys, err := keysBetween(s.db, []byte{spaceHoldings}, spaceEnd(spaceHoldings))
	if err != nil {
		return err
	}
	got := map[string]Holding{}
	for _, key := range keys {
		value, err := getValue(s.db, key)
		if err != nil {
			return err
		}
		if got[string(key[1:])], err = decodeHolding(value); err != nil {
			return err
		}
	}
	if !maps.Equal(got, want) {
		return fmt.Errorf("users keep %v, and %v is counted", want, got)
	}
	return nil
}

// writeAs writes a document as a user, and returns why it is refused.
func writeAs(t *testing.T, s *Store, user, id, body string, ephemeral bool) error {
	t.Helper()
	w := &Write{Key: Key{"f", "t", id}, Time: time.Unix(1, 0), Origin: Origin{User: user}, Ephemeral: ephemeral}
	if body != "" {
		w.Body = []byte(body)
	}
	done := make(chan error, 1)
	if err := s.Append(t.Context(), &Op{Write: w, Committed: func(r *Result) { done <- r.Err }}); err != nil {
		t.Fatal(err)
	}
	return <-done
}

func TestAUserKeepsNoMoreThanItMay(t *testing.T) {
	t.Parallel()
	refused := 0
	s := openTest(t, "store", Options{FS: vfs.NewMem(), PerUser: Holding{Documents: 2, Bytes: 20}, Refused: func() { refused++ }})
	for _, tt := range []struct {
		name, user, id, body string
		ephemeral            bool
		what                 string // is the limit
	}{
		{"one", "anna", "1", "{}", false, ""},
		{"two", "anna", "2", "{}", false, ""},
		{"three", "anna", "3", "{}", false, "documents"},
		{"another user", "bert", "3", "{}", false, ""},
		{"who did not sign in", "", "4", "{}", false, ""},
		{"in memory", "anna", "5", "{}", true, ""},
		{"in memory, and then on disk", "anna", "5", "{}", false, "documents"},
		{"up to the last byte", "anna", "1", `{"a":12345}`, false, ""}, // 14 + 5 bytes
		{"and more", "anna", "2", `{ } `, false, "bytes"},
		{"of her documents by somebody else", "bert", "2", `{ } `, false, "bytes"},
		{"less", "bert", "1", `{"a":1}`, false, ""},
		{"and then more", "anna", "2", `{ } `, false, ""},
		{"one is deleted", "bert", "1", "", false, ""},
		{"and another one made", "anna", "6", "{}", false, ""},
	} {
		err := writeAs(t, s, tt.user, tt.id, tt.body, tt.ephemeral)
		var quota *QuotaError
		if errors.As(err, &quota) != (tt.what != "") || quota != nil && quota.What != tt.what || quota == nil && err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if refused != 4 {
		t.Errorf("%d were refused", refused)
	}
	if _, err := consistent(s); err != nil && !strings.Contains(err.Error(), "change") {
		t.Error(err)
	}
}

// Whatever is written, by whom and how often the store is opened again: what is counted is
// what there is, also where nobody had counted it.
func TestWhatUsersKeepIsCountedRight(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	random := rand.New(rand.NewPCG(3, 4))
	for round := range 6 {
		s, stop := open(t, "store", Options{FS: fs})
		for range 200 {
			user, id := fmt.Sprint("user", random.IntN(4)), fmt.Sprint(random.IntN(30))
			body := ""
			if random.IntN(3) > 0 {
				body = `{"a":"` + strings.Repeat("x", random.IntN(20)) + `"}`
			}
			if err := writeAs(t, s, user, id, body, random.IntN(5) == 0); err != nil {
				t.Fatal(err)
			}
		}
		documents, _, err := contents(s)
		if err == nil {
			err = holdingsAgree(s, documents)
		}
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if r, err := s.Check(t.Context()); err != nil || len(r.Faults) > 0 {
			t.Errorf("round %d: %v, %q", round, err, r.Faults)
		}
		if round%2 == 1 { // as a version that did not count
			b := s.db.NewBatch()
			batchDelete(b, metaHoldings())
			keys, err := keysBetween(s.db, []byte{spaceHoldings}, spaceEnd(spaceHoldings))
			if err != nil {
				t.Fatal(err)
			}
			for _, key := range keys {
				batchDelete(b, key)
			}
			if err := b.Commit(pebble.Sync); err != nil {
				t.Fatal(err)
			}
		}
		stop()
	}
}
