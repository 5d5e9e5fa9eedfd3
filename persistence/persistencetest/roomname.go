package persistencetest

import (
	"time"

	"github.com/ambitmq/ambit/persistence"
)

func roomNames(f *fixture) {
	at := time.Date(2026, 5, 4, 3, 2, 1, 9, time.UTC)
	want := []persistence.RoomName{
		{Index: "fleet", Collection: "trucks", Name: "depot", Filter: []byte("{}"), User: "ada", Time: at},
		{Index: "fleet", Collection: "trucks", Name: "yard", Filter: []byte(`{"exists":"a"}`), Time: at},
		{Index: "fleet", Collection: "trucks\x00", Name: "a", Filter: []byte("{}"), Time: at},
	}
	older := want[0]
	older.Filter, older.User = []byte(`{"exists":"b"}`), "bob"
	f.records(persistence.PutRoomName(older))
	for _, n := range want {
		f.records(persistence.PutRoomName(n))
	}
	f.equal("names of rooms", all(f, f.RoomNames()), want)
	f.records(persistence.DeleteRoomName(want[1]), persistence.DeleteRoomName(persistence.RoomName{Index: "other"}))
	f.restart()
	f.equal("names of rooms", all(f, f.RoomNames()), []persistence.RoomName{want[0], want[2]})
}
