package sessions_test

import (
	"fmt"
	"testing"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/sessions"
)

// BenchmarkWaiting publishes a message at QoS 1 to 10,000 absent sessions, of which some
// subscribe at QoS 1, so that it waits for them. Nobody else may pay for those.
func BenchmarkWaiting(b *testing.B) {
	const total = 10_000
	for _, waiters := range []int{1, total} {
		b.Run(fmt.Sprint(waiters), func(b *testing.B) {
			engine, store := startBench(b)
			var records []persistence.Record
			for i := range total {
				s := persistence.Subscription{ClientID: fmt.Sprint("dash", i), TopicFilter: "home/lamp"}
				if i >= total-waiters {
					s.QoS = 1
				}
				records = append(records, persistence.PutSubscription(s), persistence.PutSession(persistence.Session{
					ClientID: s.ClientID, ProtocolVersion: 5, ExpirySeconds: persistence.NeverExpires, Life: 1,
				}))
			}
			done := make(chan struct{})
			wait := &persistence.Op{Records: records, Applied: func(*persistence.Result) { done <- struct{}{} }}
			if err := store.Append(b.Context(), wait); err != nil {
				b.Fatal(err)
			}
			<-done
			if err := engine.Restore(); err != nil {
				b.Fatal(err)
			}
			wait = &persistence.Op{Applied: wait.Applied}
			for b.Loop() {
				if err := engine.Publish(&sessions.Message{Topic: "home/lamp", Payload: []byte("on"), QoS: 1}); err != nil {
					b.Fatal(err)
				}
				if err := store.Append(b.Context(), wait); err != nil {
					b.Fatal(err)
				}
				<-done
			}
		})
	}
}
