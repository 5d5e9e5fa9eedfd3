package console

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestTheBuiltFilesAreWhatTheSourcesBuild builds the console beside its built files, and
// compares. Its weight is printed, and is a part of what is built: too much fails.
func TestTheBuiltFilesAreWhatTheSourcesBuild(t *testing.T) {
	needPackages(t)
	dir := filepath.Join(t.TempDir(), "dist")
	for _, args := range [][]string{
		{"npx", "tsc"},
		{"npx", "vite", "build", "--logLevel", "warn", "--outDir", dir, "--emptyOutDir"},
		{"node", "scripts/weigh.js", dir},
	} {
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		cmd.Dir = console
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
		}
		t.Logf("%s", out)
	}
	committed, new := files(t, filepath.Join(console, "dist")), files(t, dir)
	if !slices.Equal(committed, new) {
		t.Fatalf("the built files are\n%s\nand the sources build\n%s\n(make console)", strings.Join(committed, "\n"), strings.Join(new, "\n"))
	}
	for _, name := range new {
		if !bytes.Equal(read(t, filepath.Join(console, "dist", name)), read(t, filepath.Join(dir, name))) {
			t.Errorf("%s is not what the sources build (make console)", name)
		}
	}
}

// files returns the paths of the files in a directory.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
