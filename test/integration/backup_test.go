package integration

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// mustAmbit runs the command, which must succeed, and returns what it printed.
func mustAmbit(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, err := ambit(args...)
	if err != nil {
		t.Fatalf("ambit %s: %v\n%s%s", strings.Join(args, " "), err, stdout, stderr)
	}
	return stdout
}

// writeNumbers writes numbered versions of its documents until the connection
// ends. Acked is the last number that was acknowledged.
func (w *wire) writeNumbers(name string, acked *atomic.Int64) {
	for n := int64(1); ; n++ {
		m := message{
			topic: fmt.Sprintf("fleet/trucks/%s-%d", name, n%documentsEach), qos: 1, id: uint16(n%60_000 + 1),
			payload: fmt.Appendf(nil, `{"n":%d,"pad":"%0200d"}`, n, n),
		}
		if _, err := w.Write(publishPacket(m, false)); err != nil {
			return
		}
		if p, err := w.read(); err != nil || p.kind != typePuback {
			return
		}
		acked.Store(n)
	}
}

const documentsEach = 20

// Several clients write as fast as they can. What was acknowledged when a backup
// began is in it, also when it is made upon another one, and the broker that is
// started on what is restored serves it.
func TestABackupUnderLoadHasWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	b, dir := startBroker(t, brokerOptions{}), t.TempDir()
	var acked [4]atomic.Int64
	for i := range acked {
		w := connect(t, b, connectOptions{})
		go w.writeNumbers(fmt.Sprint(i), &acked[i]) // until the broker is killed
	}
	target, before := filepath.Join(dir, "backup"), [len(acked)]int64{}
	for round := range 3 {
		for i := range acked {
			enough := before[i] + 100
			eventually(t, "each has written", func() bool { return acked[i].Load() >= enough })
		}
		for i := range acked {
			before[i] = acked[i].Load()
		}
		args := []string{"backup", "--data", b.dir, target}
		if round == 1 {
			args[3] = filepath.Join(dir, "backup.tar")
		}
		mustAmbit(t, args...)
		restored := filepath.Join(dir, fmt.Sprint("restored-", round))
		mustAmbit(t, "restore", args[3], restored)
		mustAmbit(t, "check", "--data", restored)
		again := startBroker(t, brokerOptions{dir: restored})
		checkNumbers(t, again, before[:])
		connect(t, again, connectOptions{}).put(t, "fleet/trucks/new", `{}`)
		again.kill()
	}
	mustAmbit(t, "check", "--data", b.dir)
	mustAmbit(t, "check", "--data", target)
}

// checkNumbers wants each document as it was acknowledged, or later.
func checkNumbers(t *testing.T, b *broker, acked []int64) {
	t.Helper()
	documents := snapshot(t, b, "fleet/trucks", "{}")
	for i, last := range acked {
		for n := last - documentsEach + 1; n <= last; n++ {
			id := fmt.Sprintf("%d-%d", i, n%documentsEach)
			var d struct{ N int64 }
			if err := json.Unmarshal([]byte(documents[id]), &d); err != nil || d.N < n {
				t.Errorf("%s is %q, and %d was acknowledged", id, documents[id], n)
			}
		}
	}
}

// A restored returns a broker on the restored backup of a life in which truck 1
// was told to the session dash. In the life after the backup, which is lost, there
// were the changes 2 to 4.
func startRestored(t *testing.T) *broker {
	t.Helper()
	b, dir := startBroker(t, brokerOptions{}), t.TempDir()
	w := connect(t, b, connectOptions{id: "dash", keep: true})
	w.subscribe(t, fastTrucks)
	connect(t, b, connectOptions{}).put(t, "fleet/trucks/1", `{"speed":60,"n":1}`)
	if n := parseTold(t, w.message(t)); n.Seq != 1 {
		t.Fatalf("told of %+v", n)
	}
	w.ping(t) // so that the broker has read what acknowledges that
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	mustAmbit(t, "backup", "--data", b.dir, filepath.Join(dir, "backup"))
	b = b.restart(t)
	device := connect(t, b, connectOptions{})
	for _, id := range []string{"2", "3", "4"} {
		device.put(t, "fleet/trucks/"+id, `{"speed":70}`)
	}
	b.kill()
	mustAmbit(t, "restore", filepath.Join(dir, "backup"), filepath.Join(dir, "restored"))
	return startBroker(t, brokerOptions{dir: filepath.Join(dir, "restored")})
}

// wantGap wants a gap notice after a change, and then truck 1.
func wantGap(t *testing.T, from uint64, notice, first string) {
	t.Helper()
	var gap struct {
		Type     string
		From, To uint64
	}
	if err := json.Unmarshal([]byte(notice), &gap); err != nil || gap.Type != "gap" || gap.From != from || gap.To < 1<<32 {
		t.Errorf("got %s, want a gap from %d", notice, from)
	}
	if n := parseTold(t, message{payload: []byte(first)}); n.Transition != "enter" || n.Result.ID != "1" || n.Seq != 1 {
		t.Errorf("behind the gap comes %s", first)
	}
}

func TestWhoeverResumesAfterARestoreIsToldOfAGap(t *testing.T) {
	t.Parallel()
	b := startRestored(t)
	dash, ack := tryConnect(t, b, connectOptions{id: "dash", keep: true})
	if !ack.sessionPresent {
		t.Fatal("the session is gone")
	}
	wantGap(t, 1, string(dash.message(t).payload), string(dash.message(t).payload))
	late := connect(t, b, connectOptions{})
	late.subscribe(t, fastTrucks+"&since=3") // of the life that is lost
	wantGap(t, 3, string(late.message(t).payload), string(late.message(t).payload))
	connect(t, b, connectOptions{}).put(t, "fleet/trucks/5", `{"speed":80}`)
	for _, w := range []*wire{dash, late} {
		if n := parseTold(t, w.message(t)); n.Result.ID != "5" || n.Seq < 1<<32 {
			t.Errorf("then comes %+v", n)
		}
	}
	// The numbers of this life are good to come back with.
	again := connect(t, b, connectOptions{})
	n := parseTold(t, func() message {
		again.subscribe(t, fastTrucks)
		connect(t, b, connectOptions{}).put(t, "fleet/trucks/5", `{"speed":81}`)
		return again.message(t)
	}())
	connect(t, b, connectOptions{}).put(t, "fleet/trucks/5", `{"speed":82}`)
	resumed := connect(t, b, connectOptions{})
	resumed.subscribe(t, fmt.Sprintf("%s&since=%d", fastTrucks, n.Seq))
	if next := parseTold(t, resumed.message(t)); next.Seq != n.Seq+1 || next.Transition != "stay" {
		t.Errorf("after %d comes %+v", n.Seq, next)
	}
}

func TestMosquittoIsToldOfAGapAfterARestore(t *testing.T) {
	t.Parallel()
	need(t, "mosquitto_sub")
	b := startRestored(t)
	out, err := exec.Command("mosquitto_sub", "-p", port(b.mqtt), "-C", "2", "-W", "20", "-t", fastTrucks+"&since=2").CombinedOutput()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err != nil || len(lines) != 2 {
		t.Fatalf("%v: %s", err, out)
	}
	wantGap(t, 2, lines[0], lines[1])
}
