package persistence

import (
	"fmt"
	"iter"
)

// PutCollection notes that a collection exists, whether or not it holds a
// document; with an empty name, that its index does.
func PutCollection(c Collection) Record {
	return Record{key: namedKey(c), value: []byte{valueFormat}}
}

// DeleteCollection undoes PutCollection. It deletes no documents.
func DeleteCollection(c Collection) Record {
	return Record{action: recordDelete, key: namedKey(c)}
}

// NamedCollections yields what PutCollection has noted, by index and name.
func (s *Snapshot) NamedCollections() iter.Seq2[Collection, error] {
	return decoded(s, []byte{spaceCollections}, spaceEnd(spaceCollections), func(key, value []byte) (Collection, []byte, error) {
		c, err := decodeCollection(key, value)
		return c, nil, err
	})
}

func namedKey(c Collection) []byte {
	return append(appendPart([]byte{spaceCollections}, c.Index), c.Name...)
}

func decodeCollection(key, value []byte) (Collection, error) {
	index, name, ok := cutPart(key[1:])
	if !ok {
		return Collection{}, fmt.Errorf("collection key %q: %w", key, errMalformed)
	}
	r := reader{rest: value}
	r.format()
	if err := r.end(); err != nil {
		return Collection{}, fmt.Errorf("collection %s/%s: %w", index, name, err)
	}
	return Collection{Index: index, Name: string(name)}, nil
}
