package access

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"
)

// An Audit writes a line for each event that concerns who came in and who may do what. All
// have the attribute audit, the name of the event, and none has a password, a token or
// a key. A nil Audit writes nothing. Its methods may be called concurrently.
type Audit struct {
	log *slog.Logger
	*refusalCounts
}

// refusalCounts are of all that write to one log.
type refusalCounts struct {
	mu      sync.Mutex // guards what follows
	second  int64      // of which written are
	written int
	left    int // refusals that were not written since the last one that was
}

// maxRefusals is how many refusals are written in a second: whoever is refused may try
// again at once, and logs are on a disk.
const maxRefusals = 50

// NewAudit returns one that writes to log.
func NewAudit(log *slog.Logger) *Audit { return &Audit{log, new(refusalCounts)} }

// Of returns one whose lines have the identifier of a request.
func (a *Audit) Of(request string) *Audit {
	if a == nil {
		return nil
	}
	return &Audit{a.log.With("request_id", request), a.refusalCounts}
}

// SignedIn tells that somebody came in who did sign in. client is a client identifier, or "".
func (a *Audit) SignedIn(who *Identity, client string, from net.Addr) {
	if who.By == Anonymous {
		return
	}
	a.write(slog.LevelInfo, "signed in", "signed_in", "user", who.User, "by", string(who.By), "credential", who.Credential,
		"client", client, "remote", address(from))
}

// SignedOut tells that the credential of somebody counts no more, by his own wish.
func (a *Audit) SignedOut(who *Identity) {
	a.write(slog.LevelInfo, "signed out", "signed_out", "user", who.User, "by", string(who.By), "credential", who.Credential)
}

// Refused tells that somebody was not let in. user is the name that was claimed.
func (a *Audit) Refused(user, client string, from net.Addr, why error) {
	a.refuse("not let in", "refused", "user", user, "client", client, "remote", address(from), "reason", why.Error())
}

// Forbidden tells that somebody may not do something: action is such as "publish",
// "subscribe" or "document:create", and on a topic, or "".
func (a *Audit) Forbidden(user, client, action, on, why string) {
	a.refuse("forbidden", "forbidden", "user", user, "client", client, "action", action, "on", on, "reason", why)
}

// Ended tells that a connection was ended because its client may stay no longer.
func (a *Audit) Ended(user, client string, why error) {
	a.write(slog.LevelInfo, "may stay no longer", "ended", "user", user, "client", client, "reason", why.Error())
}

// PasswordChanged tells that a user has another password, by his own wish.
func (a *Audit) PasswordChanged(who *Identity, from net.Addr) {
	a.write(slog.LevelInfo, "password changed", "password_changed", "user", who.User, "by", string(who.By), "credential", who.Credential, "remote", address(from))
}

// RulesChanged tells that the rules, or the users, of a file hold from now on.
func (a *Audit) RulesChanged(file string) {
	a.write(slog.LevelInfo, "rules changed", "rules_changed", "file", file)
}

// RulesRefused tells that a file could not be used, and that what was there holds on.
func (a *Audit) RulesRefused(file string, why error) {
	a.write(slog.LevelError, "rules were not changed", "rules_refused", "file", file, "reason", why.Error())
}

// An Author is who did something. A user may have any name, also one that sounds like another author's.
type Author struct {
	user, other string
}

// ByUser returns a user as an author.
func ByUser(name string) Author { return Author{user: name} }

// ByOperator is whoever runs the broker, by a command on its machine.
func ByOperator() Author { return Author{other: "operator"} }

// byItself is the broker, which bans whoever connects too often.
var byItself = Author{other: "automatic"}

// String returns the name of a user, or what else did it.
func (by Author) String() string { return by.user + by.other }

// attribute returns what is written of an author, as a name and a value: by, or that it was no user.
func (by Author) attribute() (name string, value any) {
	if by.other != "" {
		return by.other, true
	}
	return "by", by.user
}

// KeyMade tells of a new API key, and who made it.
func (a *Audit) KeyMade(by Author, key Key) {
	a.did(by, "API key made", "key_made", "user", key.User, "credential", key.ID, "expires", until(key.Expires))
}

// KeyRevoked tells of an API key that counts no more.
func (a *Audit) KeyRevoked(by Author, key Key) {
	a.did(by, "API key revoked", "key_revoked", "user", key.User, "credential", key.ID)
}

// BanMade tells of a new ban.
func (a *Audit) BanMade(by Author, ban Ban) {
	a.did(by, "banned", "ban_made", "kind", ban.Kind, "of", ban.Of, "reason", ban.Reason, "expires", until(ban.Until))
}

// BanLifted tells of a ban that counts no more.
func (a *Audit) BanLifted(by Author, ban Ban) {
	a.did(by, "ban lifted", "ban_lifted", "kind", ban.Kind, "of", ban.Of)
}

// Disconnected tells that somebody ended the connection of a client.
func (a *Audit) Disconnected(by Author, client, reason string) {
	a.did(by, "disconnected by request", "disconnected", "client", client, "reason", reason)
}

// did writes what somebody did.
func (a *Audit) did(by Author, text, event string, attrs ...any) {
	name, value := by.attribute()
	a.write(slog.LevelInfo, text, event, append([]any{name, value}, attrs...)...)
}

// refuse writes of a refusal, unless there were too many in this second; how many were
// left out is written with the next one.
func (a *Audit) refuse(text, event string, attrs ...any) {
	if a == nil {
		return
	}
	a.mu.Lock()
	if now := time.Now().Unix(); now != a.second {
		a.second, a.written = now, 0
	}
	if a.written >= maxRefusals {
		a.left++
		a.mu.Unlock()
		return
	}
	a.written++
	if a.left > 0 {
		attrs = append(attrs, "not_written", a.left)
		a.left = 0
	}
	a.mu.Unlock()
	a.write(slog.LevelWarn, text, event, attrs...)
}

// write writes a line. Texts from outside are shortened.
func (a *Audit) write(level slog.Level, text, event string, attrs ...any) {
	if a == nil {
		return
	}
	line := []any{"audit", event}
	for i := 0; i < len(attrs); i += 2 {
		switch v := attrs[i+1].(type) {
		case string:
			if v != "" {
				line = append(line, attrs[i], shorten(v))
			}
		default:
			line = append(line, attrs[i], v)
		}
	}
	a.log.Log(context.Background(), level, text, line...)
}

// maxAuditBytes is how much of a text from outside is in a line.
const maxAuditBytes = 256

func shorten(text string) string {
	if len(text) <= maxAuditBytes {
		return text
	}
	return strings.ToValidUTF8(text[:maxAuditBytes], "") + "…"
}

// address returns an address as it is written.
func address(from net.Addr) string {
	if from == nil {
		return ""
	}
	return from.String()
}

// until returns when something ends, or "never".
func until(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}
