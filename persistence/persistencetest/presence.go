package persistencetest

import "github.com/ambitmq/ambit/persistence"

func presences(f *fixture) {
	want := []persistence.Presence{
		{ClientID: ""},
		{ClientID: "a", User: "ada", Online: true, Passing: true, Since: at(1), Metadata: []byte(`{"type":"van"}`)},
		{ClientID: "a\x00", Since: at(1), Left: at(2), Why: "normal disconnection", HasCode: true},
		{ClientID: "b", Left: at(2), Why: "keep-alive timeout", Code: 0x8d, HasCode: true},
	}
	for _, p := range want {
		f.records(persistence.PutPresence(p))
	}
	f.equal("presences", all(f, f.Presences()), want)
	want[1].Online, want[1].Metadata = false, nil
	f.records(persistence.PutPresence(want[1]), persistence.DeletePresence("b"), persistence.DeletePresence("x"), persistence.DeleteSession("a"))
	f.restart()
	f.equal("presences", all(f, f.Presences()), want[:3])
}

func seats(f *fixture) {
	want := []persistence.Seat{
		{ClientID: "", Hash: "", Since: at(1)},
		{ClientID: "a", Hash: "1", Index: "fleet", Collection: "trucks", Since: at(1), Volatile: []byte(`{"by":"a"}`)},
		{ClientID: "a", Hash: "2", Index: "fleet", Collection: "vans", Since: at(2)},
		{ClientID: "a\x00", Hash: "1", Index: "fleet", Collection: "trucks", Since: at(3)},
	}
	for _, s := range want {
		f.records(persistence.PutSeat(s))
	}
	f.equal("seats", all(f, f.Seats()), want)
	want[1].Volatile = nil
	f.records(persistence.PutSeat(want[1]), persistence.DeleteSeat("a", "2"), persistence.DeleteSeat("x", "1"), persistence.DeleteSession("a"))
	f.restart()
	f.equal("seats", all(f, f.Seats()), append(want[:2:2], want[3]))
}
