package integration

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestEveryActionHasAnExample holds API.md to the actions that a broker says it has: each is
// asked for in a block that TestReadme runs.
func TestEveryActionHasAnExample(t *testing.T) {
	b := startBroker(t, brokerOptions{})
	text, err := os.ReadFile("../../API.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := strings.Join(consoleBlocks(string(text)), "")
	var info struct {
		ServerInfo struct {
			Ambit struct {
				Actions map[string][]string `json:"actions"`
			} `json:"ambit"`
		} `json:"serverInfo"`
	}
	if err := json.Unmarshal(askHTTP(t, b, `{"controller":"server","action":"info"}`).Result, &info); err != nil {
		t.Fatal(err)
	}
	all := info.ServerInfo.Ambit.Actions
	if len(all) < 13 {
		t.Fatalf("only %v", all)
	}
	for _, controller := range slices.Sorted(maps.Keys(all)) {
		for _, action := range all[controller] {
			if !regexp.MustCompile(`/` + controller + `/` + action + `\b|"controller":"` + controller + `","action":"` + action + `"`).MatchString(shown) {
				t.Errorf("no block of API.md asks for %s:%s", controller, action)
			}
		}
	}
}

// TestEveryArgumentIsNamed holds API.md to the arguments that the package api reads: what stands
// as a text where a request's members are looked up.
func TestEveryArgumentIsNamed(t *testing.T) {
	text, err := os.ReadFile("../../API.md")
	if err != nil {
		t.Fatal(err)
	}
	read := argumentsRead(t, "../../api")
	for _, name := range []string{"cursor", "echo", "search_after"} {
		if !read[name] {
			t.Errorf("%s is not found among what is read", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(read)) {
		if !regexp.MustCompile("[`\"{]" + name + "[`\"}:]").Match(text) {
			t.Errorf("API.md does not name %q", name)
		}
	}
}

// argumentsRead returns the texts by which a package asks for members of a request.
func argumentsRead(t *testing.T, dir string) map[string]bool {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	note := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if name, err := strconv.Unquote(lit.Value); err == nil && regexp.MustCompile(`^[A-Za-z_]+$`).MatchString(name) {
				names[name] = true
			}
		}
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), dir+"/"+entry.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.IndexExpr: // body["query"], c.args["scroll"]
				note(n.Index)
			case *ast.CallExpr: // c.string("event"), c.query("query", "sort")
				if f, ok := n.Fun.(*ast.SelectorExpr); ok && isCall(f.X) && len(n.Args) > 0 {
					for _, arg := range n.Args[:1+strings.Count(f.Sel.Name, "query")*(len(n.Args)-1)] {
						note(arg)
					}
				}
			}
			return true
		})
	}
	return names
}

// isCall says whether an expression is the request, as the package calls it.
func isCall(e ast.Expr) bool {
	name, ok := e.(*ast.Ident)
	return ok && name.Name == "c"
}
