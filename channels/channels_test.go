package channels

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

// A world is an engine whose clock is set by a script, and that writes down what it
// tells.
type world struct {
	*Engine
	now   time.Time
	dates []date
	told  strings.Builder
	fails error // what telling ends with
}

type date struct {
	at   time.Time
	call func()
}

func newWorld(o Options) *world {
	w := &world{now: time.UnixMilli(0).UTC()}
	o.At = func(t time.Time, call func()) { w.dates = append(w.dates, date{t, call}) }
	w.Engine = New(w, o)
	return w
}

func (w *world) Tell(_ context.Context, m *Message) (<-chan error, error) {
	if w.fails != nil {
		return nil, w.fails
	}
	var what struct {
		Member Member
		Why    string
	}
	if err := json.Unmarshal(m.Payload, &what); err != nil {
		return nil, err
	}
	echo := ""
	if !m.Echo {
		echo = ", not to itself"
	}
	fmt.Fprintf(&w.told, "%s: %s %s since %d %s%s%s\n", m.Channel, m.Event, m.From, what.Member.Since, what.Member.Metadata, strings.TrimRight(" "+what.Why, " "), echo)
	told := make(chan error, 1)
	told <- nil
	return told, nil
}

// pass lets time pass, and what is due happen.
func (w *world) pass(d time.Duration) {
	w.now = w.now.Add(d)
	due := w.dates
	w.dates = nil
	for _, date := range due {
		if date.at.After(w.now) {
			w.dates = append(w.dates, date)
		} else {
			date.call()
		}
	}
}

// TestScripts runs the scripts of testdata, each line of an input with
//
//	join CHANNEL CLIENT [METADATA]     echo CHANNEL CLIENT true|false
//	leave CHANNEL CLIENT               update CHANNEL|all CLIENT METADATA
//	connect CLIENT [resumed] [user=U]  disconnect CLIENT [for-good]
//	pass DURATION                      members CHANNEL
//	fail, and work                     whether anything can be told
//
// In no-grace.txt there is no time of grace, else it is 3 s.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) { //nolint:thelper // it is a subtest
		o := Options{Grace: 3 * time.Second, PerClient: 3}
		if strings.Contains(path, "no-grace") {
			o.Grace = 0
		}
		w := newWorld(o)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			t.Helper()
			w.told.Reset()
			for line := range strings.Lines(d.Cmd + " " + argsOf(d) + "\n" + d.Input) {
				if err := w.do(t, strings.Fields(line)); err != nil {
					fmt.Fprintf(&w.told, "%v\n", err)
				}
			}
			return w.told.String()
		})
		if w.bytes < 0 || len(w.clients) == 0 != (w.bytes == 0) || len(w.channels) == 0 != (w.bytes == 0) {
			t.Errorf("at the end there are %d clients, %d channels and %d bytes", len(w.clients), len(w.channels), w.bytes)
		}
	})
}

func argsOf(d *datadriven.TestData) string {
	var all []string
	for _, a := range d.CmdArgs {
		all = append(all, a.String())
	}
	return strings.Join(all, " ")
}

func (w *world) do(t *testing.T, words []string) error {
	t.Helper()
	if len(words) == 0 {
		return nil
	}
	words = append(words, "", "", "", "")
	ctx := t.Context()
	switch words[0] {
	case "join", "echo":
		j := Join{Channel: words[1], ClientID: words[2], Now: w.now}
		if words[0] == "echo" {
			echo := words[3] == "true"
			j.Echo = &echo
		} else if words[3] != "" {
			j.Metadata = []byte(words[3])
		}
		count, err := w.Join(ctx, j)
		if err == nil {
			fmt.Fprintf(&w.told, "%d\n", count)
		}
		return err
	case "leave":
		return w.Leave(ctx, words[1], words[2], echoOf(words[3:]), w.now)
	case "update":
		names, err := w.Update(ctx, strings.TrimPrefix(words[1], "all"), words[2], []byte(words[3]), echoOf(words[4:]), w.now)
		if err == nil {
			fmt.Fprintf(&w.told, "%s\n", names)
		}
		return err
	case "connect":
		_, user, _ := strings.Cut(strings.Join(words, " "), "user=")
		return w.Connected(ctx, words[1], strings.TrimSpace(user), slices.Contains(words, "resumed"), w.now)
	case "disconnect":
		return w.Disconnected(ctx, words[1], "", slices.Contains(words, "for-good"), w.now)
	case "pass":
		d, err := time.ParseDuration(words[1])
		w.pass(d)
		return err
	case "members":
		members, count := w.Members(words[1], 0, 10)
		fmt.Fprintf(&w.told, "%d:", count)
		for _, m := range members {
			fmt.Fprintf(&w.told, " %s", m.ClientID)
		}
		w.told.WriteString("\n")
	case "fail":
		w.fails = errors.New("it cannot be told")
	case "work":
		w.fails = nil
	default:
		t.Fatalf("unknown command %s", words[0])
	}
	return nil
}

// echoOf returns what the first word says of echo, or nil.
func echoOf(words []string) *bool {
	if words[0] == "" {
		return nil
	}
	echo := words[0] == "true"
	return &echo
}

func TestMembersTakeNoMoreMemoryThanTheyMay(t *testing.T) {
	w := newWorld(Options{Bytes: 10_000})
	metadata := []byte(`{"text":"` + strings.Repeat("x", 2000) + `"}`)
	joined := 0
	for i := range 20 {
		_, err := w.Join(t.Context(), Join{Channel: "chat", ClientID: fmt.Sprint("c", i), Metadata: metadata})
		if err == nil {
			joined++
		} else if !errors.Is(err, ErrFull) {
			t.Fatal(err)
		}
	}
	if joined != 4 {
		t.Errorf("%d have joined, want 4", joined)
	}
	if _, err := w.Update(t.Context(), "chat", "c0", append(metadata, metadata...), nil, w.now); !errors.Is(err, ErrFull) {
		t.Errorf("other metadata: %v", err)
	}
	if _, err := w.Update(t.Context(), "chat", "c0", []byte("{}"), nil, w.now); err != nil {
		t.Errorf("less metadata: %v", err)
	}
	if _, err := w.Join(t.Context(), Join{Channel: "chat", ClientID: "c9", Metadata: metadata}); err != nil {
		t.Errorf("what is free again: %v", err)
	}
}

// However many come and go at once, what is told of each alternates, and agrees with
// who is there at the end.
func TestWhatIsToldOfAMemberIsInOrder(t *testing.T) {
	r := &recorder{in: map[string]bool{}}
	e := New(r, Options{})
	done := make(chan error, 8)
	for i := range 8 {
		go func() {
			var failed error
			client := fmt.Sprint("c", i%4) // two for each
			for range 200 {
				_, err := e.Join(t.Context(), Join{Channel: "chat", ClientID: client})
				if err == nil {
					err = e.Leave(t.Context(), "chat", client, nil, time.Now())
				}
				if !errors.Is(err, ErrNotMember) {
					failed = errors.Join(failed, err)
				}
			}
			done <- failed
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	for _, fault := range r.faults {
		t.Error(fault)
	}
	if _, count := e.Members("chat", 0, 1); count != 0 || len(r.in) != 0 {
		t.Errorf("%d are there, %d as was told", count, len(r.in))
	}
}

// A recorder follows what it is told.
type recorder struct {
	in     map[string]bool
	faults []string
}

func (r *recorder) Tell(_ context.Context, m *Message) (<-chan error, error) {
	if r.in[m.From] == (m.Event == Joined) {
		r.faults = append(r.faults, fmt.Sprintf("%s of %s, who is there: %v", m.Event, m.From, r.in[m.From]))
	}
	if r.in[m.From] = true; m.Event == Left {
		delete(r.in, m.From)
	}
	told := make(chan error, 1)
	told <- nil
	return told, nil
}
