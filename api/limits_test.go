package api

import (
	"bytes"
	"strings"
	"testing"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/limits"
)

func TestALimitOfJSONIsCounted(t *testing.T) {
	counts := new(limits.Counts)
	w := newWorld(t, Options{AutoCreate: true, Door: &access.Door{Counts: counts}})
	for i, tt := range []struct{ text, want string }{
		{`{"controller":"document","action":"create","index":"a","collection":"b","body":{"n":1e99999}}`, `the limit of digits, 1000, is exceeded at \"body.n\"`},
		{`{"controller":"server","action":"now","volatile":{"n":` + strings.Repeat("1", 2000) + `}}`, `the limit of digits, 1000, is exceeded at \"volatile.n\"`},
		{
			`{"controller":"document","action":"create","index":"a","collection":"b","body":{"a":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}}`,
			`the limit of depth, 32, is exceeded`,
		},
	} {
		if r := w.ask(tt.text); r.Status != 400 || !bytes.Contains(r.Body, []byte(tt.want)) || counts.Of(limits.JSON) != int64(i+1) {
			t.Errorf("%s\n%d %s, counted %d", tt.text, r.Status, r.Body, counts.Of(limits.JSON))
		}
	}
}
