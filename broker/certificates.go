package broker

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
)

// certificates are those of one listener, read again when their files have
// changed.
type certificates struct {
	files TLS
	log   *slog.Logger

	mu      sync.Mutex // guards what follows
	seen    []os.FileInfo
	current *tls.Config
	revoked revocations
	renewed bool // whether revoked are others, until somebody asks
}

// load reads the files. The error begins with the name of the setting at fault.
func (c *certificates) load() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = c.look()
	return c.read()
}

// read reads the files. If one is at fault all stays as it was. The caller holds c.mu.
func (c *certificates) read() error {
	cfg, err := c.files.config()
	if err != nil {
		return err
	}
	if c.files.CRL != "" {
		revoked, err := readRevocations(c.files.CRL, c.log)
		if err != nil {
			return fmt.Errorf("crl: %q cannot be used: %w", c.files.CRL, err)
		}
		revoked.warn(c.files, c.log)
		revoked.revokes(cfg)
		c.revoked, c.renewed = revoked, true
	}
	c.current = cfg
	return nil
}

// forClient returns what holds for a handshake that begins. It costs a look at
// the files, without opening them.
func (c *certificates) forClient(*tls.ClientHelloInfo) (*tls.Config, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.look()
	if sameFiles(seen, c.seen) {
		return c.current, nil
	}
	c.seen = seen // those at fault are read again when they have changed once more
	if err := c.read(); err != nil {
		c.log.Warn("certificates have changed and cannot be used; the former ones stay", "reason", err)
		return c.current, nil
	}
	c.log.Info("certificates are read again")
	return c.current, nil
}

// look returns what the directory says of the files, nil for one that is not
// there.
func (c *certificates) look() []os.FileInfo {
	var seen []os.FileInfo
	for _, name := range []string{c.files.Cert, c.files.Key, c.files.ClientCA, c.files.CRL} {
		if name != "" {
			info, _ := os.Stat(name) // whoever reads it says what is wrong
			seen = append(seen, info)
		}
	}
	return seen
}

func sameFiles(a, b []os.FileInfo) bool {
	for i := range a {
		if a[i] == nil || b[i] == nil {
			if a[i] != b[i] {
				return false
			}
			continue
		}
		if !os.SameFile(a[i], b[i]) || a[i].Size() != b[i].Size() || !a[i].ModTime().Equal(b[i].ModTime()) {
			return false
		}
	}
	return true
}

// config reads the files.
func (t TLS) config() (*tls.Config, error) {
	unusable := func(key, name string, err error) error {
		return fmt.Errorf("%s: %q cannot be used: %w", key, name, err)
	}
	cert, err := os.ReadFile(t.Cert)
	if err != nil {
		return nil, unusable("cert", t.Cert, err)
	}
	key, err := os.ReadFile(t.Key)
	if err != nil {
		return nil, unusable("key", t.Key, err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, unusable("cert", t.Cert, err)
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	if t.ClientCA == "" || t.ClientAuth == "none" {
		return cfg, nil
	}
	authorities, err := os.ReadFile(t.ClientCA)
	if err != nil {
		return nil, unusable("client_ca", t.ClientCA, err)
	}
	cfg.ClientCAs, cfg.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if !cfg.ClientCAs.AppendCertsFromPEM(authorities) {
		return nil, unusable("client_ca", t.ClientCA, errors.New("there is no certificate in it"))
	}
	if t.ClientAuth == "optional" {
		cfg.ClientAuth = tls.VerifyClientCertIfGiven
	}
	return cfg, nil
}
