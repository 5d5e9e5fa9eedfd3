package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ambitmq/ambit/mappings"
)

// completionTimeout is how long whoever presses the tab key waits for a broker.
const completionTimeout = 2 * time.Second

// flagValues are the values of flags, by their names, that a shell may offer.
func flagValues() map[string][]string {
	return map[string][]string{
		"anonymous":  {"none", "loopback", "all"},
		"log-level":  {"debug", "info", "warn", "error"},
		"log-format": {"auto", "text", "json"},
		"qos":        {"0", "1", "2"},
		"scope":      {"in", "out", "all"},
		"payload":    {"full", "document", "none"},
		"transition": {"enter", "stay", "exit"},
		"preset":     mappings.Presets(),
		"city":       cityNames(),
	}
}

// An offer returns what an argument of a command may be.
type offer func(cmd *cobra.Command, typed string) []string

// argumentOffers are those of commands, by their paths: the first argument, or any.
func argumentOffers() map[string]offer {
	return map[string]offer{
		"room update":       offerOf("room", "list", "rooms", "channel"),
		"room delete":       offerOf("room", "list", "rooms", "channel"),
		"room get":          offerOf("room", "list", "rooms", "channel"),
		"room list":         offerCollections,
		"client get":        offerOf("client", "list", "hits", "_id"),
		"client disconnect": offerOf("client", "list", "hits", "_id"),
		"ban delete":        offerOf("ban", "list", "hits", "_id"),
		"apikey revoke":     offerOf("security", "searchApiKeys", "hits", "_id"),
		"doc search":        offerCollections,
		"doc count":         offerCollections,
	}
}

// addCompletions has shells offer values of flags and arguments.
func addCompletions(root *cobra.Command) {
	values, offers := flagValues(), argumentOffers()
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			var err error
			switch {
			case values[f.Name] != nil && f.Value.Type() != "bool":
				err = cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(values[f.Name], cobra.ShellCompDirectiveNoFileComp))
			case f.Name == "data" || f.Name == "dir":
				err = cmd.MarkFlagDirname(f.Name)
			case f.Name == "config" || f.Name == "policy":
				err = cmd.MarkFlagFilename(f.Name, "yaml", "yml")
			}
			if err != nil {
				panic(err) // there is such a flag
			}
		})
		if o := offers[strings.TrimPrefix(cmd.CommandPath(), "ambit ")]; o != nil {
			cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
				if len(args) > 0 {
					return nil, cobra.ShellCompDirectiveNoFileComp
				}
				return o(cmd, typed), cobra.ShellCompDirectiveNoFileComp
			}
		}
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	walk(root)
}

// offerOf offers a member of each item of a list that the broker has, if one runs.
func offerOf(controller, action, list, member string) offer {
	return func(cmd *cobra.Command, typed string) []string {
		var answer map[string]any
		if err := askSoon(cmd, controller, action, map[string]any{"size": 200}, &answer); err != nil {
			return nil
		}
		items, _ := answer[list].([]any)
		var all []string
		for _, item := range items {
			item, _ := item.(map[string]any)
			if text, ok := item[member].(string); ok && strings.HasPrefix(text, typed) {
				all = append(all, text)
			}
		}
		return all
	}
}

// offerCollections offers the collections that there are.
func offerCollections(cmd *cobra.Command, typed string) []string {
	var indexes struct{ Indexes []string }
	if err := askSoon(cmd, "index", "list", nil, &indexes); err != nil {
		return nil
	}
	var all []string
	for _, index := range indexes.Indexes {
		var list struct{ Collections []struct{ Name string } }
		if err := askSoon(cmd, "collection", "list", map[string]any{"index": index}, &list); err != nil {
			return all
		}
		for _, c := range list.Collections {
			if name := index + "/" + c.Name; strings.HasPrefix(name, typed) {
				all = append(all, name)
			}
		}
	}
	return all
}

// askSoon asks the broker, and gives up when nobody would wait.
func askSoon(cmd *cobra.Command, controller, action string, request map[string]any, result any) error {
	parent := cmd.Context()
	if parent == nil {
		parent = context.Background()
	}
	ctx, cancel := context.WithTimeout(parent, completionTimeout)
	defer cancel()
	defer cmd.SetContext(parent)
	cmd.SetContext(ctx)
	return askBroker(cmd, controller, action, request, result)
}
