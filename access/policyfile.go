package access

import (
	"log/slog"
	"os"
	"sync/atomic"
)

// A PolicyFile is the policy of a file, which is read again when it has changed. One that
// is at fault is told to the log, and what there was stays. A nil one is no policy.
type PolicyFile struct {
	path   string
	known  Actions
	audit  *Audit
	seen   os.FileInfo // of whoever calls Refresh
	policy atomic.Pointer[Policy]
}

// OpenPolicy reads the policy of a file. It may name actions of the API that are known, or any if known is nil.
func OpenPolicy(path string, known Actions, log *slog.Logger) (*PolicyFile, error) {
	f := &PolicyFile{path: path, known: known, audit: NewAudit(log)}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	p, err := LoadPolicy(path, known)
	if err != nil {
		return nil, err
	}
	f.seen = info
	f.policy.Store(p)
	return f, nil
}

// Policy returns the policy as it is now, nil for none.
func (f *PolicyFile) Policy() *Policy {
	if f == nil {
		return nil
	}
	return f.policy.Load()
}

// Refresh reads the file if it has changed, and reports whether there is another
// policy now. One goroutine calls it.
func (f *PolicyFile) Refresh() bool {
	info, err := os.Stat(f.path)
	switch {
	case err != nil && f.seen == nil:
		return false // that is known
	case err == nil && f.seen != nil && os.SameFile(info, f.seen) && info.Size() == f.seen.Size() && info.ModTime().Equal(f.seen.ModTime()):
		return false
	}
	f.seen = info // one at fault is read again when it has changed once more
	var p *Policy
	if err == nil {
		p, err = LoadPolicy(f.path, f.known)
	}
	if err != nil {
		f.audit.RulesRefused(f.path, err)
		return false
	}
	f.policy.Store(p)
	f.audit.RulesChanged(f.path)
	return true
}
