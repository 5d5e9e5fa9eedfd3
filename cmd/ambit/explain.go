package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ambitmq/ambit/broker"
	"github.com/ambitmq/ambit/filter"
)

const explainHelp = `Say clause by clause why a document is in the scope of a filter, or is not.

  yes  and
  yes    equals {"type":"van"}              it is "van"
  no     range {"speed":{"gt":50}}          it is 30

The filter is shown in its canonical form. Behind each clause is the value that the
document has in its field.

The document is a JSON object: DOCUMENT, or --file, or the standard input as -. With
--id, it is the one that is stored under <index>/<collection>/<id> by the broker that
runs on the data directory. A filter that begins with @ is read from a file.

Exit codes: 0 explained, 1 the filter or the document cannot be read, 2 wrong usage, 3 no broker
runs.`

// explainOptions are the flags of ambit explain.
type explainOptions struct {
	file   string
	id     string
	asJSON bool
}

func newExplain() *cobra.Command {
	var o explainOptions
	cmd := &cobra.Command{
		Use:   "explain FILTER [DOCUMENT|-]",
		Short: "Say clause by clause why a document matches a filter, or does not",
		Long:  explainHelp,
		Example: `  ambit explain '{"range":{"speed":{"gt":50}}}' '{"speed":30}'
  ambit explain --file truck.json @fence.json
  ambit explain --data /var/lib/ambit --id fleet/trucks/42 '{"exists":"speed"}'`,
		Args: arguments(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	addStoreFlags(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&o.file, "file", "f", "", "`file` that holds the document")
	flags.StringVar(&o.id, "id", "", "`topic` of a document that is stored")
	flags.BoolVar(&o.asJSON, "json", false, "print the explanation as JSON, as realtime:explain answers")
	return cmd
}

// An explainAnswer is what realtime:explain answers, but for the room.
type explainAnswer struct {
	Matches bool               `json:"matches"`
	Explain filter.Explanation `json:"explain"`
}

func (o *explainOptions) run(cmd *cobra.Command, args []string) error {
	sources := len(args) - 1
	for _, given := range []string{o.file, o.id} {
		if given != "" {
			sources++
		}
	}
	if sources != 1 {
		return usageErrorf("give one of DOCUMENT, - (the standard input), --file and --id")
	}
	text := []byte(args[0])
	if name, ok := strings.CutPrefix(args[0], "@"); ok {
		var err error
		if text, err = os.ReadFile(name); err != nil {
			return err
		}
	}
	f, err := filter.ParseWithin(text, filter.NoLimits())
	if err != nil {
		return fmt.Errorf("filter: %w", err)
	}
	var e explainAnswer
	if o.id != "" {
		e, err = o.ask(cmd, text)
	} else {
		e, err = o.explain(cmd.InOrStdin(), f, args[1:])
	}
	if err != nil {
		return err
	}
	out := bufio.NewWriter(cmd.OutOrStdout())
	if o.asJSON {
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		err = enc.Encode(e)
	} else {
		printExplanation(out, e.Explain, isTerminal(cmd.OutOrStdout()) && os.Getenv("NO_COLOR") == "")
	}
	return errors.Join(err, out.Flush())
}

// explain explains a document that is given.
func (o *explainOptions) explain(stdin io.Reader, f *filter.Filter, args []string) (e explainAnswer, err error) {
	var text []byte
	switch {
	case o.file != "":
		text, err = os.ReadFile(o.file)
	case args[0] == "-":
		text, err = io.ReadAll(stdin)
	default:
		text = []byte(args[0])
	}
	if err != nil {
		return e, err
	}
	d, err := filter.ParseDocument(text, filter.DocumentLimits{})
	if err != nil {
		return e, fmt.Errorf("document: %w", err)
	}
	return explainAnswer{f.Match(d), f.Explain(d)}, nil
}

// ask has the broker explain a document that is stored.
func (o *explainOptions) ask(cmd *cobra.Command, text json.RawMessage) (e explainAnswer, err error) {
	index, rest, _ := strings.Cut(o.id, "/")
	collection, id, ok := strings.Cut(rest, "/")
	if !ok || id == "" {
		return e, usageErrorf("--id %q: must be <index>/<collection>/<id>", o.id)
	}
	cfg, err := loadConfig(cmd.Flags())
	if err != nil {
		return e, err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), cfg.Limits.RequestTimeout)
	defer cancel()
	err = unlessRunning(broker.Ask(ctx, cfg.Data, "realtime", "explain", map[string]any{
		"index": index, "collection": collection, "_id": id, "body": map[string]any{"query": text},
	}, &e))
	return e, err
}
