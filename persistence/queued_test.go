package persistence

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// A message that waits for several sessions is deleted with the last of them,
// also when the store was opened again in between.
func TestASharedMessageIsDeletedWithItsLastQueue(t *testing.T) {
	fs := vfs.NewMem()
	s, stop := open(t, "store", Options{FS: fs})
	recipients := []Recipient{{ClientID: "a", Life: 1}, {ClientID: "b", Life: 1}, {ClientID: "c", Life: 1}}
	number := do(t, s, &Op{Queue: &Queue{Message: &Message{Topic: "t"}, Recipients: recipients}}).Queued
	do(t, s, &Op{Records: []Record{Dequeue(number, recipients[0])}})
	stop()
	s = openTest(t, "store", Options{FS: fs})
	for i, leave := range []Record{DeleteQueue("b", 1), DeleteSession("c")} {
		if n := bodies(t, s); n != 1 {
			t.Errorf("%d messages are stored while %d sessions wait for one", n, 2-i)
		}
		do(t, s, &Op{Records: []Record{leave, DeleteQueue("c", 2)}})
		do(t, s, &Op{Records: []Record{DeleteQueue("b", 1)}}) // there is nothing any more
	}
	if n := bodies(t, s); n != 0 {
		t.Errorf("%d messages are stored that nobody waits for", n)
	}
}

func bodies(t *testing.T, s *Store) int {
	t.Helper()
	keys, err := keysBetween(s.db, []byte{spaceBodies}, spaceEnd(spaceBodies))
	if err != nil {
		t.Fatal(err)
	}
	return len(keys)
}

// On a disk that is almost full nothing more is queued, but what is there can go
// out.
func TestFlightsAreWrittenThoughTheDiskIsAlmostFull(t *testing.T) {
	for _, tt := range []struct {
		name string
		op   Op
		want bool
	}{
		{"a message that waits", Op{Queue: &Queue{Message: &Message{}}}, true},
		{"a message that was received", Op{Records: []Record{PutReceived(Received{})}}, true},
		{"a message on its way", Op{Records: []Record{PutFlight(Flight{})}}, false},
		{"the end of the waiting", Op{Records: []Record{Dequeue(1, Recipient{})}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.op.putsAnything(); got != tt.want {
				t.Errorf("it makes the store grow: %v, want %v", got, tt.want)
			}
		})
	}
}
