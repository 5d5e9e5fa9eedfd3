package api

import (
	"strings"
	"testing"
)

func TestNoIndexesAreAnEmptyList(t *testing.T) {
	w := newWorld(t, Options{AutoCreate: true})
	if r := w.ask(`{"controller":"index","action":"list"}`); !strings.Contains(string(r.Body), `"result":{"indexes":[]}`) {
		t.Errorf("%s", r.Body)
	}
}
