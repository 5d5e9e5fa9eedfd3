package integration

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// A found is what a search says.
type found struct {
	Hits []struct {
		ID string `json:"_id"`
	}
	Total, Scanned int
	Index          string
}

func search(t *testing.T, b *broker, query string) (f found, ids []string) {
	t.Helper()
	a := askHTTP(t, b, `{"controller":"document","action":"search","index":"fleet","collection":"trucks","size":1000,"body":{"query":`+query+`}}`)
	if a.Status != 200 || json.Unmarshal(a.Result, &f) != nil {
		t.Fatalf("%s is answered %d %s", query, a.Status, a.Result)
	}
	for _, h := range f.Hits {
		ids = append(ids, h.ID)
	}
	return f, ids
}

// The process is killed while clients write, with one index and with two, while
// they are built and later. Each time the check finds nothing, the new index comes to
// be used, and it finds what a look at all documents finds.
func TestIndexesSurviveKill(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "store")
	for cycle, settings := range []string{"", "index: [n]", "index: [pad, n]", "index: [pad]", "index: [pad, n]"} {
		b := startBroker(t, brokerOptions{dir: dir, config: `collections: [{name: fleet/trucks, ` + settings + `}]`})
		var acked [3]atomic.Int64
		for i := range acked {
			w := connect(t, b, connectOptions{})
			go w.writeNumbers(fmt.Sprint(i), &acked[i]) // until the broker is killed
		}
		for i := range acked {
			eventually(t, "each has written", func() bool { return acked[i].Load() > 200 })
		}
		mustAmbit(t, "check", "--data", dir)
		if strings.Contains(settings, "n]") {
			eventually(t, "the index is used", func() bool {
				f, _ := search(t, b, `{"equals":{"n":-1}}`)
				return f.Index == "n" && f.Scanned == 0
			})
		}
		b.kill()
		mustAmbit(t, "check", "--data", dir)
		t.Logf("cycle %d: killed after %d, %d and %d writes", cycle, acked[0].Load(), acked[1].Load(), acked[2].Load())
	}
	b := startBroker(t, brokerOptions{dir: dir, config: `collections: [{name: fleet/trucks, index: [n, pad]}]`})
	for _, query := range []string{`{"range":{"n":{"gt":190}}}`, `{"and":[{"range":{"n":{"gt":190}}},{"exists":"pad"}]}`, `{"prefix":{"pad":"00000"}}`} {
		by, ids := search(t, b, query)
		all, want := search(t, b, `{"or":[`+query+`,{"exists":"x"}]}`)
		if by.Index == "" || all.Index != "" || !slices.Equal(ids, want) || len(ids) == 0 {
			t.Errorf("%s finds %q by %q, and %q by %q", query, ids, by.Index, want, all.Index)
		}
	}
}
