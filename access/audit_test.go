package access

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
)

func TestAnAuditHasALineForEachEventAndNoSecret(t *testing.T) {
	var out bytes.Buffer
	a := NewAudit(slog.New(slog.NewJSONHandler(&out, nil)))
	from := &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 4711}
	who := &Identity{User: "anna", By: Password, verifier: "marker-secret"}
	key := Key{ID: "k1", User: "anna"}
	secret := key.newSecret()
	a.SignedIn(&Identity{By: Anonymous}, "dev", from) // is no sign-in
	a.SignedIn(who, "dev", from)
	a.SignedOut(who)
	a.Refused("anna", "dev", from, ErrDenied)
	a.Forbidden("anna", "dev", "publish", "home/lamp", "no rule allows it")
	a.Ended("anna", "dev", ErrRevoked)
	a.RulesChanged("policy.yaml")
	a.RulesRefused("policy.yaml", errors.New("line 3"))
	a.KeyMade(ByOperator(), key)
	a.KeyRevoked(ByOperator(), key)
	a.BanMade(ByOperator(), Ban{Kind: BanUser, Of: "anna"})
	a.BanLifted(ByOperator(), Ban{Kind: BanUser, Of: "anna"})
	a.Disconnected(ByOperator(), "dev", "")
	want := []string{"signed_in", "signed_out", "refused", "forbidden", "ended", "rules_changed", "rules_refused", "key_made", "key_revoked", "ban_made", "ban_lifted", "disconnected"}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want), out.String())
	}
	for i, line := range lines {
		if !strings.Contains(line, `"audit":"`+want[i]+`"`) {
			t.Errorf("%s: want audit %s", line, want[i])
		}
	}
	for _, s := range []string{"marker-secret", secret, string(key.Hash)} {
		if strings.Contains(out.String(), s) {
			t.Errorf("a secret is in the audit:\n%s", out.String())
		}
	}
}

func TestAUserCalledOperatorIsNotTheOperatorInAnAudit(t *testing.T) {
	lines := map[string]bool{}
	for _, by := range []Author{ByUser("operator"), ByUser("automatic"), ByOperator(), byItself} {
		var out bytes.Buffer
		NewAudit(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))).BanLifted(by, Ban{Kind: BanUser, Of: "anna"})
		lines[out.String()] = true
	}
	if len(lines) != 4 {
		t.Errorf("they are told apart in %d lines: %v", len(lines), lines)
	}
}

func TestAFloodOfRefusalsIsNoFloodOfLines(t *testing.T) {
	var out bytes.Buffer
	a := NewAudit(slog.New(slog.NewTextHandler(&out, nil)))
	for range 10 * maxRefusals {
		a.Refused("anna", strings.Repeat("x", 1<<10), nil, ErrDenied)
	}
	if n := strings.Count(out.String(), "\n"); n < 1 || n > 4*maxRefusals { // the second may have changed
		t.Errorf("%d lines", n)
	}
	if out.Len() > 4*maxRefusals*1000 {
		t.Errorf("%d bytes", out.Len())
	}
	a.mu.Lock()
	a.second = 0
	left := a.left
	a.mu.Unlock()
	out.Reset()
	a.Refused("anna", "", nil, ErrDenied)
	if left > 0 && !strings.Contains(out.String(), "not_written=") {
		t.Errorf("%s: nobody is told of the %d lines that were left out", out.String(), left)
	}
}
