package access

import "slices"

// maxRenewed is how many names are kept of users that have changed.
const maxRenewed = 10_000

// Renewed returns the users whose line of the file has changed, or is gone, since it was
// called for the last time; some of them, if they are very many.
func (u *Users) Renewed() []string {
	if u == nil {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	names := u.renewed
	u.renewed = nil
	return names
}

// renew notes which users are others than before. The caller holds u.mu.
func (u *Users) renew(users map[string]User) {
	for name, old := range u.users {
		now, ok := users[name]
		same := ok && (old.Verifier == nil) == (now.Verifier == nil) &&
			(old.Verifier == nil || old.Verifier.String() == now.Verifier.String()) &&
			now.equal(Grants{old.Roles, old.Attributes})
		if !same && len(u.renewed) < maxRenewed && !slices.Contains(u.renewed, name) {
			u.renewed = append(u.renewed, name)
		}
	}
}
