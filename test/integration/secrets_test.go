package integration

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// No secret that somebody has said is in a log, an answer, or the list of processes.
func TestNoSecretIsToldToAnybody(t *testing.T) {
	t.Parallel()
	const marker = "m4rker-s3cret"
	s := &staff{t: t, users: filepath.Join(t.TempDir(), "users.txt")}
	s.passwd(marker+"-anna", "anna", "--role", "admin")
	s.broker = startBroker(t, brokerOptions{config: fmt.Sprintf("{anonymous: none, users: %q, log: {level: debug}}", s.users)})
	b := s.broker
	var told strings.Builder
	for _, v5 := range []bool{false, true} {
		connect(t, b, connectOptions{v5: v5, id: "right", user: "anna", password: marker + "-anna"}).put(t, "home/lamp", "on")
		for _, o := range []connectOptions{{user: "anna", password: marker + "-wrong"}, {user: "nobody", password: marker}, {user: "anna", password: "ambit_" + marker}} {
			o.v5 = v5
			_, ack := tryConnect(t, b, o)
			told.WriteString(ack.reason)
		}
	}
	nobody := func(*http.Request) {}
	for _, sign := range []func(*http.Request){
		nobody,
		func(r *http.Request) { r.SetBasicAuth("anna", marker) },
		func(r *http.Request) { r.SetBasicAuth("anna", marker+"-anna") },
		func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+marker) },
		func(r *http.Request) { r.Header.Set("Authorization", marker) },
	} {
		told.WriteString(s.httpPost("server/now", fmt.Sprintf(`{"jwt":%q}`, marker), sign))
		told.WriteString(s.httpPost("auth/login", fmt.Sprintf(`{"strategy":"local","body":{"username":"anna","password":%q}}`, marker), sign))
		told.WriteString(s.httpPost("auth/login", fmt.Sprintf(`{"strategy":%q,"body":{"password":`, marker), sign))
		told.WriteString(s.httpPost("auth/checkToken", fmt.Sprintf(`{"body":{"token":%q}}`, marker), sign))
	}
	login := s.httpPost("auth/login", fmt.Sprintf(`{"strategy":"local","body":{"username":"anna","password":%q}}`, marker+"-anna"), nobody)
	_, rest, found := strings.Cut(login, `"jwt":"`)
	token, _, _ := strings.Cut(rest, `"`)
	if !found || token == "" {
		t.Fatalf("auth:login: %s", login)
	}
	bearer := func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	made := s.httpPost("security/createApiKey", `{"userId":"anna"}`, bearer)
	_, rest, found = strings.Cut(made, `"token":"`)
	key, _, _ := strings.Cut(rest, `"`)
	if !found || key == "" {
		t.Fatalf("security:createApiKey: %s", made)
	}
	connect(t, b, connectOptions{user: "anna", password: key}).ping(t)
	connect(t, b, connectOptions{user: "anna", password: token}).ping(t)
	told.WriteString(s.httpPost("security/searchApiKeys", `{}`, bearer))
	told.WriteString(s.httpPost("auth/logout", `{}`, bearer))
	told.WriteString(processList(t))
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	log := b.log.String()
	for _, secret := range []string{marker + "-anna", marker + "-wrong", marker, token, key} {
		for where, text := range map[string]string{"the log": log, "an answer, or the list of processes": told.String()} {
			if at := strings.Index(text, secret); at >= 0 {
				t.Errorf("a secret is in %s: …%s…", where, text[max(0, at-200):min(len(text), at+100)])
			}
		}
	}
	for _, event := range []string{"signed_in", "refused", "key_made"} {
		if !strings.Contains(log, `"audit":"`+event+`"`) {
			t.Errorf("the log does not tell of %s", event)
		}
	}
}

// httpPost makes a request, to which sign adds who makes it, and returns the whole answer.
func (s *staff) httpPost(action, body string, sign func(*http.Request)) string {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, "http://"+s.http+"/api/"+action, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	sign(r)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var text strings.Builder
	if err := answer.Write(&text); err != nil {
		s.t.Fatal(err)
	}
	return text.String()
}

// processList returns how each process of the machine was called.
func processList(t *testing.T) string {
	t.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range names {
		if line, err := os.ReadFile(name); err == nil { // it is there still
			all.Write(line)
		}
	}
	return all.String()
}
