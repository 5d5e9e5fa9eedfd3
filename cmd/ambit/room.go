package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

const roomHelp = `Give names to filters of a broker that runs. A client subscribes to
<index>/<collection>/@<name>, and need not know the filter. When the name points to
another filter, who subscribed by it is told which documents exit and which enter.

The broker is asked through its data directory, by whoever may read that.`

func newRoom() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "room",
		Short: "Give names to filters, and list them",
		Long:  roomHelp,
		Example: `  ambit room create fleet/trucks/@depot '{"geoDistance":{"pos":{"lat":48.1,"lon":11.5},"distance":"1km"}}'
  ambit room update fleet/trucks/@depot '{"geoDistance":{"pos":{"lat":48.1,"lon":11.5},"distance":"2km"}}'
  ambit room list fleet/trucks
  ambit room delete fleet/trucks/@depot`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newRoomAction("create", "NAME FILTER", "Give a name to a filter", 2),
		newRoomAction("update", "NAME FILTER", "Have a name point to another filter", 2),
		newRoomAction("delete", "NAME", "Delete a name: who subscribed by it is told that all documents exit", 1),
		newRoomAction("get", "NAME", "Show what a name points to", 1),
		newRoomList())
	return cmd
}

// A namedRoom is one as the API has it.
type namedRoom struct {
	Channel    string          `json:"channel"`
	RoomID     string          `json:"roomId"`
	Filter     json.RawMessage `json:"filter"`
	Members    int             `json:"members"`
	Configured bool            `json:"configured"`
}

// newRoomAction returns a command that asks for an action about one name.
func newRoomAction(action, use, short string, args int) *cobra.Command {
	cmd := &cobra.Command{Use: action + " " + use, Short: short, Long: short + ".", Args: arguments(cobra.ExactArgs(args))}
	addStoreFlags(cmd)
	asJSON := cmd.Flags().Bool("json", false, "print the answer as JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		parts := strings.SplitN(args[0], "/", 3)
		if len(parts) != 3 || !strings.HasPrefix(parts[2], "@") {
			return usageErrorf("%q is not <index>/<collection>/@<name>", args[0])
		}
		request := map[string]any{"index": parts[0], "collection": parts[1], "name": parts[2]}
		if len(args) == 2 {
			if !json.Valid([]byte(args[1])) {
				return usageErrorf("the filter is not valid JSON")
			}
			request["body"] = json.RawMessage(args[1])
		}
		var answer json.RawMessage
		if err := askBroker(cmd, "room", action, request, &answer); err != nil {
			return err
		}
		if *asJSON {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s\n", answer)
			return err
		}
		if action == "delete" {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is deleted\n", args[0])
			return err
		}
		var room namedRoom
		if err := json.Unmarshal(answer, &room); err != nil {
			return err
		}
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is %s, room %s\n", room.Channel, room.Filter, room.RoomID)
		return err
	}
	return cmd
}

func newRoomList() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list [COLLECTION]", Short: "List names, of all collections or one",
		Long: "List the names of rooms, of all collections or of one <index>/<collection>.",
		Args: arguments(cobra.MaximumNArgs(1)),
	}
	addStoreFlags(cmd)
	asJSON := cmd.Flags().Bool("json", false, "print them as JSON, one a line")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		request := map[string]any{"size": 1000}
		if len(args) == 1 {
			index, collection, ok := strings.Cut(args[0], "/")
			if !ok {
				return usageErrorf("%q is not <index>/<collection>", args[0])
			}
			request["index"], request["collection"] = index, collection
		}
		var all []json.RawMessage
		for {
			var page struct {
				Rooms []json.RawMessage `json:"rooms"`
				Total int               `json:"total"`
			}
			request["from"] = len(all)
			if err := askBroker(cmd, "room", "list", request, &page); err != nil {
				return err
			}
			if all = append(all, page.Rooms...); len(page.Rooms) == 0 || len(all) >= page.Total {
				return printRooms(cmd.OutOrStdout(), all, *asJSON)
			}
		}
	}
	return cmd
}

func printRooms(out io.Writer, all []json.RawMessage, asJSON bool) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if !asJSON {
		if _, err := fmt.Fprintln(table, "NAME\tMEMBERS\tFILTER"); err != nil {
			return err
		}
	}
	for _, text := range all {
		var room namedRoom
		err := json.Unmarshal(text, &room)
		switch {
		case err != nil:
		case asJSON:
			_, err = fmt.Fprintf(out, "%s\n", text)
		case room.Configured:
			_, err = fmt.Fprintf(table, "%s\t%d\t%s (a setting)\n", room.Channel, room.Members, room.Filter)
		default:
			_, err = fmt.Fprintf(table, "%s\t%d\t%s\n", room.Channel, room.Members, room.Filter)
		}
		if err != nil {
			return err
		}
	}
	return table.Flush()
}
