package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/broker"
)

func newAccess() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "access",
		Short: "Look at a policy: check, explain",
		Args:  arguments(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newAccessCheck(), newAccessExplain())
	return cmd
}

func newAccessCheck() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Say what is wrong with a policy, all of it, with lines",
		Long: `Say what is wrong with a policy, all of it, with lines.

Exit codes: 0 nothing, 1 something, 2 wrong usage.`,
		Example: "  ambit access check /etc/ambit/policy.yaml",
		Args:    arguments(cobra.ExactArgs(1)),
	}
	asJSON := jsonFlag(cmd, "a JSON object with the faults")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		p, err := broker.LoadPolicy(args[0])
		if *asJSON {
			return printFaults(cmd, err)
		}
		if err != nil {
			return err
		}
		return printDone(cmd, false, nil, "%s: %d roles, no faults", args[0], p.Roles())
	}
	return cmd
}

const accessExplainHelp = `Say whether a policy lets somebody do something, and by which of its lines.

Who asks is --user, or nobody who signed in without it, with --role and --attribute
as often as needed, and --client. An attribute is name=value, where the value is JSON
or else a text.

What is asked is --publish, --subscribe or --call. Whether a document may be written is
up to it: --doc is the document that it is to be, --before the one that is there. A
subscription is asked about --doc, too: whether that is seen.

Exit codes: 0 allowed, 1 refused, or the policy is at fault, 2 wrong usage.`

// An accessQuestion has the flags of ambit access explain.
type accessQuestion struct {
	policy, user, client string
	roles, attributes    []string
	call                 string
	publish, subscribe   string
	before, after        string
	asJSON               bool
}

func newAccessExplain() *cobra.Command {
	var q accessQuestion
	cmd := &cobra.Command{
		Use:   "explain",
		Short: "Say whether a policy lets somebody do something, and why",
		Long:  accessExplainHelp,
		Example: `  ambit access explain --policy policy.yaml --user anna --publish home/anna/lamp
  ambit access explain --policy policy.yaml --user anna --attribute tenant=acme \
    --subscribe 'fleet/trucks/?{}' --doc '{"tenant":"other"}'`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return q.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&q.policy, "policy", "", "`file` of the policy")
	flags.StringVar(&q.user, "user", "", "`name` of who asks")
	flags.StringVar(&q.client, "client", "", "client `identifier`")
	flags.StringArrayVar(&q.roles, "role", nil, "`name` of a role")
	flags.StringArrayVar(&q.attributes, "attribute", nil, "`name=value`")
	flags.StringVar(&q.call, "call", "", "`controller:action` of a request")
	flags.StringVar(&q.publish, "publish", "", "`topic` of a message")
	flags.StringVar(&q.subscribe, "subscribe", "", "`topic filter`")
	flags.StringVar(&q.before, "before", "", "JSON `object` that is the document now")
	flags.StringVar(&q.after, "doc", "", "JSON `object` that is the document then")
	flags.BoolVar(&q.asJSON, "json", false, "print the answer as JSON")
	cmd.MarkFlagsMutuallyExclusive("call", "publish", "subscribe")
	cmd.MarkFlagsOneRequired("call", "publish", "subscribe")
	if err := cmd.MarkFlagRequired("policy"); err != nil {
		panic(err) // there is such a flag
	}
	return cmd
}

func (q *accessQuestion) run(cmd *cobra.Command) error {
	p, err := broker.LoadPolicy(q.policy)
	if err != nil {
		return err
	}
	who := &access.Identity{User: q.user, Roles: q.roles, Attributes: map[string]json.RawMessage{}}
	for _, text := range q.attributes {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return usageErrorf("--attribute %q is not name=value", text)
		}
		if !json.Valid([]byte(value)) {
			quoted, err := json.Marshal(value)
			if err != nil {
				return err
			}
			value = string(quoted)
		}
		who.Attributes[name] = json.RawMessage(value)
	}
	asked := access.Question{Call: q.call, Publish: q.publish, Subscribe: q.subscribe}
	if q.before != "" {
		asked.Before = []byte(q.before)
	}
	if q.after != "" {
		asked.After = []byte(q.after)
	}
	v, err := p.Rights(who, q.client).Explain(asked)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	return q.print(cmd, v)
}

func (q *accessQuestion) print(cmd *cobra.Command, v *access.Verdict) error {
	out := cmd.OutOrStdout()
	var err error
	if q.asJSON {
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		err = enc.Encode(v)
	} else {
		word := "refused"
		if v.Allowed {
			word = "allowed"
		}
		_, err = fmt.Fprintf(out, "%s: %s\n", word, v.Reason)
		for _, line := range v.Rules {
			_, err2 := fmt.Fprintf(out, "  by %s\n", line)
			err = errors.Join(err, err2)
		}
		if v.Filter != nil {
			_, err2 := fmt.Fprintf(out, "  filter %s\n", v.Filter)
			err = errors.Join(err, err2)
		}
		if len(v.Hidden) > 0 {
			_, err2 := fmt.Fprintf(out, "  without %s\n", strings.Join(v.Hidden, ", "))
			err = errors.Join(err, err2)
		}
	}
	if err == nil && !v.Allowed {
		return &exitError{code: exitFailed}
	}
	return err
}
