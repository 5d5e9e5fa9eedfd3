package access

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/ambitmq/ambit/test/mutate"
)

const hour = time.Hour

// signers are the keys of an issuer, and their files.
type signers struct {
	secret []byte
	rsa    *rsa.PrivateKey
	ec     *ecdsa.PrivateKey
	ed     ed25519.PrivateKey
	files  map[string]string // by algorithm
}

func newSigners(t testing.TB) signers {
	t.Helper()
	s := signers{secret: []byte("0123456789abcdef0123456789abcdef"), files: map[string]string{}}
	var errs [3]error
	s.rsa, errs[0] = rsa.GenerateKey(rand.Reader, minRSABits)
	s.ec, errs[1] = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, s.ed, errs[2] = ed25519.GenerateKey(rand.Reader)
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(algorithm string, text []byte) {
		s.files[algorithm] = filepath.Join(dir, algorithm)
		if err := os.WriteFile(s.files[algorithm], text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("HS256", append(s.secret, '\n'))
	for algorithm, key := range map[string]crypto.Signer{"RS256": s.rsa, "ES256": s.ec, "EdDSA": s.ed} {
		der, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		write(algorithm, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	return s
}

// key returns the private key of an algorithm.
func (s signers) key(algorithm jose.SignatureAlgorithm) any {
	return map[jose.SignatureAlgorithm]any{jose.HS256: s.secret, jose.RS256: s.rsa, jose.ES256: s.ec, jose.EdDSA: s.ed}[algorithm]
}

// sign returns a token. kid may be "".
func sign(t testing.TB, algorithm jose.SignatureAlgorithm, key any, kid string, claims map[string]any) string {
	t.Helper()
	o := &jose.SignerOptions{}
	if kid != "" {
		o = o.WithHeader("kid", kid)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, o)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// claims are those of a token that counts, but for what is changed. nil takes one away.
func claimsWith(changes map[string]any) map[string]any {
	now := time.Now()
	all := map[string]any{
		"iss": "https://id.example.com", "aud": []string{"ambit", "maps"}, "sub": "anna", "jti": "1",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(hour).Unix(),
		"realm": map[string]any{"roles": []string{"driver", "night"}}, "tenant": "acme", "org": map[string]any{"depots": []int{1, 2}},
	}
	for name, value := range changes {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	return all
}

func (s signers) options(t testing.TB) IssuerOptions {
	t.Helper()
	o := IssuerOptions{
		Issuer: "https://id.example.com", Audience: "ambit", Leeway: 10 * time.Second, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Mapping: Mapping{User: "sub", Roles: "realm.roles", Attributes: []string{"tenant", "depots=org.depots", "absent"}},
	}
	for _, algorithm := range algorithms() {
		o.Keys = append(o.Keys, KeyFile{ID: "key-" + string(algorithm), Algorithm: string(algorithm), File: s.files[string(algorithm)]})
	}
	return o
}

func (s signers) issuer(t testing.TB) *Issuer {
	t.Helper()
	i, err := NewIssuer(s.options(t))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestATokenSaysWhoSomebodyIs(t *testing.T) {
	s := newSigners(t)
	d := open(t, nil, newDrawer(), s.issuer(t))
	for _, algorithm := range algorithms() {
		for _, kid := range []string{"", "key-" + string(algorithm)} {
			who, err := d.Enter(Arrival{Login: &Login{Name: "anna", Password: []byte(sign(t, algorithm, s.key(algorithm), kid, claimsWith(nil)))}})
			if err != nil {
				t.Errorf("%s, %q: %v", algorithm, kid, err)
				continue
			}
			want := map[string]json.RawMessage{"tenant": json.RawMessage(`"acme"`), "depots": json.RawMessage(`[1,2]`)}
			if who.User != "anna" || who.By != Token || !reflect.DeepEqual(who.Roles, []string{"driver", "night"}) || !reflect.DeepEqual(who.Attributes, want) {
				t.Errorf("%+v", who)
			}
			if left := time.Until(who.Expires); left < hour || left > hour+11*time.Second {
				t.Errorf("it expires in %v", left)
			}
		}
	}
}

// unsigned returns a token with a header of our own, and a signature that may be anything.
func unsigned(t *testing.T, header, signature string) string {
	t.Helper()
	payload, err := json.Marshal(claimsWith(nil))
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString
	return text([]byte(header)) + "." + text(payload) + "." + signature
}

func TestATokenThatIsNotGoodIsRefused(t *testing.T) {
	s := newSigners(t)
	d := open(t, nil, newDrawer(), s.issuer(t))
	public := func(algorithm string) []byte {
		text, err := os.ReadFile(s.files[algorithm])
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	rs := func(changes map[string]any) string {
		return sign(t, jose.RS256, s.rsa, "key-RS256", claimsWith(changes))
	}
	good, now := rs(nil), time.Now()
	other := newSigners(t)
	mine := jose.JSONWebKey{Key: other.rsa, KeyID: "key-RS256", Algorithm: "RS256"}
	embedding, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: mine}, &jose.SignerOptions{EmbedJWK: true})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claimsWith(nil))
	if err != nil {
		t.Fatal(err)
	}
	embedded, err := embedding.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	withKey, err := embedded.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, text string
		want       error
	}{
		{"no algorithm", unsigned(t, `{"alg":"none"}`, ""), ErrToken},
		{"no algorithm, spelled otherwise", unsigned(t, `{"alg":"nOnE","kid":"key-RS256"}`, "AA"), ErrToken},
		{"no algorithm is named", unsigned(t, `{"kid":"key-RS256"}`, "AA"), ErrToken},
		{"another algorithm", unsigned(t, `{"alg":"HS512","kid":"key-HS256"}`, "AA"), ErrToken},
		{"a public key as the secret", sign(t, jose.HS256, public("RS256"), "key-RS256", claimsWith(nil)), ErrToken},
		{"a public key as the secret, unnamed", sign(t, jose.HS256, public("ES256"), "", claimsWith(nil)), ErrToken},
		{"the key of another algorithm", sign(t, jose.ES256, s.ec, "key-RS256", claimsWith(nil)), ErrToken},
		{"another issuer's key", sign(t, jose.RS256, other.rsa, "key-RS256", claimsWith(nil)), ErrToken},
		{"its own key", withKey, ErrToken},
		{"a key that nobody has", sign(t, jose.RS256, s.rsa, "key-x", claimsWith(nil)), ErrToken},
		{"the name of the broker's key", sign(t, jose.HS256, s.secret, ownKey, claimsWith(nil)), ErrToken},
		{"a signature that was cut", good[:len(good)-4], ErrToken},
		{"another signature", good[:strings.LastIndexByte(good, '.')] + "." + strings.Repeat("A", 342), ErrToken},
		{"another payload", strings.Replace(good, ".", ".e30", 1), ErrToken},
		{"another issuer", rs(map[string]any{"iss": "https://id.example.org"}), ErrToken},
		{"no issuer", rs(map[string]any{"iss": nil}), ErrToken},
		{"another audience", rs(map[string]any{"aud": "maps"}), ErrToken},
		{"the audience as a text", rs(map[string]any{"aud": "ambit"}), nil},
		{"it has expired", rs(map[string]any{"exp": now.Add(-time.Minute).Unix()}), ErrExpired},
		{"it has just expired", rs(map[string]any{"exp": now.Add(-5 * time.Second).Unix()}), nil},
		{"it never expires", rs(map[string]any{"exp": nil}), ErrToken},
		{"it expires at no time", rs(map[string]any{"exp": "soon"}), ErrToken},
		{"it does not count yet", rs(map[string]any{"nbf": now.Add(time.Minute).Unix()}), ErrToken},
		{"it nearly counts", rs(map[string]any{"nbf": now.Add(5 * time.Second).Unix()}), nil},
		{"it was made in the future", rs(map[string]any{"iat": now.Add(time.Minute).Unix()}), ErrToken},
		{"no user", rs(map[string]any{"sub": nil}), ErrToken},
		{"an empty user", rs(map[string]any{"sub": ""}), ErrToken},
		{"a user that is a number", rs(map[string]any{"sub": 7}), ErrToken},
		{"another user than was said", rs(map[string]any{"sub": "bert"}), ErrDenied},
		{"roles that are numbers", rs(map[string]any{"realm": map[string]any{"roles": []int{1}}}), ErrToken},
		{"no roles", rs(map[string]any{"realm": nil}), nil},
		{"it is too long", rs(map[string]any{"x": strings.Repeat("x", maxTokenBytes)}), ErrToken},
		{"it is good", good, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := d.Enter(Arrival{Login: &Login{Name: "anna", Password: []byte(tt.text)}}); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
}

func TestRolesMayBeATextWithSpaces(t *testing.T) {
	s := newSigners(t)
	o := s.options(t)
	o.Roles = "https://ambit/scope.all"
	i, err := NewIssuer(o)
	if err != nil {
		t.Fatal(err)
	}
	who, err := i.enter(sign(t, jose.HS256, s.secret, "", claimsWith(map[string]any{"https://ambit/scope.all": " driver night "})))
	if err != nil || !reflect.DeepEqual(who.Roles, []string{"driver", "night"}) {
		t.Errorf("%+v, %v", who, err)
	}
}

func TestAKeyFileThatIsNoneIsRefused(t *testing.T) {
	s := newSigners(t)
	short := filepath.Join(t.TempDir(), "short")
	if err := os.WriteFile(short, []byte("0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]KeyFile{
		"another algorithm":           {Algorithm: "ES256", File: s.files["RS256"]},
		"a secret that is too short":  {Algorithm: "HS256", File: short},
		"a public key as the secret":  {Algorithm: "HS256", File: s.files["RS256"]},
		"a secret as the public key":  {Algorithm: "RS256", File: s.files["HS256"]},
		"a file that is not there":    {Algorithm: "RS256", File: short + "er"},
		"an algorithm that is no one": {Algorithm: "none", File: s.files["EdDSA"]},
	} {
		if _, err := NewIssuer(IssuerOptions{Keys: []KeyFile{file}}); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// FuzzToken has the door read any password. Nobody comes in with what was not signed.
func FuzzToken(f *testing.F) {
	s := newSigners(f)
	d := open(f, nil, newDrawer(), s.issuer(f))
	seeds := []string{
		"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm5hIn0.",
		"eyJhbGciOiJIUzI1NiIsImtpZCI6ImFtYml0In0.eyJzdWIiOiJhbm5hIiwiZXhwIjo5OTk5OTk5OTk5fQ.AAAA",
		"eyJhbGciOiJSUzI1NiIsImNyaXQiOlsiYjY0Il0sImI2NCI6ZmFsc2V9.e30.AAAA",
		keyMark + "a-b",
	}
	for _, algorithm := range algorithms() {
		good := sign(f, algorithm, s.key(algorithm), "key-"+string(algorithm), claimsWith(nil))
		seeds = append(seeds, good[:len(good)-6]+"AAAAAA")
	}
	for _, text := range seeds {
		f.Add(text)
	}
	for text := range mutate.Texts(10_000, seeds...) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if who, err := d.Enter(Arrival{Login: &Login{Password: []byte(text), Bearer: true}}); err == nil {
			t.Errorf("%q comes in as %+v", text, who)
		}
	})
}
