package integration

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// A kind of member joins the room of what is fast, and returns what reads one notification.
type memberKind struct {
	name string
	join func(b *testing.B, process *broker) (read func() error)
}

// memberKinds are the protocols by which a room is told.
var memberKinds = []memberKind{
	{"mqtt", joinByMQTT},
	{"kuzzle", joinByKuzzle},
	{"sse", joinByEvents},
	{"pocketbase", joinByPocketBase},
	{"socketio", joinBySocketIO},
}

func joinByMQTT(b *testing.B, process *broker) func() error {
	b.Helper()
	w := connect(b, process, connectOptions{})
	w.send(b, lossySubscription(`fleet/trucks/?{"range":{"speed":{"gte":50}}}`))
	w.await(b, typeSuback)
	if err := w.SetReadDeadline(time.Time{}); err != nil {
		b.Fatal(err)
	}
	return func() error {
		_, err := readPacket(w.in)
		return err
	}
}

func joinByKuzzle(b *testing.B, process *broker) func() error {
	b.Helper()
	ws := dialWebSocket(b, "ws://"+process.http+"/")
	writeText(b, ws, `{"controller":"realtime","action":"subscribe","index":"fleet","collection":"trucks","body":{"range":{"speed":{"gte":50}}}}`)
	read := func() error {
		_, _, err := ws.Read(context.Background()) // ends with the connection
		return err
	}
	if err := read(); err != nil {
		b.Fatal(err)
	}
	return read
}

func joinBySocketIO(b *testing.B, process *broker) func() error {
	b.Helper()
	ws := dialWebSocket(b, "ws://"+process.http+"/socket.io/?EIO=4&transport=websocket")
	await := func(prefix string) error {
		for {
			_, text, err := ws.Read(context.Background())
			if err != nil || strings.HasPrefix(string(text), prefix) {
				return err
			}
			if string(text) == "2" { // a ping
				writeText(b, ws, "3")
			}
		}
	}
	for _, step := range [][2]string{
		{"0", "40"}, {"40", `420["join",{"channel":"fleet/trucks/?{\"range\":{\"speed\":{\"gte\":50}}}"}]`}, {"430", "3"},
	} {
		if err := await(step[0]); err != nil {
			b.Fatal(err)
		}
		writeText(b, ws, step[1])
	}
	return func() error { return await("42") }
}

func dialWebSocket(b *testing.B, url string) *websocket.Conn {
	b.Helper()
	ws, _, err := websocket.Dial(b.Context(), url, nil) //nolint:bodyclose // the library does
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = ws.CloseNow() })
	return ws
}

func writeText(b *testing.B, ws *websocket.Conn, text string) {
	b.Helper()
	if err := ws.Write(context.Background(), websocket.MessageText, []byte(text)); err != nil {
		b.Error(err)
	}
}

func joinByEvents(b *testing.B, process *broker) func() error {
	b.Helper()
	return readStream(openRaw(b, process, "/api/rooms/fleet/trucks?filter=%7B%22range%22:%7B%22speed%22:%7B%22gte%22:50%7D%7D%7D"))
}

func joinByPocketBase(b *testing.B, process *broker) func() error {
	b.Helper()
	s := openRaw(b, process, "/api/realtime")
	if err := s.subscribe(process, "fleet.trucks/*?options="+`%7B%22query%22:%7B%22filter%22:%22speed%20%3E%3D%2050%22%7D%7D`); err != nil {
		b.Fatal(err)
	}
	return readStream(s)
}

func readStream(s *rawStream) func() error {
	return func() error {
		_, err := s.next()
		return err
	}
}

// BenchmarkMembersOfEachKind has documents change that one room holds, whose members are told by
// one protocol, or by all of them at once. It says what a notification costs the broker beyond
// what the change does without anybody in the room, and in how many rooms they are: the filter is
// matched once for each.
func BenchmarkMembersOfEachKind(b *testing.B) {
	all := memberKind{name: "all"}
	for _, kind := range append(memberKinds, all) {
		for _, members := range []int{1, 1000} {
			if members == 1 && kind.join == nil {
				continue
			}
			b.Run(fmt.Sprintf("%s/members=%d", kind.name, members), func(b *testing.B) {
				benchmarkMembers(b, kind, members)
			})
		}
	}
}

func benchmarkMembers(b *testing.B, kind memberKind, members int) {
	b.Helper()
	process := startBroker(b, brokerOptions{config: "limits: {queue_bytes: 64MiB}"})
	l := newLoad(b, process, 1)
	const idle = 2000
	before := cpuSeconds(b, process)
	if err := l.publish(idle); err != nil {
		b.Fatal(err)
	}
	change := (cpuSeconds(b, process) - before) / idle
	var receivers atomicGroup
	changes := max(b.N/members, 1)
	told := 0
	for i := range members {
		kinds := []memberKind{kind}
		if kind.join == nil {
			kinds = memberKinds[i%len(memberKinds):][:1]
		}
		for _, k := range kinds {
			read := k.join(b, process)
			told += changes
			receivers.Go(func() error {
				for range changes {
					if err := read(); err != nil {
						return fmt.Errorf("%s: %w", k.name, err)
					}
				}
				return nil
			})
		}
	}
	before = cpuSeconds(b, process)
	b.ResetTimer()
	if err := l.publish(changes); err != nil {
		b.Fatal(err)
	}
	if err := receivers.Wait(); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	spent := cpuSeconds(b, process) - before - change*float64(changes)
	b.ReportMetric(float64(told)/b.Elapsed().Seconds(), "notifications/s")
	b.ReportMetric(spent*1e6/float64(told), "cpu-µs/notification")
	b.ReportMetric(figure(b, process, "ambit_rooms"), "rooms")
}

// figure returns a metric without labels of a broker.
func figure(b *testing.B, process *broker, name string) float64 {
	b.Helper()
	r, err := http.Get("http://" + process.http + "/metrics")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }() // it was read
	lines := bufio.NewScanner(r.Body)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			n, err := strconv.ParseFloat(text, 64)
			if err != nil {
				b.Fatal(err)
			}
			return n
		}
	}
	b.Fatalf("there is no metric %s", name)
	return 0
}
