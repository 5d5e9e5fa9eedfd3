package integration

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The process is killed in the middle of a replay, again and again, on one
// store. Each time, every row that was acknowledged is there afterwards, and
// the members of a scope are the documents that match it, no other.
func TestWhatWasAcknowledgedSurvivesKill(t *testing.T) {
	needFile(t, traces)
	cycles := 6
	if testing.Short() {
		cycles = 2
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	dir := filepath.Join(t.TempDir(), "store")
	acked := map[string]map[string]int64{} // by collection, then taxi: the time of its last acknowledged row
	for cycle := range cycles {
		b := startBroker(t, brokerOptions{dir: dir})
		for collection := range acked {
			checkAcknowledged(t, b, collection, acked[collection])
		}
		collection := fmt.Sprintf("sf/taxis-%d", cycle)
		acked[collection] = replayAndKill(t, b, collection, 500+random.IntN(10_000))
	}
	b := startBroker(t, brokerOptions{dir: dir})
	for collection := range acked {
		checkAcknowledged(t, b, collection, acked[collection])
		checkScope(t, b, collection)
	}
	mustAmbit(t, "check", "--data", dir)
}

// replayAndKill replays the traces, kills the broker when a subscriber has seen
// so many messages, and returns the time of each taxi's last acknowledged row.
func replayAndKill(t *testing.T, b *broker, collection string, messages int) map[string]int64 {
	t.Helper()
	watcher := connect(t, b, connectOptions{v5: true})
	watcher.granted(t, collection+"/?{}&payload=none")
	file := filepath.Join(t.TempDir(), "acked")
	done := make(chan error, 1)
	go func() { done <- replay(b, collection+"/{taxi}", "--acked", file, "--connections", "4") }()
	for range messages {
		watcher.message(t)
	}
	b.kill()
	if err := <-done; err == nil {
		t.Fatal("the replay did not notice that the broker was killed")
	}
	last := lastAcknowledged(t, file)
	t.Logf("%s: killed after %d messages, %d taxis had an acknowledged row", collection, messages, len(last))
	if len(last) == 0 {
		t.Fatal("nothing was acknowledged")
	}
	return last
}

// lastAcknowledged reads lines of a taxi and a time.
func lastAcknowledged(t *testing.T, name string) map[string]int64 {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	last := map[string]int64{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		seconds, err := strconv.ParseInt(fields[len(fields)-1], 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		last[fields[0]] = max(last[fields[0]], seconds)
	}
	return last
}

// A taxiDocument is what a row becomes.
type taxiDocument struct {
	Time     int64
	Occupied int
}

func taxis(t *testing.T, b *broker, collection, filter string) map[string]taxiDocument {
	t.Helper()
	documents := map[string]taxiDocument{}
	for id, body := range snapshot(t, b, collection, filter) {
		var d taxiDocument
		if err := json.Unmarshal([]byte(body), &d); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		documents[id] = d
	}
	return documents
}

func checkAcknowledged(t *testing.T, b *broker, collection string, acked map[string]int64) {
	t.Helper()
	stored := taxis(t, b, collection, "{}")
	for taxi, seconds := range acked {
		if d, ok := stored[taxi]; !ok || d.Time < seconds {
			t.Errorf("%s/%s: acknowledged up to %d, stored is %d", collection, taxi, seconds, d.Time)
		}
	}
}

// checkScope compares the retained members of a scope with the documents.
func checkScope(t *testing.T, b *broker, collection string) {
	t.Helper()
	members := taxis(t, b, collection, `{"equals":{"occupied":1}}`)
	for taxi, d := range taxis(t, b, collection, "{}") {
		member, ok := members[taxi]
		if ok != (d.Occupied == 1) || ok && member != d {
			t.Errorf("%s/%s: the document is %+v, in scope %v: %+v", collection, taxi, d, ok, member)
		}
		delete(members, taxi)
	}
	for taxi := range members {
		t.Errorf("%s/%s: in scope, and there is no such document", collection, taxi)
	}
}
