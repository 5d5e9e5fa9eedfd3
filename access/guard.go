package access

import (
	"log/slog"
	"os"
	"sync/atomic"
)

// A Guard is the policy of a file, which is read again when it has changed. One that
// is at fault is told to the log, and what there was stays. A nil Guard is no policy.
type Guard struct {
	path   string
	log    *slog.Logger
	seen   os.FileInfo // of whoever calls Refresh
	policy atomic.Pointer[Policy]
}

// OpenGuard reads the policy of a file.
func OpenGuard(path string, log *slog.Logger) (*Guard, error) {
	g := &Guard{path: path, log: log}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	p, err := LoadPolicy(path)
	if err != nil {
		return nil, err
	}
	g.seen = info
	g.policy.Store(p)
	return g, nil
}

// Policy returns the policy as it is now, nil for none.
func (g *Guard) Policy() *Policy {
	if g == nil {
		return nil
	}
	return g.policy.Load()
}

// Refresh reads the file if it has changed, and reports whether there is another
// policy now. One goroutine calls it.
func (g *Guard) Refresh() bool {
	info, err := os.Stat(g.path)
	switch {
	case err != nil && g.seen == nil:
		return false // that is known
	case err == nil && g.seen != nil && os.SameFile(info, g.seen) && info.Size() == g.seen.Size() && info.ModTime().Equal(g.seen.ModTime()):
		return false
	}
	g.seen = info // one at fault is read again when it has changed once more
	var p *Policy
	if err == nil {
		p, err = LoadPolicy(g.path)
	}
	if err != nil {
		g.log.Error("the access policy cannot be used; what there was stays", "reason", err)
		return false
	}
	g.policy.Store(p)
	g.log.Info("the access policy is read again", "file", g.path, "roles", p.Roles())
	return true
}
