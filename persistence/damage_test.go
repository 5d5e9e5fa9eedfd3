package persistence

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
)

// A crash may leave half a record at the end of the list of files. What that
// record would have said is in the log, and nothing is missing.
func TestAnInterruptedWriteToTheListOfFilesIsAccepted(t *testing.T) {
	t.Parallel()
	fs := storeWithFiles(t)
	want := readAll(t, fs)
	desc, err := pebble.Peek("data", fs)
	if err != nil {
		t.Fatal(err)
	}
	list := readFile(t, fs, desc.ManifestFilename)
	writeFile(t, fs, desc.ManifestFilename, append(list, list[:20]...))
	var log bytes.Buffer
	s := openTest(t, "data", Options{FS: fs, Log: slog.New(slog.NewTextHandler(&log, nil))})
	got, err := consistent(s)
	if err != nil || len(got) != len(want) {
		t.Errorf("%d changes are there, want %d; %v", len(got), len(want), err)
	}
	if !strings.Contains(log.String(), "the last write to the list of files was interrupted") {
		t.Errorf("the log does not tell; it is:\n%s", &log)
	}
}

func TestDamageInTheListOfFilesNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	fs := storeWithFiles(t)
	desc, err := pebble.Peek("data", fs)
	if err != nil {
		t.Fatal(err)
	}
	list := readFile(t, fs, desc.ManifestFilename)
	writeFile(t, fs, desc.ManifestFilename, list[:len(list)-1])
	_, err = Open("data", Options{FS: fs})
	want := "persistence: data is damaged: " + fs.PathBase(desc.ManifestFilename) + ": change 1 of 500 is missing"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
