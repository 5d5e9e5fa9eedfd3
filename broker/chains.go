package broker

import (
	"crypto/x509"
	"encoding/json"

	"github.com/ambitmq/ambit/access"
)

// An issued is what a revocation list goes by: a certificate, and who has issued it. No more of
// it is kept with the session of a client.
type issued struct {
	// Issuer is the name of the authority, and Key its public key, both in DER.
	Issuer []byte `json:"issuer"`
	Key    []byte `json:"key"`
	Serial string `json:"serial"`
}

// chains are all ways from the certificate of a client to an authority, without the roots,
// which nobody revokes.
type chains [][]issued

func chainsOf(verified [][]*x509.Certificate) chains {
	var all chains
	for _, chain := range verified {
		ways := []issued{}
		for i := range len(chain) - 1 {
			ways = append(ways, issued{chain[i].RawIssuer, chain[i+1].RawSubjectPublicKeyInfo, chain[i].SerialNumber.String()})
		}
		all = append(all, ways)
	}
	return all
}

// A shown is the certificate of a client, as lists of revoked ones know it.
type shown struct {
	chains
	isRevoked func(chains) bool
}

var _ access.Shown = shown{}

// IsRevoked implements [access.Shown].
func (s shown) IsRevoked() bool { return s.isRevoked(s.chains) }

// Keep implements [access.Shown].
func (s shown) Keep() json.RawMessage {
	text, err := json.Marshal(s.chains)
	if err != nil {
		panic(err) // it is made of bytes and texts
	}
	return text
}

// recallShown returns what a client has shown before the process was, as its session keeps it.
// The listener where that was may be another one by now: a list of any of them counts.
func (l *listeners) recallShown(kept json.RawMessage) access.Shown {
	s := shown{isRevoked: l.isRevoked}
	if json.Unmarshal(kept, &s.chains) != nil {
		s.chains = nil // nothing is known of it
	}
	return s
}

// isRevoked says whether a list of any listener revokes a certificate.
func (l *listeners) isRevoked(all chains) bool {
	for _, ln := range l.open {
		if ln.certs.isRevoked(all) {
			return true
		}
	}
	return false
}
