package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

// jsonFlag adds --json, which every command has that prints something for people.
func jsonFlag(cmd *cobra.Command, what string) *bool {
	return cmd.Flags().Bool("json", false, "print "+what)
}

// printJSONLine prints a value as a line of JSON.
func printJSONLine(cmd *cobra.Command, v any) error {
	out := json.NewEncoder(cmd.OutOrStdout())
	out.SetEscapeHTML(false)
	return out.Encode(v)
}

// printDone prints what a command has done: a line of JSON, or a sentence.
func printDone(cmd *cobra.Command, asJSON bool, v any, format string, args ...any) error {
	if asJSON {
		return printJSONLine(cmd, v)
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), format+"\n", args...)
	return err
}

// A faultList is what a check answers in JSON.
type faultList struct {
	Faults []string `json:"faults"`
}

// printFaults prints the faults that an error joins as JSON, and ends the command with
// exit code 1 if there are any.
func printFaults(cmd *cobra.Command, err error) error {
	list := faultList{Faults: []string{}}
	for _, fault := range each(err) {
		list.Faults = append(list.Faults, fault.Error())
	}
	if err := printJSONLine(cmd, list); err != nil {
		return err
	}
	if len(list.Faults) > 0 {
		return &exitError{code: exitFailed}
	}
	return nil
}
