package broker

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// revoke writes a list of certificates that the authority has revoked, in PEM or DER.
func (a *authority) revoke(file string, asPEM bool, certs ...tls.Certificate) {
	a.t.Helper()
	template := &x509.RevocationList{Number: big.NewInt(time.Now().UnixNano()), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour)}
	for _, c := range certs {
		cert, err := x509.ParseCertificate(c.Certificate[0])
		if err != nil {
			a.t.Fatal(err)
		}
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: cert.SerialNumber, RevocationTime: time.Now(),
		})
	}
	signer := *a.cert
	signer.KeyUsage |= x509.KeyUsageCRLSign
	text, err := x509.CreateRevocationList(rand.Reader, template, &signer, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	if asPEM {
		text = pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: text})
	}
	replace(a.t, file, text)
}

// replace writes a file at once.
func replace(t *testing.T, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

// A fleet is a broker that lets in clients with certificates, and what they show.
type fleet struct {
	*Broker
	ca           *authority
	crl          string
	gone, stays  *tls.Config
	revoked, not tls.Certificate
}

func startFleet(t *testing.T, kind, user string) *fleet {
	t.Helper()
	f := &fleet{ca: newAuthority(t)}
	dir := t.TempDir()
	cfg := testConfig(t)
	l := f.ca.secureListener(kind)
	l.TLS.ClientCA, l.TLS.User, l.TLS.CRL = filepath.Join(dir, "ca.pem"), user, filepath.Join(dir, "crl")
	writePEM(t, l.TLS.ClientCA, "CERTIFICATE", f.ca.cert.Raw)
	f.crl = l.TLS.CRL
	f.ca.revoke(f.crl, true)
	f.revoked = f.ca.issue("truck-1", filepath.Join(dir, "c1"), filepath.Join(dir, "k1"))
	f.not = f.ca.issue("truck-2", filepath.Join(dir, "c2"), filepath.Join(dir, "k2"))
	f.gone = &tls.Config{RootCAs: f.ca.pool(), Certificates: []tls.Certificate{f.revoked}, ClientSessionCache: tls.NewLRUClientSessionCache(8)}
	f.stays = &tls.Config{RootCAs: f.ca.pool(), Certificates: []tls.Certificate{f.not}}
	cfg.Listeners = []Listener{l}
	f.Broker = start(t, cfg)
	return f
}

// join connects and says CONNECT.
func (f *fleet) join(t *testing.T, cfg *tls.Config, id string) (*tls.Conn, error) {
	t.Helper()
	c, err := handshake(t, f.Broker, cfg)
	if err != nil {
		return nil, err
	}
	if _, err := c.Write(connectPacket(t, 5, id)); err != nil {
		return nil, err
	}
	ack := make([]byte, 256)
	if n, err := c.Read(ack); err != nil {
		return nil, err
	} else if n < 4 || ack[0] != 0x20 || ack[3] != 0 {
		t.Fatalf("CONNACK % x", ack[:n])
	}
	return c, nil
}

// Whomever a certificate names, and if it names nobody, its connections end when it is
// revoked, and there are no others.
func TestACertificateThatIsRevokedEndsItsConnections(t *testing.T) {
	for _, tt := range []struct {
		user  string
		asPEM bool
	}{{nameCN, true}, {"", false}} {
		f := startFleet(t, "tls", tt.user)
		gone, err := f.join(t, f.gone, "gone")
		if err != nil {
			t.Fatal(err)
		}
		stays, err := f.join(t, f.stays, "stays")
		if err != nil {
			t.Fatal(err)
		}
		other := newAuthority(t) // has the same name, and another key
		other.revoke(f.crl, true, f.revoked, f.not)
		again, err := f.join(t, f.gone, "again")
		if err != nil {
			t.Fatalf("somebody else has revoked it: %v", err)
		}
		_ = again.Close()
		f.ca.revoke(f.crl, tt.asPEM, f.revoked)
		revoked := time.Now()
		told, err := io.ReadAll(gone)
		if err != nil || len(told) < 3 || told[0] != 0xE0 || told[2] != 0x87 {
			t.Errorf("%v: it is told % x, want DISCONNECT 0x87", err, told)
		}
		if took := time.Since(revoked); took > time.Second {
			t.Errorf("it took %v", took)
		}
		if _, err := f.join(t, f.gone, "resumed"); err == nil {
			t.Error("a session of TLS is resumed")
		}
		f.gone.ClientSessionCache = nil
		if _, err := f.join(t, f.gone, "anew"); err == nil || !strings.Contains(err.Error(), "bad certificate") {
			t.Errorf("it is let in: %v", err)
		}
		replace(t, f.crl, []byte("half a list"))
		if _, err := f.join(t, f.gone, "anew"); err == nil {
			t.Error("it is let in since the list cannot be read")
		}
		if _, err := stays.Write([]byte{0xC0, 0}); err != nil {
			t.Error(err)
		}
		pong := make([]byte, 2)
		if _, err := io.ReadFull(stays, pong); err != nil || pong[0] != 0xD0 {
			t.Errorf("another certificate: %v, % x", err, pong)
		}
	}
}

// A connection of HTTP that is kept open makes no requests after that.
func TestACertificateThatIsRevokedMakesNoRequests(t *testing.T) {
	f := startFleet(t, "wss", nameCN)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: f.gone}}
	defer client.CloseIdleConnections()
	ask := func() (int, error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+f.Addr("secure")+"/api/auth/getCurrentUser", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(r)
		if err != nil {
			return 0, err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode, errors.Join(err, resp.Body.Close())
	}
	if status, err := ask(); err != nil || status != http.StatusOK {
		t.Fatalf("%v, status %d", err, status)
	}
	f.ca.revoke(f.crl, true, f.revoked)
	waitFor(t, "the list is read", func() bool {
		status, err := ask()
		return err != nil || status == http.StatusUnauthorized
	})
}

func TestAListOfRevokedCertificatesMustBeUsable(t *testing.T) {
	ca := newAuthority(t)
	dir := t.TempDir()
	l := ca.secureListener("tls")
	l.TLS.ClientCA, l.TLS.CRL = filepath.Join(dir, "ca.pem"), filepath.Join(dir, "crl.pem")
	writePEM(t, l.TLS.ClientCA, "CERTIFICATE", ca.cert.Raw)
	writePEM(t, l.TLS.CRL, "CERTIFICATE", ca.cert.Raw)
	cfg := testConfig(t)
	cfg.Listeners = []Listener{l}
	if b, err := Start(t.Context(), cfg, slog.New(slog.NewTextHandler(t.Output(), nil))); err == nil || !strings.Contains(err.Error(), "listeners[0].tls.crl: ") {
		t.Errorf("%v", err)
		if err == nil {
			_ = b.Close(t.Context())
		}
	}
	cfg.Listeners[0].TLS.ClientCA = ""
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "listeners[0].tls.crl") {
		t.Errorf("without authorities: %v", err)
	}
}
