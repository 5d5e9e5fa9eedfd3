package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/ambitmq/ambit/broker"
)

func newConfig() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Look at the settings, and have a broker read them again",
		Args:  arguments(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConfigPrint(), newConfigCheck(), newConfigReload(), newTryTopic())
	return cmd
}

const configPrintHelp = `Print every setting with its value and what it means, as a file that
"ambit serve --config" reads: the settings that are in force for a broker that is
started here, from file and variables, or with --defaults what holds without any.`

const configHead = `# Settings of Ambit. A setting that is left out has its default.
# What is marked "Reload" counts when the broker reads its settings again (SIGHUP, or
# ambit config reload), at once or for connections that are made from then on. All else
# needs a restart.
`

func newConfigPrint() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "print",
		Short:   "Print every setting with its value and what it means",
		Long:    configPrintHelp,
		Example: "  ambit config print --defaults > ambit.yaml",
		Args:    arguments(cobra.NoArgs),
	}
	defaults := cmd.Flags().Bool("defaults", false, "print the defaults")
	asJSON := jsonFlag(cmd, "the values as a JSON object, which is a file of settings, too")
	addConfigFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg := broker.DefaultConfig()
		if !*defaults {
			var err error
			if cfg, err = loadConfig(cmd.Flags()); err != nil {
				return err
			}
		}
		if *asJSON {
			return printJSONLine(cmd, settingValues(broker.Settings(), reflect.ValueOf(cfg)))
		}
		var text strings.Builder
		text.WriteString(configHead)
		printSettings(&text, broker.Settings(), reflect.ValueOf(cfg), "")
		_, err := io.WriteString(cmd.OutOrStdout(), text.String())
		return err
	}
	return cmd
}

func addConfigFlag(cmd *cobra.Command) {
	cmd.Flags().String("config", "", "settings `file` in YAML (default: ./ambit.yaml, if there is one)")
}

// printSettings writes settings as YAML, with what they mean as comments.
func printSettings(to *strings.Builder, all []broker.Setting, values reflect.Value, indent string) {
	for _, s := range all {
		value := values.Field(s.Index)
		to.WriteString("\n")
		comment(to, s.Doc, indent)
		comment(to, reloadNote[s.Reload], indent)
		switch {
		case s.Type.Kind() == reflect.Struct:
			fmt.Fprintf(to, "%s%s:\n", indent, s.Key)
			printSettings(to, s.Inner, value, indent+"  ")
		case s.Inner != nil:
			fmt.Fprintf(to, "%s%s: %s\n", indent, s.Key, flow(plainValue(value)))
			comment(to, "Each has", indent)
			commentInner(to, s.Inner, indent+"#   ")
		default:
			fmt.Fprintf(to, "%s%s: %s\n", indent, s.Key, flow(plainValue(value)))
		}
	}
}

// settingValues returns the values of settings by their names.
func settingValues(all []broker.Setting, values reflect.Value) map[string]any {
	set := map[string]any{}
	for _, s := range all {
		set[s.Key] = plainValue(values.Field(s.Index))
		if s.Type.Kind() == reflect.Struct {
			set[s.Key] = settingValues(s.Inner, values.Field(s.Index))
		}
	}
	return set
}

// reloadNote says when a setting counts that is read again.
var reloadNote = map[string]string{"now": "Reload: at once.", "connections": "Reload: for new connections."}

// commentInner lists, as a comment, the settings that an item of a list has.
func commentInner(to *strings.Builder, inner []broker.Setting, prefix string) {
	for _, s := range inner {
		doc := strings.Join(strings.Fields(s.Doc), " ")
		if note := reloadNote[s.Reload]; note != "" {
			doc += " " + note
		}
		fmt.Fprintf(to, "%s%s: %s\n", prefix, s.Key, strings.TrimPrefix(doc, s.Key+" "))
		commentInner(to, s.Inner, prefix+"  ")
	}
}

func comment(to *strings.Builder, text, indent string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\n"); line != "" {
			line = " " + line
		}
		to.WriteString(indent + "#" + line + "\n")
	}
}

// plainValue returns a value as YAML has it.
func plainValue(v reflect.Value) any {
	switch x := v.Interface().(type) {
	case time.Duration:
		return shortDuration(x)
	case map[string]any:
		return x
	}
	switch v.Kind() {
	case reflect.Slice:
		list := []any{}
		for i := range v.Len() {
			list = append(list, plainValue(v.Index(i)))
		}
		return list
	case reflect.Struct:
		set := map[string]any{}
		for i := range v.NumField() {
			if f := v.Field(i); !f.IsZero() {
				set[v.Type().Field(i).Tag.Get("mapstructure")] = plainValue(f)
			}
		}
		return set
	default:
		return v.Interface()
	}
}

// shortDuration returns 24h for 24h0m0s.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// flow returns a value in one line of YAML.
func flow(v any) string {
	var n yaml.Node
	if err := n.Encode(v); err != nil {
		panic(err) // settings are text, numbers and lists of them
	}
	n.Style |= yaml.FlowStyle
	text, err := yaml.Marshal(&n)
	if err != nil {
		panic(err)
	}
	return strings.TrimRight(string(text), "\n")
}

func newConfigCheck() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Look for faults in the settings",
		Long: `Look for faults in the settings that a broker which is started here would have,
or in a file of settings. Every fault is told, with the line where it is; the exit
code is 1 then. Nothing is started.`,
		Example: "  ambit config check /etc/ambit/ambit.yaml",
		Args:    arguments(cobra.MaximumNArgs(1)),
	}
	addConfigFlag(cmd)
	asJSON := jsonFlag(cmd, "a JSON object with the faults")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			if err := cmd.Flags().Set("config", args[0]); err != nil {
				return err
			}
		}
		cfg, err := loadConfig(cmd.Flags())
		err = errors.Join(err, broker.CheckFiles(cfg))
		if *asJSON {
			return printFaults(cmd, err)
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), "the settings are sound")
		return err
	}
	return cmd
}

const tryTopicHelp = `Show the document that a message becomes, by the mappings of the settings or of
--preset. PAYLOAD is the message; - reads it from the standard input.`

func newTryTopic() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "try-topic TOPIC PAYLOAD",
		Short: "Show the document that a message becomes",
		Long:  tryTopicHelp,
		Example: `  ambit config try-topic --preset owntracks owntracks/ann/phone '{"_type":"location","lat":48.1,"lon":11.5,"tst":1}'
  mosquitto_sub -C 1 -t zigbee2mqtt/lamp | ambit config try-topic zigbee2mqtt/lamp -`,
		Args: arguments(cobra.ExactArgs(2)),
	}
	addConfigFlag(cmd)
	preset := cmd.Flags().String("preset", "", "a `convention` that is tried, whatever the settings say: owntracks, tasmota or zigbee2mqtt")
	asJSON := cmd.Flags().Bool("json", false, "print a JSON object")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := loadConfig(cmd.Flags())
		if err != nil {
			return err
		}
		if *preset != "" {
			cfg.Mappings = []broker.Mapping{{Preset: *preset}}
			if err := cfg.Validate(); err != nil {
				return usageErrorf("--preset: %w", err)
			}
		}
		payload := []byte(args[1])
		if args[1] == "-" {
			if payload, err = io.ReadAll(cmd.InOrStdin()); err != nil {
				return err
			}
		}
		w, err := broker.TryTopic(cfg, args[0], payload)
		if err != nil {
			return err
		}
		return printWritten(cmd.OutOrStdout(), w, *asJSON)
	}
	return cmd
}

// printWritten says what a message does.
func printWritten(to io.Writer, w broker.Written, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(to).Encode(w)
	}
	if w.Topic == "" {
		_, err := fmt.Fprintln(to, "an ordinary message, and no document")
		return err
	}
	what := "replaces"
	switch {
	case len(w.Document) == 0:
		what = "deletes"
	case w.Merge:
		what = "is merged into"
	}
	if _, err := fmt.Fprintf(to, "%s %s\n", what, w.Topic); err != nil || len(w.Document) == 0 {
		return err
	}
	v := jsontext.Value(w.Document)
	if err := v.Indent(jsontext.WithIndent("  ")); err != nil {
		return err
	}
	_, err := fmt.Fprintln(to, string(v))
	return err
}
