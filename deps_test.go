package ambit

import (
	"go/parser"
	"go/token"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// policy says who may import whom. It is a statement of policy: a new line or
// a new name in it is a change of the architecture, not a way to mend a build.
//
// A line is "package: own packages [modules]"; "package test:" says what the
// package's tests may import besides. But for its tests, a package imports only
// from lines above its own. The standard library is open to all.
const policy = `
test/mutate:

topics:
topics test: test/mutate
sorting:
jsonobject: [github.com/go-json-experiment/json]
limits:
netpoll:
geofilter: [github.com/golang/geo]
persistence: netpoll [github.com/cockroachdb/pebble/v2 github.com/tidwall/btree]
persistence test: persistence/persistencetest
persistence/persistencetest: persistence

filter: geofilter [github.com/go-json-experiment/json]
filter test: test/mutate [github.com/cockroachdb/datadriven]
mappings: filter jsonobject topics [github.com/go-json-experiment/json]
client: sorting topics [github.com/coder/websocket github.com/eclipse/paho.golang]

sessions: limits netpoll persistence topics [
	github.com/mochi-mqtt/server/v2
	github.com/puzpuzpuz/xsync/v4
]
sessions test: access filter hooks rooms test/mutate [github.com/cockroachdb/pebble/v2 github.com/xdg-go/scram]

access: filter limits topics [github.com/go-jose/go-jose/v4 github.com/xdg-go/scram golang.org/x/crypto go.yaml.in/yaml/v3]
access test: test/mutate [github.com/cockroachdb/datadriven]

rooms: access filter persistence topics [github.com/go-json-experiment/json]
rooms test: [github.com/cockroachdb/datadriven]

presence: persistence topics
presence test: [github.com/cockroachdb/datadriven github.com/cockroachdb/pebble/v2]

channels:
channels test: [github.com/cockroachdb/datadriven]

api: access channels filter jsonobject limits persistence presence rooms sorting topics [github.com/go-json-experiment/json]
api test: [github.com/cockroachdb/datadriven github.com/cockroachdb/pebble/v2]

hooks: access api channels filter limits mappings persistence presence rooms sessions topics [
	github.com/go-json-experiment/json
	github.com/mochi-mqtt/server/v2
]
hooks test: [github.com/cockroachdb/pebble/v2]

kuzzle: access api hooks jsonobject sessions [github.com/coder/websocket]

web: access api limits
web test: persistence rooms [github.com/cockroachdb/pebble/v2]

events: access api hooks sessions web

pocketbase: access api events hooks jsonobject sessions web
pocketbase test: filter

socketio: [github.com/coder/websocket]

agnost: access api channels hooks jsonobject sessions socketio topics web [github.com/coder/websocket]

metrics: limits persistence rooms sessions [github.com/prometheus/client_golang]

tracing: sessions [go.opentelemetry.io/otel]

broker: access agnost api channels events filter hooks kuzzle limits mappings metrics persistence pocketbase rooms sessions socketio topics tracing web [
	github.com/coder/websocket
	github.com/mochi-mqtt/server/v2
	github.com/pires/go-proxyproto
]

broker test: [github.com/prometheus/client_golang github.com/prometheus/common go.opentelemetry.io/proto/otlp google.golang.org/protobuf]

cmd/ambit: access broker client filter mappings [
	github.com/HdrHistogram/hdrhistogram-go
	github.com/go-json-experiment/json
	github.com/coreos/go-systemd/v22
	github.com/schollz/progressbar/v3
	github.com/spf13/cobra
	github.com/spf13/pflag
	github.com/spf13/viper
	go.yaml.in/yaml/v3
	golang.org/x/term
]
cmd/ambit test: [github.com/rogpeppe/go-internal]

firmware-examples/tinygo:

test/integration test: broker client [
	github.com/coder/websocket
	github.com/eclipse/paho.golang
	github.com/eclipse/paho.mqtt.golang
	github.com/rogpeppe/go-internal
	github.com/xdg-go/scram
]
test/integration/bruteforce:
test/conformance test: broker
test/kuzzle:
test/kuzzle test: filter
test/sdk:
test/sdk test: client [github.com/eclipse/paho.golang]
test/console:

test/pocketbase:
test/pocketbase test:

test/agnost:
test/agnost test:

test/koncorde:
test/koncorde test: filter
`

const module = "github.com/ambitmq/ambit"

// An allowance is what one package may import.
type allowance struct {
	own, modules         []string
	testOwn, testModules []string
}

func TestImportsFollowThePolicy(t *testing.T) {
	allowed, above := parsePolicy(t), []string{}
	for _, name := range policyOrder() {
		for _, own := range allowed[name].own {
			if !slices.Contains(above, own) {
				t.Errorf("policy: %s is not above %s", own, name)
			}
		}
		above = append(above, name)
	}
	for dir, files := range sources(t) {
		a, listed := allowed[dir]
		if !listed && dir != "." {
			t.Errorf("%s: not in the policy of deps_test.go", dir)
			continue
		}
		for _, file := range files {
			own, modules := a.own, a.modules
			if strings.HasSuffix(file, "_test.go") {
				own = slices.Concat(own, a.testOwn, []string{dir})
				modules = slices.Concat(modules, a.testModules)
			}
			checkImports(t, file, own, modules)
		}
	}
}

func TestEveryPackageOfThePolicyExists(t *testing.T) {
	dirs := sources(t)
	for _, name := range policyOrder() {
		if _, ok := dirs[name]; !ok {
			t.Errorf("policy: there is no package %s", name)
		}
	}
}

func TestEveryPackageHasADocComment(t *testing.T) {
	for dir, files := range sources(t) {
		documented := slices.ContainsFunc(files, func(file string) bool {
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly|parser.ParseComments)
			return err == nil && f.Doc.Text() != ""
		})
		if !documented {
			t.Errorf("%s: no file has a package comment", dir)
		}
	}
}

// checkImports parses the file itself, because the answers of a go list in a
// child process would be out of date in the test cache.
func checkImports(t *testing.T, file string, own, modules []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Error(err)
		return
	}
	for _, spec := range f.Imports {
		path := strings.Trim(spec.Path.Value, `"`)
		name, isOwn := strings.CutPrefix(path, module+"/")
		isStd := !strings.Contains(strings.Split(path, "/")[0], ".")
		inModule := func(m string) bool { return path == m || strings.HasPrefix(path, m+"/") }
		switch {
		case isOwn && slices.Contains(own, name), isStd, !isOwn && slices.ContainsFunc(modules, inModule):
		default:
			t.Errorf("%s: imports %s, which the policy of deps_test.go does not allow", file, path)
		}
	}
}

// sources returns the Go files of the module by the directory they are in.
func sources(t *testing.T) map[string][]string {
	t.Helper()
	files := map[string][]string{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && isOutside(path, d.Name()) {
			return filepath.SkipDir
		}
		if !d.IsDir() && strings.HasSuffix(path, ".go") {
			dir := filepath.ToSlash(filepath.Dir(path))
			files[dir] = append(files[dir], path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// isOutside says whether a directory is no part of the module: the go command
// ignores it, or it has a go.mod of its own.
func isOutside(path, name string) bool {
	_, err := os.Stat(filepath.Join(path, "go.mod"))
	return err == nil || name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

func parsePolicy(t *testing.T) map[string]allowance {
	t.Helper()
	allowed := map[string]allowance{}
	for name, rest := range policyLines() {
		name, isTest := strings.CutSuffix(name, " test")
		own, modules, _ := strings.Cut(rest, "[")
		a := allowed[name]
		if isTest {
			a.testOwn, a.testModules = strings.Fields(own), strings.Fields(modules)
		} else {
			a.own, a.modules = strings.Fields(own), strings.Fields(modules)
		}
		allowed[name] = a
	}
	return allowed
}

// policyOrder returns the packages of the policy in the order of their lines.
func policyOrder() []string {
	var names []string
	for name := range policyLines() {
		name = strings.TrimSuffix(name, " test")
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// policyLines yields what stands before and after the colon of each line of
// the policy; a list of modules may go over several lines.
func policyLines() iter.Seq2[string, string] {
	oneLine := strings.NewReplacer("[\n", "[ ", "\n\t", " ", "\n]", "", "]", "")
	return func(yield func(string, string) bool) {
		for line := range strings.Lines(oneLine.Replace(policy)) {
			if name, rest, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && !yield(name, rest) {
				return
			}
		}
	}
}
