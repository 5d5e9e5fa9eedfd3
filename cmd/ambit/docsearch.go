package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// searchPage is how many documents are asked for at a time.
const searchPage = 500

func newDocSearch() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "search COLLECTION [FILTER]",
		Short: "Print the documents that match a filter",
		Long: `Print the documents of a collection that match a filter, all of them without one: a line
each, with id and body. They come page by page, as the collection is then.`,
		Example: `  ambit doc search fleet/trucks
  ambit doc search fleet/trucks '{"range":{"speed":{"gt":50}}}' --sort -speed,name --limit 10`,
		Args: arguments(cobra.RangeArgs(1, 2)),
	}
	addStoreFlags(cmd)
	sort := cmd.Flags().StringSlice("sort", nil, "`fields` to sort by, separated by commas; one with a dash before it downwards")
	limit := cmd.Flags().Int("limit", 0, "print so many at most (0: all)")
	asJSON := jsonFlag(cmd, "hits as JSON, one a line, with versions and _kuzzle_info")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		request, err := searchOf(args, *sort)
		if err != nil {
			return err
		}
		for printed := 0; ; {
			var page struct {
				Hits    []storedDoc `json:"hits"`
				Cursor  string      `json:"cursor"`
				Partial bool        `json:"partial"`
				Scanned int         `json:"scanned"`
			}
			request["size"] = searchPage
			if *limit > 0 {
				request["size"] = min(searchPage, *limit-printed)
			}
			if err := askBroker(cmd, "document", "search", request, &page); err != nil {
				return err
			}
			for _, doc := range page.Hits {
				if err := printHit(cmd, doc, *asJSON); err != nil {
					return err
				}
			}
			printed += len(page.Hits)
			if page.Cursor == "" || *limit > 0 && printed >= *limit {
				if page.Partial {
					return fmt.Errorf("the search looked at %d documents, as many as it may (limits.scan_documents), and there are more", page.Scanned)
				}
				return nil
			}
			request["cursor"] = page.Cursor
		}
	}
	return cmd
}

// searchOf returns the request of a search.
func searchOf(args, sort []string) (map[string]any, error) {
	request, err := collectionOf(args[0])
	if err != nil {
		return nil, err
	}
	body := map[string]any{}
	if len(args) == 2 {
		if !json.Valid([]byte(args[1])) {
			return nil, usageErrorf("the filter is not valid JSON")
		}
		body["query"] = json.RawMessage(args[1])
	}
	var by []any
	for _, field := range sort {
		name, down := strings.CutPrefix(field, "-")
		if name == "" {
			return nil, usageErrorf("--sort %q: must be a field", field)
		}
		direction := "asc"
		if down {
			direction = "desc"
		}
		by = append(by, map[string]string{name: direction})
	}
	if by != nil {
		body["sort"] = by
	}
	request["body"] = body
	return request, nil
}

func printHit(cmd *cobra.Command, doc storedDoc, asJSON bool) error {
	if asJSON {
		return printJSONLine(cmd, doc)
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s  %s\n", doc.ID, written(doc.Source))
	return err
}

func newDocCount() *cobra.Command {
	cmd := &cobra.Command{
		Use: "count COLLECTION [FILTER]", Short: "Print how many documents match a filter",
		Long:    "Print how many documents of a collection match a filter; without one, how many there are.",
		Example: `  ambit doc count fleet/trucks '{"exists":"speed"}'`, Args: arguments(cobra.RangeArgs(1, 2)),
	}
	addStoreFlags(cmd)
	asJSON := jsonFlag(cmd, "the answer as a line of JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		request, err := searchOf(args, nil)
		if err != nil {
			return err
		}
		var answer struct {
			Count   int  `json:"count"`
			Scanned int  `json:"scanned"`
			Partial bool `json:"partial"`
		}
		if err := askBroker(cmd, "document", "count", request, &answer); err != nil {
			return err
		}
		if answer.Partial && !*asJSON {
			return printDone(cmd, false, nil, "%d of the first %d", answer.Count, answer.Scanned)
		}
		return printDone(cmd, *asJSON, answer, "%d", answer.Count)
	}
	return cmd
}

func newDocList() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List the collections, with how many documents they have",
		Long:    "List the collections, with how many documents each has, and their bytes.",
		Example: "  ambit doc list", Args: arguments(cobra.NoArgs),
	}
	addStoreFlags(cmd)
	asJSON := jsonFlag(cmd, "them as JSON, one a line")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var answer struct {
			Indexes []struct {
				Name        string `json:"name"`
				Collections []struct {
					Name      string `json:"name"`
					Documents int    `json:"documentCount"`
					Size      int    `json:"size"`
				} `json:"collections"`
			} `json:"indexes"`
			Partial bool `json:"partial"`
		}
		if err := askBroker(cmd, "index", "stats", nil, &answer); err != nil {
			return err
		}
		table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
		if !*asJSON {
			_, _ = fmt.Fprintln(table, "COLLECTION\tDOCUMENTS\tBYTES") // its error is that of Flush
		}
		for _, index := range answer.Indexes {
			for _, c := range index.Collections {
				name := index.Name + "/" + c.Name
				if !*asJSON {
					_, _ = fmt.Fprintf(table, "%s\t%d\t%d\n", name, c.Documents, c.Size) // as above
					continue
				}
				err := printJSONLine(cmd, map[string]any{"collection": name, "documents": c.Documents, "bytes": c.Size})
				if err != nil {
					return err
				}
			}
		}
		if answer.Partial {
			say(cmd.ErrOrStderr(), "the list is not whole: there are more documents than a request may look at (limits.scan_documents)")
		}
		return table.Flush()
	}
	return cmd
}
