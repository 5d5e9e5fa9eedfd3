package persistence

import (
	"errors"
	"fmt"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// logged returns the sequence numbers after a number that the log still has.
func logged(t *testing.T, changes func(uint64) iter.Seq2[*Change, error], after uint64) (first, last uint64) {
	t.Helper()
	for c, err := range changes(after) {
		if err != nil {
			t.Fatal(err)
		}
		if first == 0 {
			first = c.Seq
		}
		if last != 0 && c.Seq != last+1 {
			t.Fatalf("change %d follows change %d", c.Seq, last)
		}
		last = c.Seq
	}
	return first, last
}

func TestTheChangeLogKeepsItsSize(t *testing.T) {
	t.Parallel()
	const limit, changes = 64 << 10, 2000
	fs := vfs.NewMem()
	s, stop := open(t, "data", Options{FS: fs, LogBytes: limit})
	put(t, s, "1", "{}")
	early := s.Snapshot()
	for i := range changes - 1 {
		put(t, s, fmt.Sprint(i%10), fmt.Sprintf("%0200d", i))
	}
	if _, last := logged(t, early.Changes, 0); last != 1 {
		t.Errorf("the snapshot from before the trimming ends with change %d, want 1", last)
	}
	early.Close()
	for c, err := range s.Changes(0) {
		if !errors.Is(err, ErrTrimmed) {
			t.Errorf("changes from the beginning: got %v, %v, want ErrTrimmed", c, err)
		}
	}
	stop()

	s, stop = open(t, "data", Options{FS: fs, LogBytes: limit})
	defer stop()
	log, err := loadChangeLog(s.db, s.opts)
	if err != nil {
		t.Fatal(err)
	}
	if first, last := logged(t, s.Changes, log.trimmed); first != log.trimmed+1 || last != changes {
		t.Errorf("the log has changes %d to %d, want %d to %d", first, last, log.trimmed+1, changes)
	}
	stored := storedBytes(t, s.db)
	if stored != log.bytes {
		t.Errorf("the log takes %d bytes and thinks it takes %d", stored, log.bytes)
	}
	if stored > limit || stored < limit*9/10 {
		t.Errorf("the log takes %d bytes, want a little less than %d", stored, limit)
	}
	if got := put(t, s, "1", "{}").Seq; got != changes+1 {
		t.Errorf("the next change has seq %d, want %d", got, changes+1)
	}
}

// storedBytes is what the changes of a database take.
func storedBytes(t *testing.T, db *pebble.DB) int64 {
	t.Helper()
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte{spaceChanges}, UpperBound: spaceEnd(spaceChanges)})
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		n += len(it.Key()) + len(it.Value())
	}
	return int64(n)
}

func TestTheChangeLogForgetsWhatIsOld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewMem()
		options := Options{FS: fs, LogAge: time.Hour}
		s, stop := open(t, "data", options)
		for range 6 { // changes 1 to 6, at minutes 0 to 50
			put(t, s, "1", "{}")
			time.Sleep(10 * time.Minute)
		}
		time.Sleep(5 * time.Minute) // minute 65
		synctest.Wait()
		if first, last := logged(t, s.Changes, 1); first != 2 || last != 6 {
			t.Errorf("after 65 minutes: changes %d to %d, want 2 to 6", first, last)
		}
		for _, err := range s.Changes(0) {
			if !errors.Is(err, ErrTrimmed) {
				t.Errorf("after 65 minutes: got %v, want ErrTrimmed", err)
			}
		}
		stop()
		s, stop = open(t, "data", options)
		time.Sleep(30 * time.Minute) // minute 95
		synctest.Wait()
		if first, last := logged(t, s.Changes, 4); first != 5 || last != 6 {
			t.Errorf("after 95 minutes: changes %d to %d, want 5 to 6", first, last)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := storedBytes(t, s.db); got != 0 {
			t.Errorf("after more than an hour without changes the log takes %d bytes, want 0", got)
		}
		stop()
		s, stop = open(t, "data", options)
		defer stop()
		r := put(t, s, "1", "{}")
		if r.Seq != 7 || r.Change.After.Version != 7 {
			t.Errorf("after the whole log was trimmed: seq %d and version %d, want 7 and 7", r.Seq, r.Change.After.Version)
		}
	})
}

func TestTheChangeLogShrinksToASmallerSize(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s, stop := open(t, "data", Options{FS: fs, LogBytes: 64 << 10})
	for i := range 300 {
		put(t, s, "1", fmt.Sprintf("%0200d", i))
	}
	stop()
	s, stop = open(t, "data", Options{FS: fs, LogBytes: 4 << 10})
	defer stop()
	put(t, s, "1", "{}")
	if got := storedBytes(t, s.db); got > 4<<10 {
		t.Errorf("the log takes %d bytes, want at most %d", got, 4<<10)
	}
}
