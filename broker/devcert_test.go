package broker

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
)

func TestACertificateForTryingOutServes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "certs")
	for range 2 { // the second one is in place of the first
		if _, err := NewDevCert(dir, []string{"localhost", "127.0.0.1"}); err != nil {
			t.Fatal(err)
		}
	}
	made, err := NewDevCert(dir, []string{"broker.lan", "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(made.Key)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key may be read as %v: %v", info.Mode(), err)
	}
	cfg := testConfig(t)
	cfg.Listeners = []Listener{{Name: "secure", Type: typeTLS, Address: "127.0.0.1:0", TLS: TLS{Cert: made.Cert, Key: made.Key}}}
	b := start(t, cfg)
	text, err := os.ReadFile(made.CA)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(text)
	for name, good := range map[string]bool{"broker.lan": true, "127.0.0.1": true, "localhost": false} {
		c, err := handshake(t, b, &tls.Config{RootCAs: trusted, ServerName: name})
		if (err == nil) != good {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			expectConnack(t, c, "dev", 0)
		}
	}
	if _, err := handshake(t, b, &tls.Config{RootCAs: trusted, ServerName: "broker.lan", MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
}
