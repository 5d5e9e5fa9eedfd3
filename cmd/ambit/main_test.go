package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ambit": main})
}

// TestScripts runs the scripts of testdata, which are also the manual. Besides
// testscript's own commands they have
//
//	exits CODE PROGRAM ARG…   run a program, which must exit with this code
//	start NAME PROGRAM ARG…   start one in the background
//	await NAME REGEXP         wait until it prints a line that matches; named
//	                          groups become variables
//	signal NAME SIGNAL        send it INT, TERM, HUP or KILL
//	finish NAME CODE          wait until it exits with this code; what it has
//	                          printed is in NAME.out
//	port NAME                 find a port that nobody uses, for a variable
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Values[processesKey{}] = map[string]*background{}
			env.Setenv("GORACE", "atexit_sleep_ms=0") // else each command takes a second with -race
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":  exits,
			"start":  start,
			"await":  await,
			"signal": signalTo,
			"finish": finish,
			"port":   port,
		},
	})
}

// patience is how long a script waits for what must come.
const patience = 30 * time.Second

// A background process prints to lines; printed is what was taken from it.
type background struct {
	cmd     *exec.Cmd
	lines   chan string
	printed strings.Builder
}

// line returns the next line, and false if there will be none.
func (b *background) line(ts *testscript.TestScript) (string, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	select {
	case line, ok := <-b.lines:
		b.printed.WriteString(line)
		return line, ok
	case <-ctx.Done():
		ts.Fatalf("waited %v; so far it has printed:\n%s", patience, b.printed.String())
		return "", false
	}
}

// processesKey is where a script keeps its processes, by name.
type processesKey struct{}

func processes(ts *testscript.TestScript) map[string]*background {
	return ts.Value(processesKey{}).(map[string]*background)
}

func process(ts *testscript.TestScript, name string) *background {
	b, ok := processes(ts)[name]
	if !ok {
		ts.Fatalf("nothing was started as %s", name)
	}
	return b
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG…")
	}
	checkExit(ts, ts.Exec(args[1], args[2:]...), args[0])
}

func checkExit(ts *testscript.TestScript, err error, code string) {
	got := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(got) != code {
		ts.Fatalf("exit code %d, want %s", got, code)
	}
}

func start(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME PROGRAM ARG…")
	}
	path, err := program(ts, args[1])
	ts.Check(err)
	cmd := exec.Command(path, args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "GORACE"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	r, w, err := os.Pipe()
	ts.Check(err)
	cmd.Stdout, cmd.Stderr = w, w
	ts.Check(cmd.Start())
	ts.Check(w.Close())
	b := &background{cmd: cmd, lines: make(chan string, 100_000)}
	go b.read(r)
	processes(ts)[args[0]] = b
	ts.Defer(func() {
		_ = cmd.Process.Kill() // it mostly has ended
		_ = cmd.Wait()
	})
}

func (b *background) read(r io.ReadCloser) {
	defer close(b.lines)
	defer func() { _ = r.Close() }()
	for in := bufio.NewReader(r); ; {
		line, err := in.ReadString('\n')
		if line != "" {
			b.lines <- line
		}
		if err != nil {
			return
		}
	}
}

// program finds a program where the script would.
func program(ts *testscript.TestScript, name string) (string, error) {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return exec.LookPath(name)
}

func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await NAME REGEXP")
	}
	b, want := process(ts, args[0]), regexp.MustCompile(args[1])
	for {
		line, ok := b.line(ts)
		if match := want.FindStringSubmatch(line); match != nil {
			for i, name := range want.SubexpNames() {
				if name != "" {
					ts.Setenv(name, match[i])
				}
			}
			return
		}
		if !ok {
			ts.Fatalf("it has ended without a line like %s:\n%s", args[1], b.printed.String())
		}
	}
}

func signalTo(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "KILL": os.Kill}
	if neg || len(args) != 2 || signals[args[1]] == nil {
		ts.Fatalf("usage: signal NAME INT|TERM|HUP|KILL")
	}
	ts.Check(process(ts, args[0]).cmd.Process.Signal(signals[args[1]]))
}

func finish(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: finish NAME CODE")
	}
	b := process(ts, args[0])
	for ok := true; ok; {
		_, ok = b.line(ts)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".out"), []byte(b.printed.String()), 0o600))
	checkExit(ts, b.cmd.Wait(), args[1])
}

func port(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: port NAME")
	}
	n, err := freePort()
	ts.Check(err)
	ts.Setenv(args[0], strconv.Itoa(n))
}
