package broker

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An authority signs certificates for a test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	a.cert, a.key = a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	})
	return a
}

// sign returns a certificate by the authority, or its own as long as it has none.
func (a *authority) sign(template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := template, key
	if a.cert != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

// issue writes a certificate for 127.0.0.1 and its key to files.
func (a *authority) issue(name, certFile, keyFile string) tls.Certificate {
	a.t.Helper()
	cert, key := a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	writePEM(a.t, certFile, "CERTIFICATE", cert.Raw)
	writePEM(a.t, keyFile, "PRIVATE KEY", der)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
}

// pool returns the authority as clients trust it.
func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// secureListener returns a listener with a certificate by a.
func (a *authority) secureListener(kind string) Listener {
	a.t.Helper()
	dir := a.t.TempDir()
	l := Listener{
		Name: "secure", Type: kind, Address: "127.0.0.1:0",
		TLS: TLS{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")},
	}
	a.issue("first", l.TLS.Cert, l.TLS.Key)
	return l
}

// handshake connects to the listener "secure", without MQTT.
func handshake(t *testing.T, b *Broker, cfg *tls.Config) (*tls.Conn, error) {
	t.Helper()
	d := tls.Dialer{NetDialer: &net.Dialer{Deadline: time.Now().Add(deadline)}, Config: cfg}
	c, err := d.DialContext(t.Context(), "tcp", b.Addr("secure"))
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.(*tls.Conn), c.SetDeadline(time.Now().Add(deadline))
}

// signIn says CONNECT and expects that it is accepted. With TLS 1.3 a client
// learns only here that its certificate is refused.
func signIn(t *testing.T, c net.Conn) error {
	t.Helper()
	if _, err := c.Write(connectPacket(t, 5, "client")); err != nil {
		return err
	}
	ack := make([]byte, 4)
	if _, err := c.Read(ack); err != nil {
		return err
	}
	if ack[0] != 0x20 || ack[3] != 0 {
		t.Errorf("CONNACK % x", ack)
	}
	return nil
}

func TestATLSListenerServes(t *testing.T) {
	ca := newAuthority(t)
	cfg := testConfig(t)
	cfg.Listeners = []Listener{ca.secureListener("tls")}
	b := start(t, cfg)
	c, err := handshake(t, b, &tls.Config{RootCAs: ca.pool()})
	if err != nil {
		t.Fatal(err)
	}
	if err := signIn(t, c); err != nil {
		t.Fatal(err)
	}
	old := &tls.Config{RootCAs: ca.pool(), MaxVersion: tls.VersionTLS11} //nolint:gosec // that is the point
	if _, err := handshake(t, b, old); err == nil {
		t.Error("TLS 1.1 is taken")
	}
}

func TestCertificatesAreReadAgainWhenTheirFilesChange(t *testing.T) {
	ca := newAuthority(t)
	cfg := testConfig(t)
	l := ca.secureListener("tls")
	cfg.Listeners = []Listener{l}
	b := start(t, cfg)
	expectName := func(want string) {
		t.Helper()
		c, err := handshake(t, b, &tls.Config{RootCAs: ca.pool()})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.ConnectionState().PeerCertificates[0].Subject.CommonName; got != want {
			t.Errorf("the certificate is that of %s, want %s", got, want)
		}
	}
	expectName("first")
	ca.issue("second", l.TLS.Cert, l.TLS.Key)
	expectName("second")
	if err := os.WriteFile(l.TLS.Cert, []byte("half a certif"), 0o600); err != nil {
		t.Fatal(err)
	}
	expectName("second")
	if err := os.Remove(l.TLS.Key); err != nil {
		t.Fatal(err)
	}
	expectName("second")
	ca.issue("third", l.TLS.Cert, l.TLS.Key)
	expectName("third")
}

func TestClientCertificatesAreAskedFor(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	dir := t.TempDir()
	caFile := filepath.Join(dir, "ca.pem")
	writePEM(t, caFile, "CERTIFICATE", ca.cert.Raw)
	good := ca.issue("client", filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem"))
	bad := other.issue("client", filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem"))
	for _, tt := range []struct {
		name, auth string
		shown      []tls.Certificate
		ok         bool
	}{
		{"a good one is taken", "", []tls.Certificate{good}, true},
		{"none is refused", "", nil, false},
		{"one by another authority is refused", "require", []tls.Certificate{bad}, false},
		{"none is taken where they are optional", "optional", nil, true},
		{"a bad one is refused where they are optional", "optional", []tls.Certificate{bad}, false},
		{"nobody looks where there is no need", "none", []tls.Certificate{bad}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := testConfig(t)
			l := ca.secureListener("tls")
			l.TLS.ClientCA, l.TLS.ClientAuth = caFile, tt.auth
			cfg.Listeners = []Listener{l}
			b := start(t, cfg)
			show := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				if len(tt.shown) == 0 {
					return &tls.Certificate{}, nil
				}
				return &tt.shown[0], nil
			}
			c, err := handshake(t, b, &tls.Config{RootCAs: ca.pool(), GetClientCertificate: show})
			if err == nil {
				err = signIn(t, c)
			}
			if (err == nil) != tt.ok {
				t.Errorf("%v, want success: %v", err, tt.ok)
			}
		})
	}
}

func TestAHandshakeThatDoesNotComeIsNotWaitedFor(t *testing.T) {
	ca := newAuthority(t)
	hasty, patient := ca.secureListener("tls"), ca.secureListener("tls")
	hasty.Name, hasty.Limits.ConnectTimeout = "hasty", 100*time.Millisecond
	patient.Name, patient.Limits.ConnectTimeout = "patient", time.Hour
	cfg := testConfig(t)
	cfg.Listeners = []Listener{hasty, patient}
	b := start(t, cfg)
	expectEnd(t, dialListener(t, b, "tcp", "hasty"))
	c := dialListener(t, b, "tcp", "patient")
	stop(t, b)
	expectEnd(t, c)
}
