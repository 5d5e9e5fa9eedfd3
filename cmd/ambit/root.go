package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// The exit codes, as the help says them.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitBadLines    = 2 // of ambit match
	exitUnreachable = 3
	exitTimeout     = 27 // that of mosquitto_sub
)

const rootHelp = `Ambit is an MQTT broker in which a topic can be a filter.

  ambit serve                                              run the broker
  ambit demo                                               run it with a simulated fleet, and watch
  ambit sub fleet/trucks '{"range":{"speed":{"gt":50}}}'   be told who enters, stays in and leaves a filter
  ambit pub fleet/trucks/42 '{"speed":60}'                 publish a message
  ambit match --filters F.ndjson --docs D.ndjson           say which filters match, without a broker
  ambit explain FILTER DOCUMENT                            say clause by clause why
  ambit doc search fleet/trucks                            print documents that are stored
  ambit backup /backups/ambit                              make a backup, while the broker runs or not

Every command that prints something for people prints JSON for programs with --json.

Exit codes: 0 done, 1 failed or refused, 2 wrong usage, or bad lines of "ambit
match", 3 no connection to the broker, or none runs, 27 the time was up before "ambit sub
--count" had its messages.`

// An exitError ends the command with a code of its own. Without an error there
// is nothing left to say.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usageErrorf(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// run is the whole program but for the process around it. It returns the exit
// code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	code := exitFailed
	if exit := (*exitError)(nil); errors.As(err, &exit) {
		code = exit.code
	}
	text := err.Error()
	if text == "" {
		return code
	}
	for line := range strings.SplitSeq(text, "\n") {
		say(stderr, "ambit: %s", line)
	}
	if code == exitUsage {
		say(stderr, "Run '%s --help' for usage.", cmd.CommandPath())
	}
	return code
}

// say writes a line for people. When they cannot be reached there is nobody to
// tell.
func say(w io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(w, format+"\n", args...)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "ambit",
		Short:         "An MQTT broker in which a topic can be a filter",
		Long:          rootHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			hint := ""
			var names []string
			for _, c := range cmd.Commands() {
				names = append(names, c.Name())
			}
			if near := nearest(args[0], names); near != "" {
				hint = fmt.Sprintf(": did you mean %q?", near)
			}
			return usageErrorf("unknown command %q%s", args[0], hint)
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exitError{exitUsage, err} })
	root.AddCommand(newServe(), newDemo(), newPub(), newSub(), newReplay(), newMatch(), newExplain(), newBench(), newPasswd(), newConfig(),
		newAPIKey(), newDoc(), newRoom(), newBan(), newClient(), newCert(), newAccess(),
		newBackup(), newRestore(), newCheck(), newVersion(), newMan(), newReference())
	addCompletions(root)
	return root
}

// arguments makes a wrong number of arguments, and flags that do not go together, errors of
// usage.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		for _, err := range []error{check(cmd, args), cmd.ValidateRequiredFlags(), cmd.ValidateFlagGroups()} {
			if err != nil {
				return &exitError{exitUsage, err}
			}
		}
		return nil
	}
}
