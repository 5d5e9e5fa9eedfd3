package koncorde

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
)

// An oracle is Koncorde, in a process that runs node/answer.js.
type oracle struct {
	process *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	known   map[string]answer // by question, of those about one document
}

// An answer is what Koncorde says of a filter: why it refuses it, or what it
// answers for each document.
type answer struct {
	Error   *refusal
	Answers []any // a bool, or a string: the text of what was thrown
}

// A refusal is why a filter is refused. Keyword and path are empty if Koncorde
// failed by accident.
type refusal struct{ Message, Keyword, Path string }

// consult starts an oracle for the time of a test. Without the packages of
// node/package-lock.json it skips the test; in CI they must be there.
func consult(t testing.TB) *oracle {
	t.Helper()
	if _, err := os.Stat("node/node_modules/koncorde"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("in CI koncorde must be installed: %v", err)
		}
		t.Skipf("koncorde is not installed (make tools): %v", err)
	}
	o := &oracle{known: map[string]answer{}}
	if err := o.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.stop)
	return o
}

func (o *oracle) start() error {
	o.process = exec.Command("node", "node/answer.js")
	in, err := o.process.StdinPipe()
	if err != nil {
		return fmt.Errorf("koncorde: %w", err)
	}
	out, err := o.process.StdoutPipe()
	if err != nil {
		return fmt.Errorf("koncorde: %w", err)
	}
	if err := o.process.Start(); err != nil {
		return fmt.Errorf("koncorde: %w", err)
	}
	o.in, o.out = in, bufio.NewReader(out)
	return nil
}

// stop waits for the process to end, which it does at the end of its input.
func (o *oracle) stop() {
	_ = o.in.Close()     // it may be closed
	_ = o.process.Wait() // it may have crashed
}

// ask asks what a filter says of documents. All are JSON on one line.
func (o *oracle) ask(filter string, documents ...string) (answer, error) {
	question := `{"filter":` + filter + `,"documents":[`
	for i, d := range documents {
		if i > 0 {
			question += ","
		}
		question += d
	}
	question += "]}\n"
	if a, ok := o.known[question]; ok {
		return a, nil
	}
	a, err := o.exchange(question)
	if errors.Is(err, io.EOF) {
		o.stop()
		return answer{Error: &refusal{Message: crash}}, o.start()
	}
	if err == nil && len(documents) == 1 {
		o.known[question] = a
	}
	return a, err
}

// crash is the message for a question at which Koncorde's process ends.
const crash = "the process ends"

func (o *oracle) exchange(question string) (answer, error) {
	var a answer
	if _, err := io.WriteString(o.in, question); err != nil {
		return a, fmt.Errorf("koncorde: asking %s: %w", question, err)
	}
	line, err := o.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &a)
	}
	if err != nil {
		return a, fmt.Errorf("koncorde: answering %s: %w", question, err)
	}
	return a, nil
}
