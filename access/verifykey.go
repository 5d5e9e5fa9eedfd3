package access

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"github.com/go-jose/go-jose/v4"
)

const (
	minSecretBytes = 32
	minRSABits     = 2048
	maxKeyBytes    = 64 << 10
)

// A verifyKey checks the signatures of one algorithm, and of no other.
type verifyKey struct {
	id        string // "" if it has none
	algorithm jose.SignatureAlgorithm
	key       any
}

// newVerifyKey returns a public key with the algorithm that goes with it. The error says why it
// is not used.
func newVerifyKey(id string, public any) (verifyKey, error) {
	switch k := public.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < minRSABits {
			return verifyKey{}, fmt.Errorf("a key of RSA must have %d bits", minRSABits)
		}
		return verifyKey{id, jose.RS256, k}, nil
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return verifyKey{}, errors.New("a key of ECDSA must be on P-256")
		}
		return verifyKey{id, jose.ES256, k}, nil
	case ed25519.PublicKey:
		return verifyKey{id, jose.EdDSA, k}, nil
	}
	return verifyKey{}, errors.New("it is no public key of RSA, ECDSA or Ed25519")
}

// A KeyFile is a key that signs tokens, in a file.
type KeyFile struct {
	// ID is what tokens call it (kid). One without is tried for every token.
	ID string
	// Algorithm is HS256, RS256, ES256 or EdDSA.
	Algorithm string
	// File has the public key or a certificate in PEM, or for HS256 the secret itself, of 32
	// bytes at least. A line break at its end is no part of it.
	File string
}

// load reads the key.
func (f KeyFile) load() (verifyKey, error) {
	text, err := os.ReadFile(f.File)
	if err != nil {
		return verifyKey{}, err
	}
	if f.Algorithm == string(jose.HS256) {
		secret := bytes.TrimRight(text, "\r\n")
		if len(secret) < minSecretBytes || len(secret) > maxKeyBytes || bytes.HasPrefix(secret, []byte("-----BEGIN ")) {
			return verifyKey{}, fmt.Errorf("a secret must have %d bytes at least, and be no key in PEM", minSecretBytes)
		}
		return verifyKey{f.ID, jose.HS256, secret}, nil
	}
	public, err := parsePublic(text)
	if err != nil {
		return verifyKey{}, err
	}
	key, err := newVerifyKey(f.ID, public)
	if err == nil && string(key.algorithm) != f.Algorithm {
		err = fmt.Errorf("it is a key for %s", key.algorithm)
	}
	return key, err
}

// parsePublic reads a public key, or that of a certificate.
func parsePublic(text []byte) (any, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("there is nothing in PEM in it")
	}
	switch block.Type {
	case "CERTIFICATE":
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		return cert.PublicKey, nil
	case "RSA PUBLIC KEY":
		return x509.ParsePKCS1PublicKey(block.Bytes)
	case "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	}
	return nil, fmt.Errorf("%s is neither a public key nor a certificate", block.Type)
}

// maxSetKeys is how many keys of a set are used.
const maxSetKeys = 64

// parseKeySet reads a JSON Web Key Set (RFC 7517). Keys that are of no use here are left out;
// a symmetric one is: it would be no secret.
func parseKeySet(text []byte) ([]verifyKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("it is no JSON Web Key Set: %w", err)
	}
	var keys []verifyKey
	for _, raw := range set.Keys {
		var k jose.JSONWebKey
		if k.UnmarshalJSON(raw) != nil || k.Use != "" && k.Use != "sig" || !k.Valid() || !k.IsPublic() {
			continue
		}
		key, err := newVerifyKey(k.KeyID, k.Key)
		if err != nil || k.Algorithm != "" && k.Algorithm != string(key.algorithm) {
			continue
		}
		if keys = append(keys, key); len(keys) == maxSetKeys {
			break
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no key in it that can be used")
	}
	return keys, nil
}
