package persistence

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// A collection whose documents went from the disk into memory and back is whole, and so
// is the index of what expires, until something is missing.
func TestTheCheckKnowsWhatExpiresAndWhatIsEphemeral(t *testing.T) {
	t.Parallel()
	s := openTest(t, "data", Options{FS: vfs.NewMem()})
	never := time.Unix(1<<33, 0)
	putExpiring(t, s, "1", never)
	putRetained(t, s, "lamp", never)
	for _, ephemerally := range []bool{false, true, true, false, true} {
		w := ephemeral("live", "1", "{}")
		w.Ephemeral = ephemerally
		do(t, s, &Op{Write: w})
	}
	check := func(want ...string) {
		t.Helper()
		r, err := s.Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if slices.Sort(r.Faults); !slices.Equal(r.Faults, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(r.Faults, "\n"), strings.Join(want, "\n"))
		}
	}
	check()
	truck := appendDocumentKey(nil, Key{"fleet", "trucks", "1"})
	for _, key := range [][]byte{expiryKey(1<<33, truck), expiryKey(1<<33, nameKey(spaceRetained, "lamp")), metaRetained()} {
		if err := s.db.Delete(key, pebble.Sync); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range [][]byte{expiryKey(1<<33+1, truck), expiryKey(1<<33, nameKey(spaceRetained, "other"))} {
		if err := s.db.Set(key, []byte{valueFormat}, pebble.Sync); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.db.Set(metaRetained(), []byte{valueFormat, 2}, pebble.Sync); err != nil {
		t.Fatal(err)
	}
	check(
		`"dfleet\x00\x01trucks\x00\x011" expires, and is not in the index of what does`,
		`"dfleet\x00\x01trucks\x00\x011" is in the index of what expires, and does not then`,
		`"rlamp" expires, and is not in the index of what does`,
		`"rother" is in the index of what expires, and does not then`,
		"there are 1 retained messages, and were counted 2",
	)
}
