package broker

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

func TestACertificateNamesItsUser(t *testing.T) {
	uri, err := url.Parse("spiffe://example.com/truck")
	if err != nil {
		t.Fatal(err)
	}
	all := &x509.Certificate{
		Subject: pkix.Name{CommonName: "truck-42"}, DNSNames: []string{"truck.example.com", "b"},
		EmailAddresses: []string{"truck@example.com"}, URIs: []*url.URL{uri},
	}
	for kind, want := range map[string]string{
		nameCN: "truck-42", nameDNS: "truck.example.com", nameEmail: "truck@example.com", nameURI: "spiffe://example.com/truck",
	} {
		if got := userOf(all, kind); got != want {
			t.Errorf("%s: %q", kind, got)
		}
		if got := userOf(&x509.Certificate{}, kind); got != "" {
			t.Errorf("%s of a certificate without: %q", kind, got)
		}
	}
}

// startWithCertificates starts a broker that lets in nobody without a certificate or a
// password, at a listener of a type.
func startWithCertificates(t *testing.T, kind string, change func(*TLS)) (b *Broker, shown *tls.Config) {
	t.Helper()
	ca := newAuthority(t)
	cfg := testConfig(t)
	cfg.Anonymous = none
	l := ca.secureListener(kind)
	dir := t.TempDir()
	l.TLS.ClientCA, l.TLS.ClientAuth, l.TLS.User, l.TLS.OwnClientID = filepath.Join(dir, "ca.pem"), "optional", nameCN, true
	writePEM(t, l.TLS.ClientCA, "CERTIFICATE", ca.cert.Raw)
	if change != nil {
		change(&l.TLS)
	}
	cfg.Listeners = []Listener{l}
	cert := ca.issue("truck-42", filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem"))
	return start(t, cfg), &tls.Config{RootCAs: ca.pool(), Certificates: []tls.Certificate{cert}}
}

func TestAClientIsWhoItsCertificateNames(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*TLS)
		bare   bool // without a certificate
		id     string
		code   byte
	}{
		{"its own client identifier", nil, false, "truck-42", 0},
		{"another client identifier", nil, false, "truck-43", 0x85},
		{"any client identifier", func(t *TLS) { t.OwnClientID = false }, false, "truck-43", 0},
		{"a certificate that names nobody", func(t *TLS) { t.User = nameDNS }, false, "truck-42", 0x86},
		{"certificates do not name users", func(t *TLS) { t.User, t.OwnClientID = "", false }, false, "truck-42", 0x87},
		{"no certificate", nil, true, "truck-42", 0x87},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, shown := startWithCertificates(t, "tls", tt.change)
			if tt.bare {
				shown.Certificates = nil
			}
			c, err := handshake(t, b, shown)
			if err != nil {
				t.Fatal(err)
			}
			expectConnack(t, c, tt.id, tt.code)
		})
	}
}

func TestARequestIsByWhomItsCertificateNames(t *testing.T) {
	b, shown := startWithCertificates(t, "wss", nil)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: shown, DisableKeepAlives: true}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+b.Addr("secure")+"/api/auth/getCurrentUser", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || !strings.Contains(string(text), `"_id":"truck-42"`) || !strings.Contains(string(text), `"strategies":["certificate"]`) {
		t.Errorf("%v: %s", err, text)
	}
}
