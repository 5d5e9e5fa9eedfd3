package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"
)

const docHelp = `Read, write, delete and search the documents of a broker that runs. A document is named
as a device publishes it: <index>/<collection>/<id>. Who is in a room is told of a write as
of any other.

The broker is asked through its data directory, by whoever may read that, and does it as its
operator, who may do everything. "ambit pub" writes over the network, as a user.`

func newDoc() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doc",
		Short: "Read, write, delete and search documents",
		Long:  docHelp,
		Example: `  ambit doc put fleet/trucks/42 '{"speed":60}'
  ambit doc get fleet/trucks/42
  ambit doc search fleet/trucks '{"range":{"speed":{"gt":50}}}' --sort -speed
  ambit doc delete fleet/trucks/42
  ambit doc list`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDocGet(), newDocPut(), newDocDelete(), newDocSearch(), newDocCount(), newDocList())
	return cmd
}

// A storedDoc is a document as the API has it.
type storedDoc struct {
	ID      string          `json:"_id"`
	Source  json.RawMessage `json:"_source"`
	Version int             `json:"_version"`
	Created *bool           `json:"created,omitempty"`
}

// documentOf returns the request about a document.
func documentOf(topic string) (map[string]any, error) {
	parts := strings.SplitN(topic, "/", 3)
	if len(parts) != 3 || parts[2] == "" {
		return nil, usageErrorf("%q is not <index>/<collection>/<id>", topic)
	}
	return map[string]any{"index": parts[0], "collection": parts[1], "_id": parts[2]}, nil
}

// collectionOf returns the request about a collection.
func collectionOf(name string) (map[string]any, error) {
	index, collection, ok := strings.Cut(strings.Trim(name, "/"), "/")
	if !ok || strings.Contains(collection, "/") {
		return nil, usageErrorf("%q is not <index>/<collection>", name)
	}
	return map[string]any{"index": index, "collection": collection}, nil
}

func newDocGet() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "get TOPIC",
		Short: "Print a document",
		Long: `Print a document as it was written. With --json it comes with its version, and who wrote it
when, in _kuzzle_info.`,
		Example: "  ambit doc get fleet/trucks/42",
		Args:    arguments(cobra.ExactArgs(1)),
	}
	addStoreFlags(cmd)
	asJSON := jsonFlag(cmd, "the answer as a line of JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		request, err := documentOf(args[0])
		if err != nil {
			return err
		}
		var doc storedDoc
		if err := askBroker(cmd, "document", "get", request, &doc); err != nil {
			return err
		}
		if *asJSON {
			return printJSONLine(cmd, doc)
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", written(doc.Source))
		return err
	}
	return cmd
}

// written returns a document as it was written: without what the broker adds.
func written(source json.RawMessage) jsontext.Value {
	d, out := jsontext.NewDecoder(bytes.NewReader(source)), []byte(nil)
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return jsontext.Value(source)
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadValue()
		if err != nil {
			return jsontext.Value(source)
		}
		name = name.Clone()
		value, err := d.ReadValue()
		if err != nil {
			return jsontext.Value(source)
		}
		if string(name) != `"_kuzzle_info"` {
			out = append(append(append(append(out, ','), name...), ':'), value...)
		}
	}
	if len(out) > 0 {
		out = out[1:]
	}
	return jsontext.Value("{" + string(out) + "}")
}

func newDocPut() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "put TOPIC [DOCUMENT|-]",
		Short: "Write a document",
		Long: `Write a document: DOCUMENT, a JSON object, or --file, or the standard input as -. It replaces
the one that is there; with --create it must not be there, and with --update it is merged into
the one that is.`,
		Example: `  ambit doc put fleet/trucks/42 '{"speed":60}'
  ambit doc put fleet/trucks/42 --update '{"driver":"ann"}'`,
		Args: arguments(cobra.RangeArgs(1, 2)),
	}
	addStoreFlags(cmd)
	file := cmd.Flags().StringP("file", "f", "", "`file` that holds the document")
	create := cmd.Flags().Bool("create", false, "only if it is not there")
	update := cmd.Flags().Bool("update", false, "merge it into the one that is there")
	cmd.MarkFlagsMutuallyExclusive("create", "update")
	asJSON := jsonFlag(cmd, "the answer as a line of JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		action := "createOrReplace"
		if *create {
			action = "create"
		} else if *update {
			action = "update"
		}
		request, err := documentOf(args[0])
		if err != nil {
			return err
		}
		body, err := readDocument(cmd.InOrStdin(), *file, args[1:])
		if err != nil {
			return err
		}
		request["body"] = body
		var doc storedDoc
		if err := askBroker(cmd, "document", action, request, &doc); err != nil {
			return err
		}
		return printDone(cmd, *asJSON, doc, "%s is written, version %d", args[0], doc.Version)
	}
	return cmd
}

// readDocument reads the one of a file, the standard input, or an argument.
func readDocument(stdin io.Reader, file string, args []string) (json.RawMessage, error) {
	var text []byte
	var err error
	switch {
	case (file != "") == (len(args) > 0):
		return nil, usageErrorf("give one of DOCUMENT, - (the standard input) and --file")
	case file != "":
		text, err = os.ReadFile(file)
	case args[0] == "-":
		text, err = io.ReadAll(stdin)
	default:
		text = []byte(args[0])
	}
	if err == nil && !json.Valid(text) {
		err = errors.New("the document is not valid JSON")
	}
	return text, err
}

func newDocDelete() *cobra.Command {
	cmd := &cobra.Command{
		Use: "delete TOPIC", Short: "Delete a document", Long: "Delete a document. Who is in a room with it is told that it exits.",
		Example: "  ambit doc delete fleet/trucks/42", Args: arguments(cobra.ExactArgs(1)),
	}
	addStoreFlags(cmd)
	asJSON := jsonFlag(cmd, "the answer as a line of JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		request, err := documentOf(args[0])
		if err != nil {
			return err
		}
		var answer json.RawMessage
		if err := askBroker(cmd, "document", "delete", request, &answer); err != nil {
			return err
		}
		return printDone(cmd, *asJSON, answer, "%s is deleted", args[0])
	}
	return cmd
}
