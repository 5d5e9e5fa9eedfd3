package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/ambitmq/ambit/broker"
)

const backupHelp = `Make a backup of the store, while the broker runs or not. Everything that was
acknowledged before is in it.

TARGET is a directory, or a file that ends in .tar, or - for a tar on the
standard output. A directory that holds a backup of the same node becomes one of
now: only what has changed is written, and the former one goes when the new one
is whole. A directory that holds anything else is refused.

On the file system of the store the tables of a backup are hard links to those
of the store, and take no room as long as the store has them, too. That guards
against mistakes, not against a disk that fails: copy it, or name a directory on
another disk. The broker writes the directory, as its own user.`

func newBackup() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup TARGET",
		Short: "Make a backup, while the broker runs or not",
		Long:  backupHelp,
		Example: `  ambit backup /backups/ambit
  ambit backup --data /var/lib/ambit ambit.tar
  ambit backup - | gzip | ssh vault 'cat > ambit.tar.gz'`,
		Args: arguments(cobra.ExactArgs(1)),
	}
	addStoreFlags(cmd)
	asJSON := cmd.Flags().Bool("json", false, "print what was made as JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := loadConfig(cmd.Flags())
		if err != nil {
			return err
		}
		ctx, stop := untilSignal(cmd.Context())
		defer stop()
		out := cmd.OutOrStdout()
		var r broker.BackupResult
		switch target := args[0]; {
		case target == "-":
			if isTerminal(out) {
				return usageErrorf("a tar is not for a terminal")
			}
			r, err = broker.WriteBackup(ctx, cfg, out)
			out = cmd.ErrOrStderr()
		case strings.HasSuffix(target, ".tar"):
			r, err = backupFile(ctx, cfg, target)
		default:
			r, err = broker.Backup(ctx, cfg, target, backupBar(cmd.ErrOrStderr()))
		}
		if err != nil {
			return err
		}
		if *asJSON {
			return json.NewEncoder(out).Encode(r)
		}
		_, err = fmt.Fprintf(out, "backup of %s up to change %d: %d files, %d bytes, %d of them linked\n", r.Node, r.Seq, r.Files, r.Bytes, r.LinkedBytes)
		return err
	}
	return cmd
}

// addStoreFlags adds the flags that say where the store is, as to ambit serve.
func addStoreFlags(cmd *cobra.Command) {
	cmd.Flags().String("data", broker.DefaultConfig().Data, "`directory` of the store")
	cmd.Flags().String("config", "", "settings `file` in YAML (default: ./ambit.yaml, if there is one)")
}

// backupFile writes a tar, which is whole or not there.
func backupFile(ctx context.Context, cfg broker.Config, name string) (r broker.BackupResult, err error) {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*.new")
	if err != nil {
		return r, err
	}
	r, err = broker.WriteBackup(ctx, cfg, f)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return r, errors.Join(err, os.Remove(f.Name()))
	}
	return r, os.Rename(f.Name(), name)
}

// backupBar shows how far a backup has come, if somebody sees it.
func backupBar(stderr io.Writer) func(broker.BackupProgress) {
	if !isTerminal(stderr) {
		return nil
	}
	var bar *progressbar.ProgressBar
	return func(p broker.BackupProgress) {
		if bar == nil {
			bar = progressbar.NewOptions64(p.Total,
				progressbar.OptionSetWriter(stderr),
				progressbar.OptionSetDescription("backup"),
				progressbar.OptionShowBytes(true),
				progressbar.OptionClearOnFinish())
		}
		_ = bar.Set64(p.Bytes) // who cannot be shown it needs no more
	}
}
