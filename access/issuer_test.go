package access

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// A keyServer serves what it is told to.
type keyServer struct {
	*httptest.Server
	answer atomic.Pointer[http.HandlerFunc]
	asked  atomic.Int32
}

func newKeyServer(t *testing.T) *keyServer {
	t.Helper()
	k := &keyServer{}
	k.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.asked.Add(1)
		(*k.answer.Load())(w, r)
	}))
	t.Cleanup(k.Close)
	return k
}

func (k *keyServer) serve(f http.HandlerFunc) { k.answer.Store(&f) }

func (k *keyServer) keys(t *testing.T, keys ...jose.JSONWebKey) {
	t.Helper()
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	k.text(string(text))
}

func (k *keyServer) text(text string) {
	k.serve(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) })
}

// withKeySet returns an issuer all of whose keys are in a set.
func withKeySet(t *testing.T, s signers, url string) *Issuer {
	t.Helper()
	o := s.options(t)
	o.Keys, o.KeySet = nil, url
	i, err := NewIssuer(o)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestKeysComeFromAKeySet(t *testing.T) {
	s, server := newSigners(t), newKeyServer(t)
	server.keys(t,
		jose.JSONWebKey{Key: s.rsa.Public(), KeyID: "r", Algorithm: "RS256", Use: "sig"},
		jose.JSONWebKey{Key: s.ec.Public(), KeyID: "e"},
		jose.JSONWebKey{Key: s.ed.Public(), KeyID: "d"},
		jose.JSONWebKey{Key: s.rsa.Public(), KeyID: "enc", Use: "enc"},
		jose.JSONWebKey{Key: s.rsa.Public(), KeyID: "ps", Algorithm: "PS256"},
		jose.JSONWebKey{Key: s.secret, KeyID: "h"},
	)
	i := withKeySet(t, s, server.URL)
	i.Renew(t.Context())
	for _, tt := range []struct {
		algorithm jose.SignatureAlgorithm
		kid       string
		ok        bool
	}{
		{jose.RS256, "r", true}, {jose.ES256, "e", true}, {jose.EdDSA, "d", true}, {jose.RS256, "", true},
		{jose.RS256, "enc", false}, {jose.RS256, "ps", false}, {jose.HS256, "h", false}, {jose.RS256, "e", false},
	} {
		if _, err := i.enter(sign(t, tt.algorithm, s.key(tt.algorithm), tt.kid, claimsWith(nil))); (err == nil) != tt.ok {
			t.Errorf("%s %q: %v, want success: %v", tt.algorithm, tt.kid, err, tt.ok)
		}
	}
	if n := server.asked.Load(); n != 1 {
		t.Errorf("the key set was asked for %d times within a moment", n)
	}
}

// A key that is not known is asked for once in a while, however many tokens name one.
func TestAKeySetIsAskedForAgainForANewKey(t *testing.T) {
	s, server := newSigners(t), newKeyServer(t)
	server.keys(t, jose.JSONWebKey{Key: s.ec.Public(), KeyID: "old"})
	i := withKeySet(t, s, server.URL)
	i.Renew(t.Context())
	server.keys(t, jose.JSONWebKey{Key: s.rsa.Public(), KeyID: "new"})
	text := sign(t, jose.RS256, s.rsa, "new", claimsWith(nil))
	for range 5 {
		if _, err := i.enter(text); err == nil {
			t.Fatal("the key set was asked for again at once")
		}
	}
	i.asked = time.Now().Add(-keySetInterval) // that time has passed
	if _, err := i.enter(text); err != nil {
		t.Error(err)
	}
	for range 5 {
		if _, err := i.enter(sign(t, jose.ES256, s.ec, "old", claimsWith(nil))); err == nil {
			t.Error("a key that was taken back still counts")
		}
	}
	if n := server.asked.Load(); n != 2 {
		t.Errorf("the key set was asked for %d times, want 2", n)
	}
}

func TestAKeySetThatCannotBeHadLeavesTheKeys(t *testing.T) {
	s, server := newSigners(t), newKeyServer(t)
	server.keys(t, jose.JSONWebKey{Key: s.ec.Public(), KeyID: "e"})
	i := withKeySet(t, s, server.URL)
	i.Renew(t.Context())
	text := sign(t, jose.ES256, s.ec, "e", claimsWith(nil))
	for name, answer := range map[string]func(){
		"an error":      func() { server.serve(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 500) }) },
		"no JSON":       func() { server.text("<html>") },
		"no keys":       func() { server.text(`{"keys":[]}`) },
		"no usable key": func() { server.keys(t, jose.JSONWebKey{Key: s.secret, KeyID: "h"}) },
		"too long":      func() { server.text(`{"keys":[],"x":"` + strings.Repeat("x", keySetBytes) + `"}`) },
		"elsewhere": func() {
			server.serve(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/keys", http.StatusFound) })
		},
		"nobody": server.Close,
	} {
		answer()
		i.Renew(t.Context())
		if _, err := i.enter(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "nobody" {
			break // there is nobody any more to answer
		}
	}
}

func TestAKeySetComesOverHTTPSOrFromThisMachine(t *testing.T) {
	for url, want := range map[string]bool{
		"https://id.example.com/keys": true, "http://127.0.0.1:8000/keys": true, "http://[::1]/": true, "http://localhost/": true,
		"http://id.example.com/keys": false, "http://127.0.0.1.example.com/": false, "file:///keys": false, "keys": false, "": false,
		"https://user:secret@id.example.com/": false,
	} {
		if got := IsKeySet(url); got != want {
			t.Errorf("%q: %v", url, got)
		}
	}
}
