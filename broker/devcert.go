package broker

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// A DevCert names the files of a certificate for trying out.
type DevCert struct {
	// CA is the authority's certificate, which clients are to trust. Its key is thrown away, so that
	// nobody can sign anything else with it.
	CA string
	// Cert and Key are for the settings tls.cert and tls.key.
	Cert, Key string
}

// devCertLife is how long one is good.
const devCertLife = 90 * 24 * time.Hour

// NewDevCert makes a certificate for these names and addresses, with an authority of its own, in a
// directory, in place of what was made there before.
func NewDevCert(dir string, hosts []string) (DevCert, error) {
	made := DevCert{filepath.Join(dir, "ca.pem"), filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key")}
	now := time.Now()
	ca, caKey, err := sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "Ambit, for trying out"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(devCertLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, nil)
	if err != nil {
		return DevCert{}, err
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: hosts[0]}, NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	server, key, err := sign(template, ca, caKey)
	if err != nil {
		return DevCert{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return DevCert{}, fmt.Errorf("private key: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return DevCert{}, err
	}
	for _, f := range []struct {
		name, kind string
		der        []byte
		mode       os.FileMode
	}{{made.Key, "PRIVATE KEY", der, 0o600}, {made.Cert, "CERTIFICATE", server.Raw, 0o644}, {made.CA, "CERTIFICATE", ca.Raw, 0o644}} {
		if err := replaceFile(f.name, pem.EncodeToMemory(&pem.Block{Type: f.kind, Bytes: f.der}), f.mode); err != nil {
			return DevCert{}, err
		}
	}
	return made, nil
}

// sign makes a key and a certificate, which parent signs, or itself.
func sign(template, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return nil, nil, err
	}
	if parent == nil {
		parent, parentKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		return nil, nil, fmt.Errorf("certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	return cert, key, err
}

// replaceFile writes a file that was never readable by others than mode says.
func replaceFile(name string, content []byte, mode os.FileMode) error {
	temporary := name + ".new"
	if err := os.Remove(temporary); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := os.WriteFile(temporary, content, mode); err != nil {
		return err
	}
	return os.Rename(temporary, name)
}
