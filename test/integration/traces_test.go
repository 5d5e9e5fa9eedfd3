package integration

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// traces are two days of the taxis of San Francisco, real ones, with the noise
// of real receivers. They are not part of the module.
const traces = "../../../shared/data/sf-taxis-2008-05-31.csv.gz"

// A traceFence is the same fence in both languages.
type traceFence struct{ name, filter, bruteforce string }

// The boxes are laid through the middle of downtown, where a hundred rows are
// within a metre of an edge: comparing degrees needs no margin. The circles have
// no row that near to theirs, or bruteforce would say so.
func traceFences() []traceFence {
	const downtown = `{"geoBoundingBox":{"position":{"top":37.80,"left":-122.42,"bottom":37.78,"right":-122.39}}}`
	return []traceFence{
		{"airport", `{"geoDistance":{"position":{"lat":37.6155,"lon":-122.387},"distance":"1500m"}}`, "circle:37.6155,-122.387,1500"},
		{"bridge", `{"geoDistance":{"position":{"lat":37.825,"lon":-122.315},"distance":"2km"}}`, "circle:37.825,-122.315,2000"},
		{"downtown", downtown, "box:37.80,-122.42,37.78,-122.39"},
		{"fares", `{"and":[` + downtown + `,{"equals":{"occupied":1}}]}`, "occupied+box:37.80,-122.42,37.78,-122.39"},
	}
}

// Every enter and exit of four fences, by taxi and in order, is the one that a
// separate program computes from the rows of the file.
func TestRealTracesAgreeWithBruteForce(t *testing.T) {
	needFile(t, traces)
	rows := "200000"
	if testing.Short() {
		rows = "5000"
	}
	b := startBroker(t, brokerOptions{})
	w := connect(t, b, connectOptions{v5: true})
	var topics []string
	for _, f := range traceFences() {
		topics = append(topics, "sf/taxis/?"+f.filter+"&transition=enter,exit&payload=none")
	}
	w.granted(t, append(topics, `sf/taxis/?{"exists":"marker"}`)...)

	replayed := make(chan error, 1)
	go func() { replayed <- replay(b, "sf/taxis/{taxi}", "--connections", "1", "--limit", rows) }()
	got := w.transitions(t, b, replayed, topics)
	want := bruteforce(t, rows)
	for i, f := range traceFences() {
		if diff := firstDifference(got[topics[i]], want[f.name]); diff != "" {
			t.Errorf("%s: %s", f.name, diff)
		}
		t.Logf("%s: %d transitions", f.name, len(want[f.name]))
	}
}

// granted subscribes and fails the test when a filter is refused.
func (w *wire) granted(t testing.TB, topicFilters ...string) {
	t.Helper()
	ack := w.subscribe(t, topicFilters...)
	for i, code := range ack.codes {
		if code > 2 {
			t.Fatalf("%s: SUBACK %#x %v", topicFilters[i], code, ack.user)
		}
	}
}

// replay publishes rows of the traces and returns when they are acknowledged.
func replay(b *broker, topic string, args ...string) error {
	args = append([]string{"replay", traces, "--broker", b.mqtt, "--topic", topic, "--speed", "max"}, args...)
	stdout, stderr, err := ambit(args...)
	if err != nil {
		return fmt.Errorf("ambit %q: %w\n%s%s", args, err, stdout, stderr)
	}
	return nil
}

// transitions reads notifications until that of a marker, which is published
// when the replay is done. It returns lines "taxi transition" by topic.
func (w *wire) transitions(t *testing.T, b *broker, replayed <-chan error, topics []string) map[string][]string {
	t.Helper()
	told, lastSeq := map[string][]string{}, 0
	marked := make(chan error, 1)
	go func() {
		err := <-replayed
		if err == nil {
			_, _, err = ambit("pub", "--broker", b.mqtt, "sf/taxis/marker", `{"marker":1}`)
		}
		marked <- err
	}()
	for {
		m := w.message(t)
		var seq int
		if _, err := fmt.Sscan(m.user["seq"], &seq); err != nil || seq < lastSeq {
			t.Fatalf("seq %q after %d", m.user["seq"], lastSeq)
		}
		lastSeq = seq
		if m.user["id"] == "marker" {
			break
		}
		told[m.topic] = append(told[m.topic], m.user["id"]+" "+m.user["transition"])
	}
	if err := <-marked; err != nil {
		t.Fatal(err)
	}
	for topic := range told {
		if !strings.Contains(strings.Join(topics, "\n"), topic) {
			t.Errorf("a message on %s, which is not subscribed", topic)
		}
	}
	return told
}

// bruteforce returns lines "taxi transition" by the name of the fence.
func bruteforce(t *testing.T, rows string) map[string][]string {
	t.Helper()
	args := []string{"-rows", rows, traces}
	for _, f := range traceFences() {
		args = append(args, f.name+":"+f.bruteforce)
	}
	cmd := exec.Command(filepath.Join(programs, "bruteforce"), args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	computed := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		name, event, _ := strings.Cut(strings.TrimSpace(line), " ")
		computed[name] = append(computed[name], event)
	}
	return computed
}

func firstDifference(got, want []string) string {
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			return fmt.Sprintf("transition %d of %d is %q, brute force has %q of %d", i, len(got), g, w, len(want))
		}
	}
	return ""
}
