package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// eachCommand calls f with every command that does something, by its path.
func eachCommand(cmd *cobra.Command, f func(path string, cmd *cobra.Command)) {
	if !cmd.HasSubCommands() {
		f(strings.TrimPrefix(cmd.CommandPath(), "ambit "), cmd)
	}
	for _, c := range cmd.Commands() {
		eachCommand(c, f)
	}
}

func TestEveryCommandThatPrintsSomethingForPeoplePrintsJSONToo(t *testing.T) {
	others := []string{
		"serve", "demo", // print what happens
		"pub", "passwd", // do something
		"match", "bench connect-storm", "bench dashboard", "bench geofences", "bench retained", "bench telemetry", // print nothing but JSON
		"man", "reference", // write files
	}
	eachCommand(newRoot(), func(path string, cmd *cobra.Command) {
		hasJSON := cmd.Flags().Lookup("json") != nil
		if hasJSON == slices.Contains(others, path) {
			t.Errorf("ambit %s: --json: %v", path, hasJSON)
		}
	})
}

func TestEveryCommandSaysWhatItDoes(t *testing.T) {
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		path := cmd.CommandPath()
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: the short text %q is empty or a sentence", path, cmd.Short)
		}
		if cmd.Args == nil {
			t.Errorf("%s: arguments are not checked", path)
		}
		for line := range strings.Lines(cmd.Long) {
			if len([]rune(line)) > 111 {
				t.Errorf("%s: the line is too long: %s", path, line)
			}
		}
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	walk(newRoot())
}

func TestThereIsAManualPageOfEveryCommand(t *testing.T) {
	dir := t.TempDir()
	if code := run(t.Context(), []string{"man", dir}, strings.NewReader(""), t.Output(), t.Output()); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	eachCommand(newRoot(), func(path string, cmd *cobra.Command) {
		if cmd.Hidden {
			return
		}
		text, err := os.ReadFile(filepath.Join(dir, "ambit-"+strings.ReplaceAll(path, " ", "-")+".1"))
		if err != nil {
			t.Error(err)
			return
		}
		for _, want := range []string{".TH ", ".SH NAME", ".SH SYNOPSIS", cmd.Short} {
			if !strings.Contains(strings.ReplaceAll(string(text), `\-`, "-"), want) {
				t.Errorf("%s: no %q in its page", path, want)
			}
		}
	})
}
