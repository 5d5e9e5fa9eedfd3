package persistence

import (
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// checkDamage refuses a directory whose MANIFEST, the list of the database's
// files, has lost its end to damage. Pebble takes any damage there for a write
// that a crash interrupted, goes back to an older list, and deletes the files
// that are not on it. After a crash that is right, since the log still has what
// those files hold; so a list that ends badly is good if no change is missing.
func checkDamage(dir string, o Options, lock *pebble.Lock, log *pebbleLog) error {
	desc, err := pebble.Peek(dir, o.FS)
	if err != nil {
		return fmt.Errorf("persistence: open %s: %w", dir, err)
	}
	if !desc.Exists {
		return nil
	}
	intact, err := endsCleanly(o.FS, desc.ManifestFilename)
	if err != nil {
		return fmt.Errorf("persistence: open %s: %w", dir, err)
	}
	if intact {
		return nil
	}
	options := o.pebble(lock, log)
	options.ReadOnly = true
	db, err := pebble.Open(dir, options)
	if err != nil {
		return fmt.Errorf("persistence: open %s: %w", dir, err)
	}
	if err := errors.Join(complete(db), db.Close()); err != nil {
		return fmt.Errorf("persistence: %s is damaged: %s: %w", dir, o.FS.PathBase(desc.ManifestFilename), err)
	}
	log.log.Warn("the last write to the list of files was interrupted", "dir", dir, "file", desc.ManifestFilename)
	return nil
}

// endsCleanly says whether all of a file of records can be read.
func endsCleanly(files vfs.FS, name string) (bool, error) {
	f, err := files.Open(name)
	if err != nil {
		return false, err
	}
	records := record.NewReader(f, 0)
	for {
		r, err := records.Next()
		if err == nil {
			_, err = io.Copy(io.Discard, r)
		} else if errors.Is(err, io.EOF) {
			return true, f.Close()
		}
		if err != nil {
			return false, f.Close()
		}
	}
}

// complete fails if the database lacks one of the changes that it should have: each
// says which one comes before it.
func complete(db *pebble.DB) error {
	if _, err := getValue(db, metaNode()); err != nil {
		return fmt.Errorf("node id: %w", err)
	}
	state, err := readLogState(db)
	if err != nil {
		return err
	}
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte{spaceChanges}, UpperBound: spaceEnd(spaceChanges)})
	if err != nil {
		return err
	}
	at := state.trimmed
	for ok := it.First(); ok; ok = it.Next() {
		seq, _ := seqOf(it.Key())
		_, previous, err := decodeLogged(seq, it.Value())
		if err != nil {
			return errors.Join(err, it.Close())
		}
		if previous != at && (previous > at || at != state.trimmed) {
			break
		}
		at = seq
	}
	if err := it.Close(); err != nil {
		return err
	}
	if at < state.logged {
		return fmt.Errorf("change %d of %d is missing", at+1, state.logged)
	}
	return nil
}
