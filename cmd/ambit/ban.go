package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

const banHelp = `Ban a client identifier, a user, or an address or network of a broker that runs, list
the bans, and lift them. Whoever is banned is disconnected within a second (reason code
0x98), and not let in, by whatever way. Bans outlive the broker.

The broker is asked through its data directory, by whoever may read that.`

func newBan() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ban",
		Short: "Ban clients, users and networks",
		Long:  banHelp,
		Example: `  ambit ban create --network 203.0.113.0/24 --for 12h --reason "floods"
  ambit ban create --client truck-17
  ambit ban list
  ambit ban delete client:truck-17`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newBanCreate(), newBanList(), newBanDelete())
	return cmd
}

// A ban is one as the API has it.
type ban struct {
	ID        string `json:"_id"`
	Reason    string `json:"reason"`
	By        string `json:"by"`
	CreatedAt int64  `json:"createdAt"`
	ExpiresAt int64  `json:"expiresAt"`
}

func newBanCreate() *cobra.Command {
	cmd := &cobra.Command{Use: "create", Short: "Ban a client, a user or a network", Args: arguments(cobra.NoArgs)}
	addStoreFlags(cmd)
	flags := cmd.Flags()
	client := flags.String("client", "", "a client `identifier`")
	user := flags.String("user", "", "the `name` of a user")
	network := flags.String("network", "", "an `address`, or a network such as 10.1.0.0/16")
	reason := flags.String("reason", "", "why, for those who list the bans")
	asJSON := jsonFlag(cmd, "it as JSON")
	long := flags.String("for", "", "for how `long`, such as 15m or 7d (default: for ever)")
	cmd.MarkFlagsOneRequired("client", "user", "network")
	cmd.MarkFlagsMutuallyExclusive("client", "user", "network")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		request := map[string]any{"client": *client, "user": *user, "network": *network, "reason": *reason}
		if *long != "" {
			request["expiresIn"] = *long
		}
		var made ban
		if err := askBroker(cmd, "ban", "create", request, &made); err != nil {
			return err
		}
		until := "for ever"
		if made.ExpiresAt >= 0 {
			until = "until " + day(made.ExpiresAt)
		}
		return printDone(cmd, *asJSON, made, "%s is banned %s", made.ID, until)
	}
	return cmd
}

func newBanList() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List the bans", Args: arguments(cobra.NoArgs)}
	addStoreFlags(cmd)
	asJSON := cmd.Flags().Bool("json", false, "print them as JSON, one a line")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		all, err := askAll[ban](cmd, "ban", "list", map[string]any{})
		if err != nil {
			return err
		}
		return printRows(cmd.OutOrStdout(), *asJSON, "there are no bans", "ID\tMADE\tEXPIRES\tBY\tREASON", all, func(b ban) string {
			return fmt.Sprintf("%s\t%s\t%s\t%s\t%s", b.ID, day(b.CreatedAt), day(b.ExpiresAt), b.By, b.Reason)
		})
	}
	return cmd
}

func newBanDelete() *cobra.Command {
	cmd := &cobra.Command{Use: "delete ID", Short: "Lift a ban", Args: arguments(cobra.ExactArgs(1))}
	addStoreFlags(cmd)
	asJSON := jsonFlag(cmd, "the answer as JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var answer json.RawMessage
		if err := askBroker(cmd, "ban", "delete", map[string]any{"_id": args[0]}, &answer); err != nil {
			return err
		}
		return printDone(cmd, *asJSON, answer, "%s is not banned any more", args[0])
	}
	return cmd
}

// askAll asks for all pages of a list.
func askAll[T any](cmd *cobra.Command, controller, action string, request map[string]any) ([]T, error) {
	var all []T
	request["size"] = 1000
	for {
		var page struct {
			Hits  []T `json:"hits"`
			Total int `json:"total"`
		}
		request["from"] = len(all)
		if err := askBroker(cmd, controller, action, request, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Hits...)
		if len(page.Hits) == 0 || len(all) >= page.Total {
			return all, nil
		}
	}
}

// printRows prints a table, or lines of JSON.
func printRows[T any](out io.Writer, asJSON bool, none, head string, all []T, row func(T) string) error {
	if asJSON {
		lines := json.NewEncoder(out)
		for _, v := range all {
			if err := lines.Encode(v); err != nil {
				return err
			}
		}
		return nil
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(out, none)
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, err := fmt.Fprintln(table, head)
	for _, v := range all {
		if err == nil {
			_, err = fmt.Fprintln(table, row(v))
		}
	}
	if err != nil {
		return err
	}
	return table.Flush()
}
