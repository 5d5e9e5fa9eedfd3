package integration

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkStartAfterKill measures from the start of a process to its first
// CONNACK, on a store whose process was killed, with so many documents and absent
// sessions, each in a room of its own. START_DOCUMENTS and START_SESSIONS say how
// many, and START_DIRECTORY where the store stays. Beside it stands what each takes in memory.
//
// Target: 5 s with 10 million documents and 100,000 sessions.
func BenchmarkStartAfterKill(b *testing.B) {
	documents, sessions := amount(b, "START_DOCUMENTS", 300_000), amount(b, "START_SESSIONS", 10_000)
	node := startBroker(b, brokerOptions{dir: os.Getenv("START_DIRECTORY")})
	addDocuments(b, node, documents)
	node.kill()
	node = node.restart(b)
	bare := residentNow(b, node)
	addSessions(b, node, sessions)
	var cpu float64
	for b.Loop() { // once, with all that is above
		b.StopTimer()
		node.kill()
		b.StartTimer()
		node = node.restart(b)
		connect(b, node, connectOptions{})
		cpu += cpuSeconds(b, node)
	}
	b.StopTimer()
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/start")
	b.ReportMetric(cpu/float64(b.N), "cpu-s/start")
	b.ReportMetric(float64(residentNow(b, node)-bare)/float64(sessions), "bytes/session")
	b.ReportMetric(float64(bare), "bytes-without-sessions")
	if got := len(strings.Split(node.log.String(), fmt.Sprintf(`"rooms":%d`, sessions))); got < 2 {
		b.Errorf("the broker does not have %d rooms:\n%s", sessions, node.log)
	}
}

func amount(b *testing.B, name string, otherwise int) int {
	b.Helper()
	n, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		return otherwise
	}
	return n
}

// cpuSeconds returns the time that a process has had of all processors.
func cpuSeconds(b *testing.B, node *broker) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", node.cmd.Process.Pid))
	if err != nil {
		b.Skip(err)
	}
	fields := strings.Fields(string(text))
	if len(fields) < 15 {
		b.Fatalf("/proc/PID/stat is %q", text)
	}
	user, err := strconv.ParseFloat(fields[13], 64)
	if err != nil {
		b.Fatal(err)
	}
	system, err := strconv.ParseFloat(fields[14], 64)
	if err != nil {
		b.Fatal(err)
	}
	return (user + system) / 100 // a second has 100 ticks on Linux
}

// addDocuments stores so many documents of 120 bytes.
func addDocuments(b *testing.B, node *broker, documents int) {
	b.Helper()
	const publishers = 8
	var running atomicGroup
	for p := range publishers {
		const topic = "fleet/trucks/00000000"
		l := newLoadOn(b, node, topic)
		l.vary = func(pub []byte, i int) {
			copy(pub[l.id-8:l.id], fmt.Sprintf("%08d", i*publishers+p))
		}
		running.Go(func() error { return l.publish(documents / publishers) })
	}
	if err := running.Wait(); err != nil {
		b.Fatal(err)
	}
}

// addSessions has so many clients subscribe to a room each, and leave.
func addSessions(b *testing.B, node *broker, sessions int) {
	b.Helper()
	const atOnce = 200
	var running atomicGroup
	for first := range atOnce {
		running.Go(func() error {
			for i := first; i < sessions; i += atOnce {
				conn, err := join(node, fmt.Sprintf("dash-%d", i))
				if err != nil {
					return err
				}
				topic := fmt.Sprintf(`fleet/trucks/?{"and":[{"range":{"speed":{"gt":%d}}},{"equals":{"driver":"D-%d"}}]}`, i%100, i)
				if _, err := conn.Write(subscribePacket(1, false, topic)); err != nil {
					return err
				}
				var suback [5]byte
				if _, err := conn.Read(suback[:]); err != nil {
					return err
				}
				if suback[4] != 1 {
					return fmt.Errorf("SUBACK % x", suback)
				}
				conn.Close()
			}
			return nil
		})
	}
	if err := running.Wait(); err != nil {
		b.Fatal(err)
	}
	eventually(b, "all sessions are absent", func() bool { return openSockets(b, node) < 20 })
}

// openSockets returns how many files the process has open that are sockets.
func openSockets(b *testing.B, node *broker) int {
	b.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", node.cmd.Process.Pid)
	files, err := os.ReadDir(dir)
	if err != nil {
		b.Skip(err)
	}
	sockets := 0
	for _, f := range files {
		if to, err := os.Readlink(dir + "/" + f.Name()); err == nil && strings.HasPrefix(to, "socket:") {
			sockets++
		}
	}
	return sockets
}

// residentNow returns the resident memory of a process a moment after it started.
func residentNow(t testing.TB, node *broker) int64 {
	t.Helper()
	connect(t, node, connectOptions{}).ping(t)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", node.cmd.Process.Pid))
	if err != nil {
		t.Skip(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	field, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	kib, err := strconv.ParseInt(field, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// BenchmarkRetainedMessages measures what a retained message of 120 bytes takes in
// memory, besides what the store caches of the disk.
func BenchmarkRetainedMessages(b *testing.B) {
	const messages = 200_000
	node := startBroker(b, brokerOptions{})
	before := residentNow(b, node)
	for b.Loop() {
		l := newLoadOn(b, node, "retained/a/b/00000000")
		l.pub[0] |= 1
		l.vary = func(pub []byte, i int) { copy(pub[l.id-8:l.id], fmt.Sprintf("%08d", i)) }
		if err := l.publish(messages); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	node.kill()
	node = node.restart(b)
	b.ReportMetric(float64(residentNow(b, node)-before)/messages, "bytes/message")
}
