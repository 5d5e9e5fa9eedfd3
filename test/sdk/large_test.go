package sdk

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// An answer has 4 MiB of documents at most: to read these takes two.
func TestManyLargeDocumentsAreObserved(t *testing.T) {
	test := func(t *testing.T, dial dialer) {
		t.Helper()
		p := newPlay(t, startBroker(t, ""), dial)
		var ids []string
		for i := range 20 {
			ids = append(ids, fmt.Sprint(i))
			body := json.RawMessage(`{"text":"` + strings.Repeat("x", 250_000) + `"}`)
			if err := p.write(map[string]json.RawMessage{ids[i]: body}); err != nil {
				t.Fatal(err)
			}
		}
		do(t, p.client(""), step{Observe: "o", MGet: ids})
		if s, ok := p.client("").board().await("o", func(s state) bool { return len(s.Hits) == len(ids) }); !ok {
			t.Errorf("of %d documents %d are there", len(ids), len(s.Hits))
		}
	}
	t.Run("Go", func(t *testing.T) { test(t, dialGo) })
	t.Run("Node", func(t *testing.T) {
		build(t)
		test(t, startJS(t, "5").dialer(func(b *broker) string { return "mqtt://" + b.mqtt.address() }))
	})
}
