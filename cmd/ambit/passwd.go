package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/ambitmq/ambit/access"
)

const passwdHelp = `Set the password of a user in a file for "ambit serve --users FILE". The file is
made when it is absent; a broker that runs reads it again. The password is asked
for on a terminal, and else the first line of the standard input.

What is kept is a SCRAM-SHA-256 verifier, of which the password cannot be told.
Run it as the user that the broker runs as: the file is for its owner alone. To
remove a user, delete the line.`

func newPasswd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "passwd FILE USER",
		Short: "Set the password of a user",
		Long:  passwdHelp,
		Example: `  ambit passwd users.txt anna
  pwgen 20 1 | tee secret | ambit passwd users.txt truck-42`,
		Args: arguments(cobra.ExactArgs(2)),
	}
	iterations := cmd.Flags().Int("iterations", access.DefaultIterations,
		fmt.Sprintf("how `often` it is hashed: from %d to %d", access.MinIterations, access.MaxIterations))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *iterations < access.MinIterations || *iterations > access.MaxIterations {
			return usageErrorf("--iterations %d: must be from %d to %d", *iterations, access.MinIterations, access.MaxIterations)
		}
		password, err := readPassword(cmd.InOrStdin(), cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		verifier, err := access.NewVerifier(password, *iterations)
		if err != nil {
			return err
		}
		if err := access.Set(args[0], args[1], verifier); err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "the password of %s is set in %s\n", args[1], args[0])
		return err
	}
	return cmd
}

// readPassword asks for a password twice on a terminal, and reads a line from
// elsewhere.
func readPassword(in io.Reader, prompts io.Writer) (string, error) {
	if !isTerminal(in) {
		line, err := bufio.NewReader(in).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	var typed [2]string
	for i, prompt := range []string{"Password: ", "Again: "} {
		_, _ = fmt.Fprint(prompts, prompt) // who cannot read it can still type
		b, err := term.ReadPassword(int(in.(*os.File).Fd()))
		say(prompts, "")
		if err != nil {
			return "", err
		}
		typed[i] = string(b)
	}
	if typed[0] != typed[1] {
		return "", errors.New("these are two different passwords")
	}
	return typed[0], nil
}
