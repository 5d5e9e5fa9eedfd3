package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

func newClient() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "client",
		Short: "List and disconnect MQTT clients",
		Long: `List the MQTT clients of a broker that runs, and end the connection of one. It may
connect again; see ambit ban.

The broker is asked through its data directory, by whoever may read that.`,
		Example: `  ambit client list
  ambit client get truck-17
  ambit client disconnect truck-17 --reason "maintenance"`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newClientList(), newClientGet(), newClientDisconnect())
	return cmd
}

// An mqttClient is one as the API has it.
type mqttClient struct {
	ID            string `json:"_id"`
	Connected     bool   `json:"connected"`
	User          string `json:"user,omitempty"`
	Address       string `json:"address,omitempty"`
	Listener      string `json:"listener,omitempty"`
	Protocol      int    `json:"protocol"`
	Subscriptions int    `json:"subscriptions"`
	Rooms         int    `json:"rooms"`
	QueuedBytes   int    `json:"queuedBytes"`
	Since         int64  `json:"since"`
}

func newClientList() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List the clients that are connected", Args: arguments(cobra.NoArgs)}
	addStoreFlags(cmd)
	asJSON := cmd.Flags().Bool("json", false, "print them as JSON, one a line")
	absent := cmd.Flags().Bool("absent", false, "also those whose session is kept")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		all, err := askAll[mqttClient](cmd, "client", "list", map[string]any{"absent": *absent})
		if err != nil {
			return err
		}
		head := "ID\tUSER\tADDRESS\tSINCE\tSUBSCRIPTIONS\tQUEUED BYTES"
		return printRows(cmd.OutOrStdout(), *asJSON, "there are no clients", head, all, func(c mqttClient) string {
			address := c.Address
			if !c.Connected {
				address = "absent"
			}
			return fmt.Sprintf("%s\t%s\t%s\t%s\t%d\t%d", c.ID, c.User, address, day(c.Since), c.Subscriptions, c.QueuedBytes)
		})
	}
	return cmd
}

func newClientGet() *cobra.Command {
	cmd := &cobra.Command{Use: "get ID", Short: "Print what there is of a client, as JSON", Args: arguments(cobra.ExactArgs(1))}
	addStoreFlags(cmd)
	asJSON := jsonFlag(cmd, "it in one line")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var c mqttClient
		if err := askBroker(cmd, "client", "get", map[string]any{"_id": args[0]}, &c); err != nil {
			return err
		}
		if *asJSON {
			return printJSONLine(cmd, c)
		}
		out := json.NewEncoder(cmd.OutOrStdout())
		out.SetIndent("", "  ")
		return out.Encode(c)
	}
	return cmd
}

func newClientDisconnect() *cobra.Command {
	cmd := &cobra.Command{Use: "disconnect ID", Short: "End the connection of a client (0x98)", Args: arguments(cobra.ExactArgs(1))}
	addStoreFlags(cmd)
	reason := cmd.Flags().String("reason", "", "a text that an MQTT 5 client is told")
	asJSON := jsonFlag(cmd, "the answer as JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var answer json.RawMessage
		if err := askBroker(cmd, "client", "disconnect", map[string]any{"_id": args[0], "reason": *reason}, &answer); err != nil {
			return err
		}
		return printDone(cmd, *asJSON, answer, "%s is disconnected", args[0])
	}
	return cmd
}
