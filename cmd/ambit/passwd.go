package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/ambitmq/ambit/access"
)

const passwdHelp = `Set the password of a user in a file for "ambit serve --users FILE". The file is
made when it is absent; a broker that runs reads it again, and disconnects the user.
The password is asked for on a terminal, and else the first line of the standard
input.

What is kept is a hash by argon2id, of which the password cannot be told; with --scram
a SCRAM-SHA-256 verifier, for clients that prove their password and do not send it.
Run it as the user that the broker runs as: the file is for its owner alone. To
remove a user, delete the line.

Roles and attributes are what rules go by. They stay as they are unless they are named;
--role '' and --attribute '' leave none. The value of an attribute is JSON, or else a
text.`

// passwdFlags are those of ambit passwd.
type passwdFlags struct {
	scram, noPassword, keep bool
	iterations              int
	roles, attributes       []string
}

func newPasswd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "passwd FILE USER",
		Short: "Set the password of a user",
		Long:  passwdHelp,
		Example: `  ambit passwd users.txt anna --role dispatcher --attribute tenant=acme
  pwgen 20 1 | tee secret | ambit passwd users.txt truck-42
  ambit passwd users.txt anna --keep-password --role admin
  ambit passwd users.txt truck-43 --no-password --role truck     # comes with a certificate`,
		Args: arguments(cobra.ExactArgs(2)),
	}
	var o passwdFlags
	flags := cmd.Flags()
	flags.BoolVar(&o.scram, "scram", false, "keep a SCRAM-SHA-256 verifier")
	flags.IntVar(&o.iterations, "iterations", access.DefaultIterations,
		fmt.Sprintf("with --scram, how `often` it is hashed: from %d to %d", access.MinIterations, access.MaxIterations))
	flags.BoolVar(&o.noPassword, "no-password", false, "the user has none, and signs in by a certificate or an API key")
	flags.BoolVar(&o.keep, "keep-password", false, "change roles and attributes alone")
	flags.StringArrayVar(&o.roles, "role", nil, "a `role` of the user; may be given several times")
	flags.StringArrayVar(&o.attributes, "attribute", nil, "an attribute of the user, `name=value`; may be given several times")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if o.iterations < access.MinIterations || o.iterations > access.MaxIterations {
			return usageErrorf("--iterations %d: must be from %d to %d", o.iterations, access.MinIterations, access.MaxIterations)
		}
		attributes, err := readAttributes(o.attributes)
		if err != nil {
			return err
		}
		verifier, err := o.verifier(cmd)
		if err != nil {
			return err
		}
		err = access.Set(args[0], args[1], func(u *access.User) {
			if !o.keep {
				u.Verifier = verifier
			}
			if cmd.Flags().Changed("role") {
				u.Roles = slices.DeleteFunc(o.roles, func(role string) bool { return role == "" })
			}
			if cmd.Flags().Changed("attribute") {
				u.Attributes = attributes
			}
		})
		if err != nil {
			return err
		}
		done := "the password of %s is set in %s\n"
		if o.keep {
			done = "%s is changed in %s\n"
		} else if o.noPassword {
			done = "%s has no password in %s\n"
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), done, args[1], args[0])
		return err
	}
	return cmd
}

// verifier reads a password, and returns what is kept of it: nil for none, or if it is to
// stay.
func (o passwdFlags) verifier(cmd *cobra.Command) (access.Verifier, error) {
	if o.noPassword || o.keep {
		return nil, nil
	}
	password, err := readPassword(cmd.InOrStdin(), cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	if o.scram || cmd.Flags().Changed("iterations") {
		return access.NewScram(password, o.iterations)
	}
	return access.NewArgon2(password)
}

// readAttributes reads name=value, where the value is JSON or else a text. An empty one is
// left out.
func readAttributes(given []string) (map[string]json.RawMessage, error) {
	attributes := map[string]json.RawMessage{}
	for _, text := range given {
		name, value, ok := strings.Cut(text, "=")
		if text == "" {
			continue
		}
		if !ok || name == "" {
			return nil, usageErrorf("--attribute %q: must be name=value", text)
		}
		if json.Valid([]byte(value)) {
			attributes[name] = json.RawMessage(value)
			continue
		}
		quoted, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		attributes[name] = quoted
	}
	return attributes, nil
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
