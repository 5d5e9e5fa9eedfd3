package integration

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// recipeBlocks returns the blocks of docs/recipes.md in a language.
func recipeBlocks(t *testing.T, language string) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/recipes.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, m[1])
	}
	if len(blocks) == 0 {
		t.Fatalf("there is no block of %s", language)
	}
	return blocks
}

func TestTheRecipeForTelegrafIsTOML(t *testing.T) {
	need(t, "python3")
	for _, block := range recipeBlocks(t, "toml") {
		cmd := exec.Command("python3", "-c", "import sys, tomllib; tomllib.loads(sys.stdin.read())")
		cmd.Stdin = strings.NewReader(block)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}
}

func TestTheFlowForNodeREDIsWhole(t *testing.T) {
	var flow []struct {
		ID, Z, Type, Broker string
		Wires               [][]string
	}
	if err := json.Unmarshal([]byte(recipeBlocks(t, "json")[0]), &flow); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, node := range flow {
		if node.ID == "" || slices.Contains(ids, node.ID) {
			t.Errorf("%s: the id %q is missing, or there twice", node.Type, node.ID)
		}
		ids = append(ids, node.ID)
	}
	for _, node := range flow {
		if node.Type == "mqtt-broker" {
			node.Broker = "" // it is a host there
		}
		for _, to := range append(slices.Concat(node.Wires...), node.Z, node.Broker) {
			if to != "" && !slices.Contains(ids, to) {
				t.Errorf("%s: there is no node %q", node.Type, to)
			}
		}
	}
}

// Every topic in the recipes can be subscribed to, also those with $.
func TestTheTopicsOfTheRecipesAreGranted(t *testing.T) {
	topic := regexp.MustCompile(`"?(?:topics|topic|[a-z_]+_topic)"?(?:: | = \[)"([^"]+)"`)
	b := startBroker(t, brokerOptions{})
	for _, name := range []string{"@driving", "@depot"} {
		if _, stderr, err := ambit("room", "create", "--data", b.dir, "fleet/trucks/"+name, `{"exists":"speed"}`); err != nil {
			t.Fatal(stderr)
		}
	}
	c, found := connect(t, b, connectOptions{}), 0
	for _, block := range append(recipeBlocks(t, "toml"), recipeBlocks(t, "json")...) {
		if strings.Contains(block, "unique_id") && !json.Valid([]byte(block)) {
			t.Errorf("no JSON: %s", block)
		}
		for _, m := range topic.FindAllStringSubmatch(block, -1) {
			found++
			c.granted(t, m[1])
		}
	}
	if found != 6 {
		t.Errorf("%d topics were found, want 6", found)
	}
}
