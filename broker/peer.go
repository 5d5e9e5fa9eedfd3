package broker

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"

	"github.com/ambitmq/ambit/access"
)

// The parts of a client's certificate that may name its user.
const (
	nameCN    = "cn"
	nameDNS   = "dns"
	nameEmail = "email"
	nameURI   = "uri"
)

// peerOf returns what a listener knows of a client whose connection has shaken hands.
func (ln *listener) peerOf(c net.Conn) access.Peer {
	secure, ok := c.(*tls.Conn)
	if !ok {
		return access.Peer{}
	}
	state := secure.ConnectionState()
	return ln.peer(&state)
}

// webPeer returns what a listener knows of whoever makes an HTTP request.
func (ln *listener) webPeer(r *http.Request) access.Peer {
	p := ln.peer(r.TLS)
	p.Origin = r.Header.Get("Origin")
	return p
}

// peer returns what TLS has verified of a client. State is nil without TLS.
func (ln *listener) peer(state *tls.ConnectionState) access.Peer {
	if state == nil || len(state.VerifiedChains) == 0 {
		return access.Peer{}
	}
	p := access.Peer{Shown: shown{chainsOf(state.VerifiedChains), ln.certs.isRevoked}}
	if ln.TLS.User != "" {
		cert := state.PeerCertificates[0]
		p.Certificate, p.User, p.OwnID = cert, userOf(cert, ln.TLS.User), ln.TLS.OwnClientID
	}
	return p
}

// userOf returns whom a certificate names: the first of the names of a kind, or "".
func userOf(cert *x509.Certificate, kind string) string {
	var names []string
	switch kind {
	case nameCN:
		return cert.Subject.CommonName
	case nameDNS:
		names = cert.DNSNames
	case nameEmail:
		names = cert.EmailAddresses
	case nameURI:
		for _, u := range cert.URIs {
			names = append(names, u.String())
		}
	}
	if len(names) == 0 {
		return ""
	}
	return names[0]
}
