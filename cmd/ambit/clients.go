package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

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
  ambit client list --slow
  ambit client get truck-17
  ambit client disconnect truck-17 --reason "maintenance"
  ambit client trace truck-17`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newClientList(), newClientGet(), newClientDisconnect(), newClientTrace())
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
	Queued        int    `json:"queuedMessages"`
	Waiting       int64  `json:"waiting"`
	Dropped       int64  `json:"dropped"`
	HeldUp        int64  `json:"heldUp"`
	Slow          bool   `json:"slow"`
	InFlight      int    `json:"inFlight"`
	Since         int64  `json:"since"`
	Why           string `json:"why,omitempty"`

	Error   json.RawMessage `json:"error,omitempty"`
	Filters json.RawMessage `json:"filters,omitempty"`
}

func newClientList() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List the clients that are connected", Args: arguments(cobra.NoArgs)}
	addStoreFlags(cmd)
	asJSON := cmd.Flags().Bool("json", false, "print them as JSON, one a line")
	absent := cmd.Flags().Bool("absent", false, "also those whose session is kept")
	slow := cmd.Flags().Bool("slow", false, "those for whom something waits, or was too much before, the slowest first")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		all, err := askAll[mqttClient](cmd, "client", "list", map[string]any{"absent": *absent, "slow": *slow})
		if err != nil {
			return err
		}
		if *slow {
			return printSlow(cmd.OutOrStdout(), *asJSON, all)
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

// printSlow prints clients with what there is to know of their queues.
func printSlow(w io.Writer, asJSON bool, all []mqttClient) error {
	head := "ID\tUSER\tADDRESS\tTAKES NOTHING FOR\tQUEUED\tQUEUED BYTES\tDROPPED\tHELD UP\tPACE"
	return printRows(w, asJSON, "no client is slow", head, all, func(c mqttClient) string {
		address, pace := c.Address, "waited for"
		switch {
		case !c.Connected:
			address, pace = "absent", "-"
		case c.Slow:
			pace = "given up"
		}
		waiting := time.Duration(c.Waiting) * time.Millisecond
		return fmt.Sprintf("%s\t%s\t%s\t%v\t%d\t%d\t%d\t%d\t%s", c.ID, c.User, address, waiting, c.Queued, c.QueuedBytes, c.Dropped, c.HeldUp, pace)
	})
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
