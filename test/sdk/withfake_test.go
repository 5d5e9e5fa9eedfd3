package sdk

import (
	"testing"

	ambit "github.com/ambitmq/ambit/client"
)

// withFake has a test of a fake broker done by a client of each language.
func withFake(t *testing.T, test func(t *testing.T, f *fake, c client)) {
	t.Helper()
	t.Run("Go", func(t *testing.T) {
		f, c := startFake(t), newGoClient()
		var err error
		c.a, err = ambit.Connect(t.Context(), ambit.Options{Broker: f.url(), ReconnectWait: reconnectWait}, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.close)
		test(t, f, c)
	})
	t.Run("Node", func(t *testing.T) {
		build(t)
		f := startFake(t)
		c := startJS(t, "5").open(t, f.url(), "")
		t.Cleanup(c.close)
		test(t, f, c)
	})
}

// background has a client do something, and returns what waits for the end of that.
func background(t *testing.T, c client, s step) (wait func()) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		_, err := c.do(s)
		done <- err
	}()
	return func() {
		t.Helper()
		if err := receive(t, done); err != nil {
			t.Error(err)
		}
	}
}

const room = `fleet/trucks/?{}`

func page(total, seq int, cursor string, ids ...string) map[string]any {
	hits := []any{}
	for _, id := range ids {
		hits = append(hits, map[string]any{"_id": id, "_source": map[string]any{}})
	}
	p := map[string]any{"hits": hits, "total": total, "seq": seq, "partial": false}
	if cursor != "" {
		p["cursor"] = cursor
	}
	return p
}

// entered is what a room tells of a document that comes into its scope.
func entered(seq int, id string) map[string]any {
	result := map[string]any{"_id": id, "_source": map[string]any{}}
	return map[string]any{"type": "document", "transition": "enter", "seq": seq, "result": result}
}

// observes has a client observe a search, of which a first page is read, and returns the topic
// filter of its room.
func observes(t *testing.T, f *fake, c client, first map[string]any) string {
	t.Helper()
	started := background(t, c, step{Observe: "o", Search: map[string]any{}, Size: 1})
	f.answer(f.asked(), map[string]any{"roomId": "r", "channel": room, "seq": 1})
	topic := f.grant()
	f.answer(f.asked(), first)
	started()
	return topic
}
