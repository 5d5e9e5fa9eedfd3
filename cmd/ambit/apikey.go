package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ambitmq/ambit/broker"
)

const apiKeyHelp = `Make, list and revoke API keys of a broker that runs. A key is shown once, when it
is made. It is used as an MQTT password, with any or no user name but that of
another user, or over HTTP as "Authorization: Bearer KEY".

The broker is asked through its data directory, by whoever may read that.`

func newAPIKey() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "apikey",
		Short: "Make, list and revoke API keys",
		Long:  apiKeyHelp,
		Example: `  ambit apikey create dashboard --description "the wall" --origin https://maps.example.com --expires 90d
  ambit apikey list
  ambit apikey revoke 3k7fzq2mxn5c6w4d`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newAPIKeyCreate(), newAPIKeyList(), newAPIKeyRevoke())
	return cmd
}

// An apiKey is one as the API has it.
type apiKey struct {
	ID     string `json:"_id"`
	Source struct {
		UserID      string         `json:"userId"`
		Description string         `json:"description"`
		CreatedAt   int64          `json:"createdAt"`
		ExpiresAt   int64          `json:"expiresAt"`
		Roles       []string       `json:"roles"`
		Origins     []string       `json:"origins"`
		Networks    []netip.Prefix `json:"networks"`
		Token       string         `json:"token"`
	} `json:"_source"`
}

func newAPIKeyCreate() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create USER",
		Short: "Make an API key of a user, and print it",
		Long: `Make an API key of a user, and print it. Whoever has it is that user. If the user
is in the file of users, the key has the user's roles and attributes, or those of
them that are named, and counts as long as the user is there; else it has what is
named.`,
		Args: arguments(cobra.ExactArgs(1)),
	}
	addStoreFlags(cmd)
	flags := cmd.Flags()
	description := flags.String("description", "", "what it is for")
	expires := flags.String("expires", "", "for how `long` it counts, such as 12h or 90d (default: for ever)")
	roles := flags.StringArray("role", nil, "a `role`; may be given several times")
	attributes := flags.StringArray("attribute", nil, "an attribute, `name=value`; may be given several times")
	origins := flags.StringArray("origin", nil, "an `origin` of pages that may use it, such as https://*.example.com; then others may not")
	networks := flags.StringArray("network", nil, "a `network` that it may come from, such as 10.1.0.0/16; then no other")
	asJSON := flags.Bool("json", false, "print it as JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		body := map[string]any{"description": *description, "origins": *origins, "networks": *networks}
		if flags.Changed("role") || flags.Changed("attribute") {
			named, err := readAttributes(*attributes)
			if err != nil {
				return err
			}
			body["roles"], body["attributes"] = *roles, named
		}
		request := map[string]any{"userId": args[0], "body": body}
		if *expires != "" {
			request["expiresIn"] = *expires
		}
		var key apiKey
		if err := askBroker(cmd, "security", "createApiKey", request, &key); err != nil {
			return err
		}
		out := cmd.OutOrStdout()
		if *asJSON {
			return json.NewEncoder(out).Encode(key)
		}
		say(cmd.ErrOrStderr(), "API key %s of %s; nobody can show it again", key.ID, args[0])
		_, err := fmt.Fprintln(out, key.Source.Token)
		return err
	}
	return cmd
}

func newAPIKeyList() *cobra.Command {
	cmd := &cobra.Command{Use: "list [USER]", Short: "List the API keys, or those of a user", Args: arguments(cobra.MaximumNArgs(1))}
	addStoreFlags(cmd)
	asJSON := cmd.Flags().Bool("json", false, "print them as JSON, one a line")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		request := map[string]any{"size": 1000}
		if len(args) == 1 {
			request["userId"] = args[0]
		}
		var all []apiKey
		for {
			var page struct {
				Hits  []apiKey `json:"hits"`
				Total int      `json:"total"`
			}
			request["from"] = len(all)
			if err := askBroker(cmd, "security", "searchApiKeys", request, &page); err != nil {
				return err
			}
			all = append(all, page.Hits...)
			if len(page.Hits) == 0 || len(all) >= page.Total {
				return printAPIKeys(cmd.OutOrStdout(), all, *asJSON)
			}
		}
	}
	return cmd
}

func printAPIKeys(out io.Writer, keys []apiKey, asJSON bool) error {
	if asJSON {
		lines := json.NewEncoder(out)
		for _, k := range keys {
			if err := lines.Encode(k); err != nil {
				return err
			}
		}
		return nil
	}
	if len(keys) == 0 {
		_, err := fmt.Fprintln(out, "there are no API keys")
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, err := fmt.Fprintln(table, "ID\tUSER\tMADE\tEXPIRES\tBOUND TO\tDESCRIPTION")
	for _, k := range keys {
		if err != nil {
			return err
		}
		var bounds []string
		bounds = append(bounds, k.Source.Origins...)
		for _, n := range k.Source.Networks {
			bounds = append(bounds, n.String())
		}
		_, err = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Source.UserID, day(k.Source.CreatedAt), day(k.Source.ExpiresAt),
			strings.Join(bounds, " "), k.Source.Description)
	}
	if err != nil {
		return err
	}
	return table.Flush()
}

// day returns a time in milliseconds as people read it, or "never".
func day(millis int64) string {
	if millis < 0 {
		return "never"
	}
	return time.UnixMilli(millis).UTC().Format("2006-01-02 15:04")
}

func newAPIKeyRevoke() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "revoke ID",
		Short: "Revoke an API key",
		Long:  "Revoke an API key. Clients that came in with it are disconnected within a second.",
		Args:  arguments(cobra.ExactArgs(1)),
	}
	addStoreFlags(cmd)
	asJSON := jsonFlag(cmd, "the answer as JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var answer json.RawMessage
		if err := askBroker(cmd, "security", "deleteApiKey", map[string]any{"_id": args[0]}, &answer); err != nil {
			return err
		}
		return printDone(cmd, *asJSON, answer, "API key %s is revoked", args[0])
	}
	return cmd
}

// askBroker makes a request of the broker that runs on the data directory of a command.
func askBroker(cmd *cobra.Command, controller, action string, request map[string]any, result any) error {
	cfg, err := loadConfig(cmd.Flags())
	if err != nil {
		return err
	}
	return unlessRunning(broker.Ask(cmd.Context(), cfg.Data, controller, action, request, result))
}

// unlessRunning gives an error the exit code of an unreachable broker, if none runs.
func unlessRunning(err error) error {
	if errors.Is(err, broker.ErrNotRunning) {
		return &exitError{exitUnreachable, err}
	}
	return err
}
