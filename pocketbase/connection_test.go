package pocketbase

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestAStreamEndsWhenNothingIsToldForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		c := &connection{Server: New(nil, Options{}), wrote: make(chan struct{}, 1), ended: make(chan struct{})}
		go func() {
			time.Sleep(4 * time.Minute)
			c.wrote <- struct{}{}
		}()
		c.stay(t.Context())
		if stayed := time.Since(begun); stayed != 9*time.Minute {
			t.Errorf("it stayed for %v", stayed)
		}
	})
}

func TestFieldsLeaveOutTheRest(t *testing.T) {
	const record = `{"id":"1","a":{"b":1,"c":{"d":2}},"list":[{"x":1}],"e":null}`
	for list, want := range map[string]string{
		"":             record,
		"*":            record,
		"id":           `{"id":"1"}`,
		"a.b, a.c.d,e": `{"a":{"b":1,"c":{"d":2}},"e":null}`,
		"a,a.b":        `{"a":{"b":1,"c":{"d":2}}}`,
		"list.x,id.y":  `{}`,
	} {
		f, err := readFields(list)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(f.of([]byte(record))); got != want {
			t.Errorf("%s of it is %s, want %s", list, got, want)
		}
	}
}

func TestACollectionHasAnIndex(t *testing.T) {
	for _, tt := range []struct{ setting, name, index, collection, called string }{
		{"", "fleet.trucks", "fleet", "trucks", "fleet.trucks"},
		{"fleet", "trucks", "fleet", "trucks", "trucks"},
		{"fleet", "fleet.trucks", "fleet", "trucks", "trucks"},
		{"fleet", "sea.ships", "sea", "ships", "sea.ships"},
		{"fleet", "fleet.a.b", "fleet", "a.b", "fleet.a.b"},
		{"", "trucks", "", "", ""},
		{"fleet", ".x", "", "", ""},
	} {
		s := New(nil, Options{Index: tt.setting})
		index, collection, err := s.collection(tt.name)
		if index != tt.index || collection != tt.collection || (err != nil) != (tt.index == "") {
			t.Errorf("%s is %s/%s (%v)", tt.name, index, collection, err)
		}
		if err == nil && s.nameOf(index, collection) != tt.called {
			t.Errorf("%s is called %s", tt.name, s.nameOf(index, collection))
		}
	}
}
