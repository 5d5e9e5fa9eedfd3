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
