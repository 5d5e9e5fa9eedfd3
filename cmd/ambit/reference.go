package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ambitmq/ambit/broker"
)

// newReference writes the pages of docs that say what is in the code. It is for who works
// on Ambit.
func newReference() *cobra.Command {
	return &cobra.Command{
		Use: "reference DIR", Short: "Write the pages of settings, metrics and commands", Hidden: true,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			for name, text := range references(newRoot()) {
				if err := os.WriteFile(filepath.Join(args[0], name), []byte(text), 0o644); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// references returns the pages by their names.
func references(root *cobra.Command) map[string]string {
	return map[string]string{"settings.md": settingsPage(), "metrics.md": metricsPage(), "commands.md": commandsPage(root)}
}

// pageHead says where a page comes from.
const pageHead = "<!-- Written by `make docs` from the code. -->\n"

const settingsHead = pageHead + `
# Settings

They are in a file (` + "`ambit serve --config ambit.yaml`, else `./ambit.yaml`" + ` if there is one), and most have a variable of the environment, which is stronger. ` + "`ambit config print`" + ` prints
them as they are in force, ` + "`ambit config check`" + ` finds faults, and ` + "`ambit config reload`" + ` has a broker read them again. Sizes may be written ` + "`64KiB`, and durations `1m30s`" + `.
`

func settingsPage() string {
	var b strings.Builder
	b.WriteString(settingsHead)
	writeSettings(&b, broker.Settings(), reflect.ValueOf(broker.DefaultConfig()), "")
	return b.String()
}

// writeSettings writes a section for each setting. The values are the defaults; they are not
// valid for settings of an item of a list, which have no variable.
func writeSettings(b *strings.Builder, all []broker.Setting, defaults reflect.Value, prefix string) {
	for _, s := range all {
		key := prefix + s.Key
		fmt.Fprintf(b, "\n## `%s`\n", key)
		if s.Doc != "" {
			fmt.Fprintf(b, "\n%s\n", strings.ReplaceAll(strings.Join(strings.Fields(sentence(s.Doc)), " "), "<", `\<`))
		}
		if s.Type.Kind() == reflect.Struct {
			var inner reflect.Value
			if defaults.IsValid() {
				inner = defaults.Field(s.Index)
			}
			writeSettings(b, s.Inner, inner, key+".")
			continue
		}
		var facts []string
		if defaults.IsValid() {
			facts = append(facts, "Default: `"+flow(plainValue(defaults.Field(s.Index)))+"`.")
			if s.Inner == nil {
				facts = append(facts, "Variable: `"+variable(key)+"`.")
			}
		}
		if s.Inner == nil {
			facts = append(facts, cmp.Or(reloadNote[s.Reload], "Needs a restart."))
		}
		if len(facts) > 0 {
			fmt.Fprintf(b, "\n%s\n", strings.Join(facts, " "))
		}
		writeSettings(b, s.Inner, reflect.Value{}, key+"[].")
	}
}

// sentence returns a text that begins with a capital letter, unless that is a name.
func sentence(text string) string {
	first, _, _ := strings.Cut(text, " ")
	if text == "" || strings.ContainsAny(first, "_.") {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

const metricsHead = pageHead + `
# Metrics

What ` + "`/metrics`" + ` tells Prometheus, besides ` + "`go_…` and `process_…`" + ` of the Go runtime. [observe.md](observe.md) says what to look at.

| metric | type | labels | |
|---|---|---|---|
`

func metricsPage() string {
	var b strings.Builder
	b.WriteString(metricsHead)
	for _, m := range broker.Metrics() {
		labels := ""
		if len(m.Labels) > 0 {
			labels = "`" + strings.Join(m.Labels, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Name, m.Type, labels, m.Help)
	}
	return b.String()
}

const commandsHead = pageHead + `
# Commands

` + "`ambit help COMMAND`" + ` prints the same, and ` + "`ambit completion SHELL`" + ` completes them.
`

func commandsPage(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString(commandsHead)
	writeCommands(&b, root)
	return b.String()
}

func writeCommands(b *strings.Builder, cmd *cobra.Command) {
	if cmd.Hidden || cmd.Name() == "help" {
		return
	}
	if cmd.HasParent() {
		fmt.Fprintf(b, "\n## %s\n\n%s\n", cmd.CommandPath(), strings.TrimSpace(cmp.Or(cmd.Long, cmd.Short+".")))
	}
	if cmd.Runnable() && cmd.HasParent() {
		fmt.Fprintf(b, "\n```\n%s\n```\n", cmd.UseLine())
	}
	if cmd.Example != "" {
		fmt.Fprintf(b, "\n```sh\n%s\n```\n", unindented(cmd.Example))
	}
	cmd.InheritedFlags() // has cobra find them
	var flags []string
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { flags = append(flags, flagRow(f)) })
	if flags = nonEmpty(flags); len(flags) > 0 && cmd.HasParent() {
		fmt.Fprintf(b, "\n| flag | |\n|---|---|\n%s", strings.Join(flags, ""))
	}
	for _, sub := range cmd.Commands() {
		writeCommands(b, sub)
	}
}

// flagRow returns a row of the table of flags, or "" for one that needs no words.
func flagRow(f *pflag.Flag) string {
	if f.Hidden || f.Name == "help" {
		return ""
	}
	name, usage := pflag.UnquoteUsage(f)
	text := "`--" + strings.TrimSpace(f.Name+" "+name) + "`"
	if f.Shorthand != "" {
		text = "`-" + f.Shorthand + "`, " + text
	}
	if def := f.DefValue; def != "" && def != "false" && def != "0" && def != "[]" && def != "0s" {
		usage += " (" + def + ")"
	}
	return "| " + text + " | " + strings.ReplaceAll(usage, "|", "\\|") + " |\n"
}

func nonEmpty(all []string) []string {
	var some []string
	for _, s := range all {
		if s != "" {
			some = append(some, s)
		}
	}
	return some
}

// unindented returns the lines of an example without the indent that all have.
func unindented(text string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimPrefix(l, "  ")
	}
	return strings.Join(lines, "\n")
}
