package persistence

import (
	"bytes"
	"fmt"
	"iter"
)

// A Credential is what is kept of who may come in: an API key, a token that was revoked, or a
// secret. Its kind is one of its author's, and so is its value.
type Credential struct {
	Kind, ID string
	Value    []byte
}

// PutCredential stores c in place of the one of the same kind and id, also while the disk is
// almost full: what is revoked has to stay so.
func PutCredential(c Credential) Record {
	return Record{key: credentialKey(c.Kind, c.ID), value: append([]byte{valueFormat}, c.Value...), small: true}
}

// DeleteCredential deletes one. It may be absent.
func DeleteCredential(kind, id string) Record {
	return Record{action: recordDelete, key: credentialKey(kind, id)}
}

// Credentials yields those of a kind by id, as of when the iteration begins.
func (s *Store) Credentials(kind string) iter.Seq2[Credential, error] {
	return func(yield func(Credential, error) bool) {
		snap := s.Snapshot()
		defer snap.Close()
		from := credentialKey(kind, "")
		decoded(snap, from, prefixEnd(from), func(key, value []byte) (Credential, []byte, error) {
			c, err := decodeCredential(key, value)
			return c, nil, err
		})(yield)
	}
}

func credentialKey(kind, id string) []byte {
	return append(appendPart([]byte{spaceCredentials}, kind), id...)
}

func decodeCredential(key, value []byte) (Credential, error) {
	kind, id, ok := cutPart(key[1:])
	if !ok {
		return Credential{}, fmt.Errorf("key %q of a credential: %w", key, errMalformed)
	}
	r := reader{rest: value}
	r.format()
	if r.err != nil {
		return Credential{}, fmt.Errorf("%s %q: %w", kind, id, r.err)
	}
	return Credential{Kind: kind, ID: string(id), Value: bytes.Clone(r.rest)}, nil
}
