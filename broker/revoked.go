package broker

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"
)

// errRevoked is why a handshake fails.
var errRevoked = errors.New("the certificate of the client was revoked")

// A revocation list says which certificates of an authority do not count any more.
type revocationList struct {
	*x509.RevocationList
	serials map[string]bool

	mu     sync.Mutex // guards signed
	signed map[string]bool
}

// isBy says whether the list is signed by the key of an authority, and not only in its name.
// Whether the authority says of its key that it is for that does not matter: what is revoked is
// revoked.
func (l *revocationList) isBy(key []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	is, known := l.signed[string(key)]
	if !known {
		public, err := x509.ParsePKIXPublicKey(key)
		authority := x509.Certificate{PublicKey: public}
		is = err == nil && authority.CheckSignature(l.SignatureAlgorithm, l.RawTBSRevocationList, l.Signature) == nil
		l.signed[string(key)] = is
	}
	return is
}

// revocations are lists by the name of their authority.
type revocations map[string][]*revocationList

// has says whether a certificate was revoked by its issuer.
func (r revocations) has(c issued) bool {
	for _, l := range r[string(c.Issuer)] {
		if l.serials[c.Serial] && l.isBy(c.Key) {
			return true
		}
	}
	return false
}

// refuses says whether each of the chains by which a client was verified has a certificate
// that was revoked. Without a chain there is nothing to refuse.
func (r revocations) refuses(all chains) bool {
	return len(all) > 0 && !slices.ContainsFunc(all, func(chain []issued) bool { return !slices.ContainsFunc(chain, r.has) })
}

// readRevocations reads the lists of a file: one in DER, or any number in PEM.
func readRevocations(name string, log *slog.Logger) (revocations, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var lists [][]byte
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "X509 CRL" {
			lists = append(lists, block.Bytes)
		}
	}
	if len(lists) == 0 {
		lists = [][]byte{text}
	}
	all := revocations{}
	for _, der := range lists {
		l, err := x509.ParseRevocationList(der)
		if err != nil {
			return nil, errors.New("there is no certificate revocation list in it")
		}
		for _, x := range l.Extensions {
			if x.Critical {
				return nil, fmt.Errorf("a list has the critical extension %v, which is not understood: lists must be whole", x.Id)
			}
		}
		if !l.NextUpdate.IsZero() && l.NextUpdate.Before(time.Now()) {
			log.Warn("a certificate revocation list is out of date; what it revokes stays revoked", "file", name, "next_update", l.NextUpdate)
		}
		list := &revocationList{RevocationList: l, serials: map[string]bool{}, signed: map[string]bool{}}
		for _, entry := range l.RevokedCertificateEntries {
			list.serials[entry.SerialNumber.String()] = true
		}
		all[string(l.RawIssuer)] = append(all[string(l.RawIssuer)], list)
	}
	return all, nil
}

// warn says which lists no authority of the listener has signed: they count for authorities
// that one of those has certified, or for nobody.
func (r revocations) warn(files TLS, log *slog.Logger) {
	text, err := os.ReadFile(files.ClientCA)
	if err != nil {
		return // it was read just now
	}
	var authorities [][]byte
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil {
			authorities = append(authorities, cert.RawSubjectPublicKeyInfo)
		}
	}
	for _, lists := range r {
		for _, l := range lists {
			if !slices.ContainsFunc(authorities, l.isBy) {
				log.Warn("no authority of client_ca has signed a certificate revocation list", "file", files.CRL, "issuer", l.Issuer.String())
			}
		}
	}
}

// revokes has a configuration refuse what lists revoke, also when a session is resumed.
func (r revocations) revokes(cfg *tls.Config) {
	cfg.VerifyConnection = func(state tls.ConnectionState) error {
		if r.refuses(chainsOf(state.VerifiedChains)) {
			return errRevoked
		}
		return nil
	}
}

// isRevoked says whether a client that has shaken hands would be refused now.
func (c *certificates) isRevoked(all chains) bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	revoked := c.revoked
	c.mu.Unlock()
	return revoked.refuses(all)
}

// refreshRevoked reads the files again if they have changed, and says whether others are
// revoked since it was called for the last time.
func (c *certificates) refreshRevoked() bool {
	if c == nil || c.files.CRL == "" {
		return false
	}
	_, _ = c.forClient(nil) // which never fails
	c.mu.Lock()
	defer c.mu.Unlock()
	renewed := c.renewed
	c.renewed = false
	return renewed
}

// refreshRevoked is that of all listeners.
func (l *listeners) refreshRevoked() bool {
	renewed := false
	for _, ln := range l.open {
		renewed = ln.certs.refreshRevoked() || renewed
	}
	return renewed
}
