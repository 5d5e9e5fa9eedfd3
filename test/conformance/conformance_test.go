package conformance

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/ambitmq/ambit/broker"
)

var rewrite = flag.Bool("rewrite", false, "write docs/conformance.md")

// account is the user of Ambit whom tests sign in as: that of the example of
// RFC 7677, with the password pencil.
const account = "user:SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==" +
	"$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

// document is where the table is for people to read.
const document = "../../docs/conformance.md"

// A statement is one that a standard numbers.
type statement struct {
	id      string // without MQTT-
	meaning string // in our own words
	test    func(*check)
	// why says why a server cannot be tested for it; such a statement has no test.
	why string
	// absent says what Ambit has not, so that the statement does not apply to it.
	// The test must be skipped as long as it is there.
	absent string
	// gap says what Ambit does instead. The test must fail as long as it is there.
	gap string
}

// outcome is what the table says of a statement.
type outcome int

const (
	holds outcome = iota
	isGap
	isAbsent
	untested
)

func (st statement) outcome() outcome {
	switch {
	case st.test == nil:
		return untested
	case st.absent != "":
		return isAbsent
	case st.gap != "":
		return isGap
	}
	return holds
}

// A standard is all statements of a version.
type standard struct {
	name       string
	prefix     string // of the names of tests
	v          byte
	statements []statement
}

func standards() []standard {
	return []standard{
		{"MQTT 5.0", "", v5, statements5()},
		{"MQTT 3.1.1", "3.1.1 ", v311, statements311()},
	}
}

func TestMain(m *testing.M) {
	flag.Parse()
	// The checks wait for the network, not for a processor.
	if err := flag.Set("test.parallel", "64"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func TestConformance(t *testing.T) {
	s, isAmbit := target(t)
	count := 0
	for _, std := range standards() {
		for _, st := range std.statements {
			if st.test == nil {
				continue
			}
			count++
			c := s.check(std.v, count)
			if !isAmbit {
				st.gap, st.absent = "", ""
			}
			t.Run(fmt.Sprintf("%s[MQTT-%s]", std.prefix, st.id), func(t *testing.T) {
				t.Parallel()
				c.run(st.test)
				judge(t, st, c, isAmbit)
			})
		}
	}
}

// judge fails the test unless the check ended as the table says.
func judge(t *testing.T, st statement, c *check, isAmbit bool) {
	t.Helper()
	switch {
	case c.skipped != "" && isAmbit && st.absent == "":
		t.Errorf("%s: not tested: %s", st.meaning, c.skipped)
	case c.skipped != "":
		t.Skip(c.skipped)
	case st.absent != "":
		t.Errorf("the statement applies: take %q out of the table", st.absent)
	case c.failure != "" && st.gap == "":
		t.Errorf("%s: %s", st.meaning, c.failure)
	case c.failure != "":
		t.Logf("known gap: %s", c.failure)
	case st.gap != "":
		t.Errorf("the statement holds: take the gap %q out of the table", st.gap)
	}
}

// target is the server that the environment names, or an Ambit of the test's own.
func target(t *testing.T) (s server, isAmbit bool) {
	t.Helper()
	if addr := os.Getenv("AMBIT_CONFORMANCE_ADDR"); addr != "" {
		return server{addr, os.Getenv("AMBIT_CONFORMANCE_WEBSOCKET"), rand.IntN(100_000)}, false
	}
	cfg := broker.DefaultConfig()
	cfg.MQTT, cfg.HTTP, cfg.Data = "127.0.0.1:0", "127.0.0.1:0", t.TempDir()
	cfg.Users = filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(cfg.Users, []byte(account), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := broker.Start(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return server{b.MQTTAddr(), "ws://" + b.HTTPAddr() + "/mqtt", 0}, true
}

func TestEveryStatementHasATestOrAReason(t *testing.T) {
	// Both lists are complete: as many statements as the standards number.
	for i, want := range []int{251, 141} {
		std, seen := standards()[i], map[string]bool{}
		for _, st := range std.statements {
			if seen[st.id] {
				t.Errorf("%s: %s is there twice", std.name, st.id)
			}
			seen[st.id] = true
			if (st.test == nil) != (st.why != "") || st.meaning == "" || st.gap+st.absent != "" && st.test == nil {
				t.Errorf("%s: %s needs a meaning, and a test or a reason", std.name, st.id)
			}
		}
		if len(seen) != want {
			t.Errorf("%s: %d statements, the standard has %d", std.name, len(seen), want)
		}
	}
}

func TestDocumentIsUpToDate(t *testing.T) {
	want := markdown()
	if *rewrite {
		if err := os.WriteFile(document, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(document)
	if errors.Is(err, os.ErrNotExist) || err == nil && string(got) != want {
		t.Fatalf("%s does not say what the table says: run go test ./test/conformance -rewrite", document)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// heading begins the document; ' stands for the backquote of Markdown.
const heading = `# Conformance

What [test/conformance](../test/conformance) makes of every numbered statement of MQTT 5.0 and of MQTT 3.1.1. This file is written from
its table; 'make conformance' runs it against Ambit, and with 'AMBIT_CONFORMANCE_ADDR=host:port' against any server
('AMBIT_CONFORMANCE_WEBSOCKET=ws://host:port/path' names its WebSocket listener). A gap is closed by taking it out of the table, which
the suite demands as soon as the test passes.

`

// markdown is the table for people to read.
func markdown() string {
	var b strings.Builder
	b.WriteString(strings.ReplaceAll(heading, "'", "`"))
	b.WriteString("| standard | statements | hold | gaps | do not apply | not testable on a server |\n|---|---|---|---|---|---|\n")
	for _, std := range standards() {
		var n [4]int
		for _, st := range std.statements {
			n[st.outcome()]++
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d |\n", std.name, len(std.statements), n[holds], n[isGap], n[isAbsent], n[untested])
	}
	for _, std := range standards() {
		fmt.Fprintf(&b, "\n## %s\n\n| statement | says that | test | result |\n|---|---|---|---|\n", std.name)
		for _, st := range std.statements {
			result := [...]string{"holds", "**gap:** " + st.gap, "does not apply: " + st.absent, st.why}[st.outcome()]
			fmt.Fprintf(&b, "| MQTT-%s | %s | %s | %s |\n", st.id, cell(st.meaning), funcName(st.test), cell(result))
		}
	}
	b.WriteString("\n## Reason codes\n\nWhat MQTT 5 names for an event, and no numbered statement demands.\n\n| event | code | result |\n|---|---|---|\n")
	for _, r := range reasons() {
		result := "said"
		if r.gap != "" {
			result = "**gap:** " + r.gap
		}
		fmt.Fprintf(&b, "| %s | 0x%02X | %s |\n", cell(r.event), r.code, cell(result))
	}
	return b.String()
}

// cell escapes what would end a cell, or begin markup, in Markdown.
func cell(text string) string { return regexp.MustCompile("[|<#]").ReplaceAllString(text, `\$0`) }

func funcName(test func(*check)) string {
	if test == nil {
		return ""
	}
	name := runtime.FuncForPC(reflect.ValueOf(test).Pointer()).Name()
	return name[strings.LastIndexByte(name, '.')+1:]
}
