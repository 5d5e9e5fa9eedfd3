package api

import (
	"bytes"
	"testing"
)

func TestACallerHasARate(t *testing.T) {
	w := newWorld(t, Options{AutoCreate: true, Rate: 3})
	ask := func(name string) int {
		return w.router.Serve(t.Context(), Caller{Name: name}, "server", "now", []byte("{}")).Status
	}
	for i := range 3 {
		if status := ask("a"); status != 200 {
			t.Fatalf("request %d: %d", i, status)
		}
	}
	refused := 0
	for range 100 { // in much less than the 33 s that they would need
		if ask("a") == 429 {
			refused++
		}
	}
	if refused < 50 {
		t.Errorf("%d of 100 requests too many were refused", refused)
	}
	if status := ask("b"); status != 200 {
		t.Errorf("another caller: %d", status)
	}
}

func TestWhoIsTooFastIsToldWhichRequestIsRefused(t *testing.T) {
	w := newWorld(t, Options{AutoCreate: true, Rate: 0.001})
	var r Response
	for range 2 {
		r = w.router.Serve(t.Context(), Caller{Name: "a"}, "", "", []byte(`{"requestId":"r1","controller":"server","action":"now","volatile":{"n":1}}`))
	}
	for _, want := range []string{`"requestId":"r1"`, `"action":"now"`, `"volatile":{"n":1}`} {
		if r.Status != 429 || !bytes.Contains(r.Body, []byte(want)) {
			t.Errorf("%d %s, want %s", r.Status, r.Body, want)
		}
	}
}
