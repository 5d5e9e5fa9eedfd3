package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersion() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version, the revision it was built from, and the Go version",
		Args:  arguments(cobra.NoArgs),
	}
	asJSON := jsonFlag(cmd, "it as JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		v := versionOf(debug.ReadBuildInfo())
		return printDone(cmd, *asJSON, v, "%s", v.text())
	}
	return cmd
}

// A programVersion is what this program is.
type programVersion struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func versionOf(info *debug.BuildInfo, ok bool) programVersion {
	v := programVersion{Version: "(unknown)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if !ok {
		return v
	}
	v.Version = info.Main.Version
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

func (v programVersion) text() string {
	revision := ""
	if v.Revision != "" {
		revision = ", revision " + v.Revision
	}
	if v.Modified {
		revision += " with changes"
	}
	return fmt.Sprintf("ambit %s%s, %s %s", v.Version, revision, v.Go, v.Platform)
}
