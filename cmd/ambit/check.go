package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/ambitmq/ambit/broker"
)

const checkHelp = `Read everything in the store, while the broker runs or not, and say what is
there. Faults are printed a line each, and then the exit code is 1. With --data a
backup is checked as well, a directory that is: all its files must be what they
were. Nothing is written.`

func newCheck() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Look for faults in the store, or in a backup",
		Long:  checkHelp,
		Example: `  ambit check
  ambit check --data /backups/ambit --json`,
		Args: arguments(cobra.NoArgs),
	}
	addStoreFlags(cmd)
	asJSON := cmd.Flags().Bool("json", false, "print the whole report as JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := loadConfig(cmd.Flags())
		if err != nil {
			return err
		}
		ctx, stop := untilSignal(cmd.Context())
		defer stop()
		r, err := broker.Check(ctx, cfg)
		if err != nil {
			return err
		}
		print := printReport
		if *asJSON {
			print = printJSON
		}
		if err := print(cmd.OutOrStdout(), r); err != nil {
			return err
		}
		if n := len(r.Faults) + r.Withheld; n > 0 {
			return fmt.Errorf("%s has faults: %d", cfg.Data, n)
		}
		return nil
	}
	return cmd
}

func printJSON(w io.Writer, r *broker.Report) error {
	return json.NewEncoder(w).Encode(r)
}

// printReport prints the faults, or what there is if there are none.
func printReport(w io.Writer, r *broker.Report) error {
	for _, fault := range r.Faults {
		if _, err := fmt.Fprintln(w, fault); err != nil {
			return err
		}
	}
	if r.Withheld > 0 {
		_, err := fmt.Fprintf(w, "… and %d more\n", r.Withheld)
		return err
	}
	if len(r.Faults) > 0 {
		return nil
	}
	kind := "store"
	if r.Backup {
		kind = "backup"
	}
	if _, err := fmt.Fprintf(w, "the %s of %s is sound, up to change %d\n", kind, r.Node, r.Last); err != nil {
		return err
	}
	for _, c := range r.Records {
		if c.Count == 0 {
			continue
		}
		if _, err := fmt.Fprintf(w, "%12d %s, %d bytes\n", c.Count, c.Kind, c.Bytes); err != nil {
			return err
		}
	}
	return nil
}
