package integration

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// newAuthority returns one that another one has certified, or itself if that is nil.
func newAuthority(t *testing.T, name string, by *authority) *authority {
	t.Helper()
	return sign(t, by, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	})
}

func sign(t *testing.T, by *authority, template *x509.Certificate) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	if by == nil {
		by = &authority{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.cert, &key.PublicKey, by.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert, key}
}

// certify returns what a device shows.
func (a *authority) certify(t *testing.T, name string) tls.Certificate {
	t.Helper()
	device := sign(t, a, &x509.Certificate{Subject: pkix.Name{CommonName: name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return tls.Certificate{Certificate: [][]byte{device.cert.Raw, a.cert.Raw}, PrivateKey: device.key, Leaf: device.cert}
}

// revoke returns a list of what the authority has revoked.
func (a *authority) revoke(t *testing.T, certs ...tls.Certificate) []byte {
	t.Helper()
	list := &x509.RevocationList{Number: big.NewInt(time.Now().UnixNano()), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour)}
	for _, c := range certs {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: c.Leaf.SerialNumber, RevocationTime: time.Now()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.cert, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}

// A certificate that a list revokes while the broker is down leaves no will behind, whomever it
// names, also when the list itself is new.
func TestACertificateThatIsRevokedWhileTheBrokerIsDownLeavesNoWill(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, user string
		listed     bool // whether there is a list from the first
	}{{"it names a user", "cn", true}, {"it names nobody", "", true}, {"the list is new", "cn", false}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cert, key, ca, crl := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "ca.pem"), filepath.Join(dir, "crl.pem")
			selfSigned(t, cert, key)
			root := newAuthority(t, "root", nil)
			fleet := newAuthority(t, "fleet", root)
			write(t, ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.cert.Raw}))
			write(t, crl, fleet.revoke(t))
			config := func(listed bool) string {
				list := ""
				if listed {
					list = fmt.Sprintf(", crl: %q", crl)
				}
				return fmt.Sprintf("listeners: [{name: devices, type: tls, address: \"127.0.0.1:0\", tls: {cert: %q, key: %q, client_ca: %q, user: %q%s}}]\n", cert, key, ca, tt.user, list)
			}
			b := startBroker(t, brokerOptions{config: config(tt.listed)})
			gone := fleet.certify(t, "truck-1")
			for name, shown := range map[string]tls.Certificate{"gone": gone, "stays": fleet.certify(t, "truck-2")} {
				connectOverTLS(t, b.address(t, "devices"), shown, connectOptions{
					id: name, v5: true, expiry: 3600, will: &message{topic: "home/" + name, payload: []byte("x"), qos: 1, retain: true},
				})
			}
			b.kill()
			write(t, crl, fleet.revoke(t, gone))
			b = startBroker(t, brokerOptions{dir: b.dir, config: config(true)})
			eventually(t, "the will is refused", func() bool { return strings.Contains(b.log.String(), "will refused") })
			w := connect(t, b, connectOptions{v5: true})
			w.subscribe(t, "home/#")
			if m := w.message(t); m.topic != "home/stays" {
				t.Errorf("told of %s", m.topic)
			}
			w.put(t, "home/end", "")
			if got := w.before(t, "home/end"); len(got) > 0 {
				t.Errorf("told %q", got)
			}
		})
	}
}

func write(t *testing.T, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// connectOverTLS signs in at a listener that the certificate is for.
func connectOverTLS(t *testing.T, address string, shown tls.Certificate, o connectOptions) *wire {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	//nolint:gosec // the broker's certificate is its own
	secure := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{shown}})
	w := &wire{Conn: secure, in: bufio.NewReader(secure), v5: o.v5}
	w.send(t, connectPacket(o))
	if p := w.await(t, typeConnack); p.body[1] != 0 {
		t.Fatalf("CONNACK % x", p.body)
	}
	return w
}
