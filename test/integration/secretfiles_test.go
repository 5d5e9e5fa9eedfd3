package integration

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// signedToken returns a token of an issuer by HS256 for anna, which counts for an hour.
func signedToken(secret string) string {
	enc := base64.RawURLEncoding
	text := enc.EncodeToString([]byte(`{"alg":"HS256","kid":"1","typ":"JWT"}`)) + "." +
		enc.EncodeToString(fmt.Appendf(nil, `{"sub":"anna","exp":%d}`, time.Now().Add(time.Hour).Unix()))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return text + "." + enc.EncodeToString(mac.Sum(nil))
}

// secretFiles writes the files of a broker that have secrets in them, and returns its settings
// and what is in the files.
func secretFiles(t *testing.T, password, hmacKey string) (config string, secrets []string) {
	t.Helper()
	dir := t.TempDir()
	s := &staff{t: t, users: filepath.Join(dir, "users")}
	s.passwd(password, "anna", "--role", "admin")
	s.passwd(password, "bert", "--scram")
	keyFile := filepath.Join(dir, "issuer")
	if err := os.WriteFile(keyFile, []byte(hmacKey), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, stderr, err := ambit("cert", "dev", "--dir", dir); err != nil {
		t.Fatal(err, stderr)
	}
	for _, name := range []string{s.users, filepath.Join(dir, "server.key")} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if _, verifier, ok := strings.Cut(line, ":$"); ok { // a user's
				line, _, _ = strings.Cut(verifier, " ")
			}
			if line = strings.TrimSpace(line); !strings.HasPrefix(line, "-----") {
				secrets = append(secrets, line)
			}
		}
	}
	config = fmt.Sprintf(`
anonymous: none
users: %q
log: {level: debug}
observe: {sys_interval: 1s}
jwt: {keys: [{id: "1", algorithm: HS256, file: %q}]}
listeners: [{name: devices, type: tls, address: "127.0.0.1:0", tls: {cert: %q, key: %q}}]
`, s.users, keyFile, filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"))
	return config, secrets
}

// What is in the files of the settings, and what is shown at the door, is not in what the
// broker logs at debug level, in traces, metrics, settings, lists, or the list of processes.
func TestNoSecretOfAFileIsToldToAnybody(t *testing.T) {
	t.Parallel()
	const password, hmacKey = "p4ssw0rd-of-anna", "k3y-of-the-issuer-that-has-32-bytes-or-more"
	config, secrets := secretFiles(t, password, hmacKey)
	s := &staff{t: t, broker: startBroker(t, brokerOptions{config: config})}
	token, forged := signedToken(hmacKey), signedToken("another-secret-that-has-32-bytes-or-more")
	secrets = append(secrets, password, hmacKey, token, forged, token[strings.LastIndex(token, "."):])

	traced := newTranscript()
	trace := exec.Command(filepath.Join(programs, "ambit"), "client", "trace", "right", "--json", "--data", s.dir)
	out := &lineWriter{add: traced.add}
	trace.Stdout, trace.Stderr = out, out
	if err := trace.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = trace.Process.Kill(); _ = trace.Wait() }) // it ends by itself later
	for _, v5 := range []bool{false, true} {
		eventually(t, "the client is traced", func() bool {
			before := len(traced.String())
			w := connect(t, s.broker, connectOptions{v5: v5, id: "right", user: "anna", password: password})
			defer w.Close()
			w.send(t, publishPacket(message{topic: "$ambit/request", payload: []byte(`{"controller":"auth","action":"checkToken","body":{"token":"` + forged + `"},"jwt":"` + token + `"}`), qos: 0}, v5))
			w.ping(t)
			return len(traced.String()) > before
		})
		connect(t, s.broker, connectOptions{v5: v5, id: "right", user: "anna", password: token}).ping(t)
		if _, ack := tryConnect(t, s.broker, connectOptions{v5: v5, id: "right", user: "anna", password: forged}); ack.code == 0 {
			t.Error("a forged token is taken")
		}
	}
	told := map[string]string{"the list of processes": processList(t), "the answer": s.httpPost("server/now", `{"jwt":"`+forged+`"}`, func(r *http.Request) { r.SetBasicAuth("anna", password) })}
	c := &company{staff: s}
	told["the answer by Kuzzle's protocol"] = c.talk(t, "anna:"+password, forged)(`{"controller":"server","action":"now"}`)
	for _, args := range [][]string{
		{"config", "print", "--config", s.dir + ".yaml"}, {"config", "check", "--config", s.dir + ".yaml"},
		{"client", "list", "--data", s.dir, "--json"}, {"client", "get", "right", "--data", s.dir, "--json"}, {"apikey", "list", "--data", s.dir},
	} {
		stdout, stderr, _ := ambit(args...) // one may have nothing to tell
		told[strings.Join(args[:2], " ")] = stdout + stderr
	}
	told["metrics"] = s.metrics(password)
	told["the trace"] = traced.String()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	told["the log"] = s.log.String()
	for where, text := range told {
		if text == "" && where != "apikey list" {
			t.Errorf("%s tells nothing at all", where)
		}
		for _, secret := range secrets {
			if at := strings.Index(text, secret); at >= 0 {
				t.Errorf("a secret is in %s: …%s…", where, text[max(0, at-200):min(len(text), at+100)])
			}
		}
	}
}

// metrics returns all metrics.
func (s *staff) metrics(password string) string {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.http+"/metrics", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.SetBasicAuth("anna", password)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var text strings.Builder
	if err := answer.Write(&text); err != nil || answer.StatusCode != http.StatusOK {
		s.t.Fatalf("status %d, %v", answer.StatusCode, err)
	}
	return text.String()
}
