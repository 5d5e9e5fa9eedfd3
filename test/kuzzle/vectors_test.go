package kuzzle

import (
	"bufio"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/ambitmq/ambit/filter"
)

// vectors are filters with the ids of their rooms as Kuzzle has recorded them.
const vectors = "../../../shared/vectors/kuzzle-roomids.jsonl"

// The ids are others here, but filters that share a room in Kuzzle do so here, too.
func TestFiltersThatShareARoomInKuzzleShareOne(t *testing.T) {
	file, err := os.Open(vectors)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the recorded ids are not there")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }() // it was read
	ours, theirs := map[string]string{}, map[string]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var v struct {
			F  json.RawMessage
			ID string
		}
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		f, err := filter.Parse(v.F)
		if err != nil {
			t.Errorf("%s: %v", v.F, err)
			continue
		}
		id := f.Hash("nyc-open-data", "yellow-taxi")
		if was, ok := ours[v.ID]; ok && was != id {
			t.Errorf("%s is in another room than before", v.F)
		}
		if was, ok := theirs[id]; ok && was != v.ID {
			t.Logf("%s shares a room that it does not share in Kuzzle", v.F)
		}
		ours[v.ID], theirs[id] = id, v.ID
	}
	if err := lines.Err(); err != nil || len(ours) == 0 {
		t.Errorf("there are no vectors: %v", err)
	}
}
