package integration

import (
	"bytes"
	"fmt"
	"testing"
	"time"
)

// BenchmarkRoomMembers has documents change that one room holds, and counts the
// notifications that its members read. It says what each costs the broker.
//
// Target: a microsecond for each of 10,000 members.
func BenchmarkRoomMembers(b *testing.B) {
	for _, members := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprintf("members=%d", members), func(b *testing.B) {
			process := startBroker(b, brokerOptions{config: "limits: {queue_bytes: 64MiB}"})
			var receivers atomicGroup
			changes := max(b.N/members, 1)
			for range members {
				w := connect(b, process, connectOptions{})
				w.send(b, lossySubscription(`fleet/trucks/?{"range":{"speed":{"gte":50}}}`))
				w.await(b, typeSuback)
				if err := w.SetReadDeadline(time.Time{}); err != nil {
					b.Fatal(err)
				}
				receivers.Go(func() error {
					for range changes {
						if _, err := readPacket(w.in); err != nil {
							return err
						}
					}
					return nil
				})
			}
			l := newLoad(b, process, 1)
			before := cpuSeconds(b, process)
			b.ResetTimer()
			if err := l.publish(changes); err != nil {
				b.Fatal(err)
			}
			if err := receivers.Wait(); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			told := float64(changes * members)
			b.ReportMetric(told/b.Elapsed().Seconds(), "notifications/s")
			b.ReportMetric((cpuSeconds(b, process)-before)*1e6/told, "cpu-µs/notification")
		})
	}
}

// lossySubscription is a SUBSCRIBE at QoS 0, so that nothing has to be acknowledged.
func lossySubscription(topicFilter string) []byte {
	p := subscribePacket(1, false, topicFilter)
	p[len(p)-1] = 0
	return p
}

// BenchmarkSnapshot has one subscriber join a scope of 100,000 documents, and read
// all of them up to $synced.
//
// Target: 1 s.
func BenchmarkSnapshot(b *testing.B) {
	const documents = 100_000
	process := startBroker(b, brokerOptions{})
	l := newLoadOn(b, process, "fleet/trucks/000000")
	id := bytes.Index(l.pub, []byte("000000"))
	l.vary = func(pub []byte, i int) { copy(pub[id:], fmt.Sprintf("%06d", i)) }
	if err := l.publish(documents); err != nil {
		b.Fatal(err)
	}
	before := cpuSeconds(b, process)
	for b.Loop() {
		w := connect(b, process, connectOptions{})
		w.send(b, lossySubscription(`$scope/fleet/trucks/?{"range":{"speed":{"gte":50}}}/#`))
		for n := 0; ; n++ {
			p, err := readPacket(w.in)
			if err != nil {
				b.Fatal(err)
			}
			if bytes.Contains(p.body[:min(len(p.body), 100)], []byte("/$synced")) {
				if n != documents+1 {
					b.Fatalf("%d packets, want a SUBACK and %d documents", n, documents)
				}
				break
			}
		}
		w.Close()
	}
	b.ReportMetric((cpuSeconds(b, process)-before)*1e6/float64(b.N*documents), "cpu-µs/document")
}
