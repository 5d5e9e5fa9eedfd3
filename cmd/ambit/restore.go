package main

import (
	"context"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/ambitmq/ambit/broker"
)

const restoreHelp = `Make a store of a backup in the directory DATA, which must be empty or absent.
BACKUP is what "ambit backup" has made: a directory, a tar, or - for a tar on the
standard input. If it is not whole, or anything in it has changed, it is refused
and DATA left empty.

What was published after the backup is lost. Changes are numbered anew from a
number that was not in use: whoever comes back with an older one, such as a
session that was kept or since=TOKEN, is told of a gap, and then what there is.`

func newRestore() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restore BACKUP DATA",
		Short: "Make a store of a backup",
		Long:  restoreHelp,
		Example: `  ambit restore /backups/ambit /var/lib/ambit
  gunzip < ambit.tar.gz | ambit restore - /var/lib/ambit`,
		Args: arguments(cobra.ExactArgs(2)),
	}
	asJSON := jsonFlag(cmd, "what the backup says of itself as JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx, stop := untilSignal(cmd.Context())
		defer stop()
		b, err := restore(ctx, cmd.InOrStdin(), args[0], args[1])
		if err != nil {
			return err
		}
		return printDone(cmd, *asJSON, b, "%s is restored in %s, as of %s", b.Node, args[1], b.Made.Format("2006-01-02 15:04:05 MST"))
	}
	return cmd
}

func restore(ctx context.Context, stdin io.Reader, backup, data string) (*broker.BackupMade, error) {
	if backup == "-" {
		return broker.RestoreTar(ctx, stdin, data)
	}
	info, err := os.Stat(backup)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return broker.Restore(ctx, backup, data)
	}
	f, err := os.Open(backup)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	return broker.RestoreTar(ctx, f, data)
}
