package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ambitmq/ambit/broker"
)

func newCert() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cert",
		Short: "Make certificates for trying out",
		Args:  arguments(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCertDev())
	return cmd
}

func newCertDev() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Make a certificate for trying out TLS",
		Long: `Make a certificate for trying out TLS, and an authority that signs it and nothing else:
its key is thrown away. It is good for 90 days. Who runs a broker for others gets a certificate
from an authority that they trust.`,
		Example: "  ambit cert dev --host broker.lan --host 192.168.1.2",
		Args:    arguments(cobra.NoArgs),
	}
	hosts := cmd.Flags().StringArray("host", []string{"localhost", "127.0.0.1", "::1"}, "a `name` or address of the broker; may be given several times")
	dir := cmd.Flags().String("dir", "ambit-cert", "`directory` to put it in")
	asJSON := jsonFlag(cmd, "the names of the files as JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		made, err := broker.NewDevCert(*dir, *hosts)
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSONLine(cmd, map[string]string{"cert": made.Cert, "key": made.Key, "ca": made.CA})
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), `# In ambit.yaml:
listeners:
  - name: mqtts
    type: tls
    address: :8883
    tls: {cert: %s, key: %s}

# and then:
mosquitto_sub --cafile %s -h %s -p 8883 -t '#'
`, filepath.ToSlash(made.Cert), filepath.ToSlash(made.Key), made.CA, (*hosts)[0])
		return err
	}
	return cmd
}
