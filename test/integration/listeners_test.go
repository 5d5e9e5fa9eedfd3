package integration

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

func TestMosquittoConnectsWithTLSAndOverAUnixSocket(t *testing.T) {
	need(t, "mosquitto_pub")
	dir := t.TempDir()
	cert, key, socket := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "mqtt")
	selfSigned(t, cert, key)
	b := startBroker(t, brokerOptions{config: fmt.Sprintf(`
listeners:
  - {name: devices, type: tls, address: "127.0.0.1:0", tls: {cert: %q, key: %q}}
  - {name: local, type: unix, address: %q, permissions: "0600"}
`, cert, key, socket)})
	host, port, err := net.SplitHostPort(b.address(t, "devices"))
	if err != nil {
		t.Fatal(err)
	}
	overTLS := []string{"-h", host, "-p", port, "--cafile", cert}
	overUnix := []string{"--unix", socket}
	publish := []string{"-q", "1", "-t", "fleet/trucks/42", "-m", `{"speed":60}`}
	for _, args := range [][]string{append(overTLS, publish...), append(overUnix, publish...)} {
		if out, err := exec.Command("mosquitto_pub", args...).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("mosquitto_pub %q: %v\n%s", args, err, out)
		}
	}
	stranger := append([]string{"-h", host, "-p", port, "--capath", dir}, publish...) // which trusts nobody
	if out, err := exec.Command("mosquitto_pub", stranger...).CombinedOutput(); err == nil {
		t.Errorf("mosquitto_pub %q trusts the broker:\n%s", stranger, out)
	}
}

// address returns where a listener of the list listens.
func (b *broker) address(t testing.TB, listener string) string {
	t.Helper()
	for i := 0; ; i++ {
		line, ok := b.log.line(i, b.exited, time.After(patience))
		if !ok {
			t.Fatalf("the broker did not say where %s listens", listener)
		}
		var says struct{ Listener, Address string }
		if json.Unmarshal([]byte(line), &says) == nil && says.Listener == listener && says.Address != "" {
			return says.Address
		}
	}
}

// selfSigned writes a certificate of 127.0.0.1 that is its own authority.
func selfSigned(t testing.TB, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
