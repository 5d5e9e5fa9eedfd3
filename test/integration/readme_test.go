package integration

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// parkedSettings are those of the blocks about documents of fleet/parked.
const parkedSettings = `collections: [{name: fleet/parked, index: [plate, owner.id], geo: [position]}]`

// TestReadme runs what README.md, API.md, docs/access.md and docs/recipes.md show. A fenced block that begins with
//
//	```console
//
// is run against a broker of its own, on a new store. A line that begins with
// "$ " is a command, which bash runs with the standard addresses 1883 and 8080, and
// ./ambit-data, replaced by those of the broker and with ambit in the PATH; a command that
// ends in a backslash goes on in the next line. One that ends in " &" subscribes,
// and runs beside those that follow: the next command waits for its SUBACK, if it is one of
// Mosquitto's. The
// lines up to the next command are what is printed by then, by whichever
// command. In a line … stands for any text, and a line of … alone for any number
// of lines. Other blocks (```sh, ```) are not run; one of YAML that begins with its name is
// a file that is there. Where anna has the password "correct horse", there is such a
// user, with the role admin.
func TestReadme(t *testing.T) {
	for _, manual := range []string{"README.md", "API.md", "docs/access.md", "docs/recipes.md"} {
		t.Run(manual, func(t *testing.T) { runManual(t, manual) })
	}
}

func runManual(t *testing.T, manual string) {
	t.Helper()
	text, err := os.ReadFile("../../" + manual)
	if err != nil {
		t.Fatal(err)
	}
	files, blocks := shownFiles(string(text)), consoleBlocks(string(text))
	if len(blocks) == 0 {
		t.Fatalf("%s has no ```console block: nothing in it is known to work", manual)
	}
	for _, block := range blocks {
		name, _, _ := strings.Cut(block, "\n")
		t.Run(name, func(t *testing.T) {
			if strings.Contains(block, "mosquitto_") {
				need(t, "mosquitto_sub")
			}
			if strings.Contains(block, "curl ") {
				need(t, "curl")
			}
			runConsole(t, block, files)
		})
	}
}

// shownFiles returns the blocks of YAML whose first line is "# <name>.yaml", by that name.
func shownFiles(markdown string) map[string]string {
	files := map[string]string{}
	for _, m := range regexp.MustCompile("(?ms)^```yaml\n(# ([a-z]+\\.yaml)\n.*?)^```$").FindAllStringSubmatch(markdown, -1) {
		files[m[2]] = m[1]
	}
	return files
}

func consoleBlocks(markdown string) []string {
	var blocks []string
	for _, m := range regexp.MustCompile("(?ms)^```console\n(.*?)^```$").FindAllStringSubmatch(markdown, -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// runConsole runs the commands of a block in one shell, in a directory with some files, and
// compares what they print.
func runConsole(t *testing.T, block string, files map[string]string) {
	t.Helper()
	o := brokerOptions{}
	if strings.Contains(block, `"parked"`) {
		o.config = parkedSettings
	}
	if strings.Contains(block, "anna:correct horse") {
		users := filepath.Join(t.TempDir(), "users.txt")
		setPassword(t, users, "anna", "correct horse", "--role", "admin")
		o.config = fmt.Sprintf("users: %q", users)
	}
	b := startBroker(t, o)
	p := startProxy(t, b)
	replaced := strings.NewReplacer("1883", port(p.address), "8080", port(b.http), "./ambit-data", "'"+b.dir+"'")
	printed := newTranscript()
	stdin := startShell(t, printed, files)
	read := 0
	for _, step := range consoleSteps(block) {
		if _, err := io.WriteString(stdin, replaced.Replace(step.command)+"\n"); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(step.command, " &") && strings.Contains(step.command, "mosquitto_") {
			p.awaitSuback(t)
		}
		read = expect(t, printed, read, step)
	}
}

// startShell runs bash in a directory with some files until the test ends, and then
// kills it and whatever it has started.
func startShell(t *testing.T, printed *transcript, files map[string]string) io.WriteCloser {
	t.Helper()
	shell := exec.Command("bash")
	shell.Env = append(os.Environ(), "PATH="+programs+string(filepath.ListSeparator)+os.Getenv("PATH"))
	shell.Dir = t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(shell.Dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out := &lineWriter{add: printed.add}
	shell.Stdout, shell.Stderr = out, out
	stdin, err := shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) // its whole group
		_ = shell.Wait()                                      // it was killed
	})
	return stdin
}

func port(address string) string {
	return address[strings.LastIndexByte(address, ':')+1:]
}

type consoleStep struct {
	command string
	output  []string
}

func consoleSteps(block string) []consoleStep {
	var steps []consoleStep
	for line := range strings.Lines(strings.ReplaceAll(block, "\\\n", "\\\x00")) {
		line = strings.TrimRight(strings.ReplaceAll(line, "\x00", "\n"), "\n")
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			steps = append(steps, consoleStep{command: command})
		} else if len(steps) > 0 && line != "" {
			last := &steps[len(steps)-1]
			last.output = append(last.output, line)
		}
	}
	return steps
}

// expect waits for the output of one step, which begins at line number from,
// and returns the number of the line behind it.
func expect(t *testing.T, printed *transcript, from int, step consoleStep) int {
	t.Helper()
	anyLines := false
	for _, want := range step.output {
		if want == "…" {
			anyLines = true
			continue
		}
		for {
			got, ok := printed.line(from, nil, time.After(patience))
			if !ok {
				t.Fatalf("$ %s\nprinted no line like\n%s\nbut altogether\n%s", step.command, want, printed)
			}
			from++
			if likeLine(got, want) {
				break
			}
			if !anyLines {
				t.Fatalf("$ %s\nprinted\n%s\nwant\n%s", step.command, got, want)
			}
		}
		anyLines = false
	}
	return from
}

// likeLine compares two lines; … stands for any text in the wanted one.
func likeLine(got, want string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(want), "…", ".*")
	return regexp.MustCompile("^" + pattern + "$").MatchString(strings.TrimRight(got, " "))
}
