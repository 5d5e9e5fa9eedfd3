package access

import (
	"errors"
	"fmt"
	"os"

	"github.com/ambitmq/ambit/filter"
)

// The roles that nobody is given: of whoever did not sign in, and of everybody who
// did.
const (
	AnonymousRole = "anonymous"
	UserRole      = "user"
)

// A Policy says who may do what: a file of roles, and what each may do. What no role
// of a client allows is refused. It is not written once it is made.
type Policy struct {
	name  string
	roles map[string]*role
	// ruled are the collections that any role has rules for: their documents are
	// nobody's whom no rule lets see them.
	ruled map[string]bool
}

// A role is what one role may do.
type role struct {
	name        string
	topics      []topicRule
	calls       []call
	collections map[string]*collectionRules
}

// A topicRule lets a role publish or subscribe, or neither.
type topicRule struct {
	line               int
	deny               bool
	publish, subscribe bool
	text               string
	pattern            []segment
}

// A call is an action of the API, of which "*" is any.
type call struct {
	line               int
	controller, action string
}

// collectionRules are those of one collection for one role.
type collectionRules struct {
	line       int
	operations [operations]*documentRule // nil is nobody
	hide, show []string
}

// A documentRule is a filter with values of whoever asks in it.
type documentRule struct {
	line int
	text any // the filter as JSON values, and authValue
}

// An Operation is what is done with a document.
type Operation byte

// The operations. List is to find documents by a filter, View to see one of which
// the id is known, or whose topic is subscribed to.
const (
	List Operation = iota
	View
	Create
	Update
	Delete
	operations
)

// String returns the operation as a policy names it.
func (o Operation) String() string { return operationNames()[o] }

func operationNames() [operations]string {
	return [operations]string{"list", "view", "create", "update", "delete"}
}

// A PolicyError is a fault in a line of a policy.
type PolicyError struct {
	Line int
	Text string
}

func (e *PolicyError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Text) }

// maxPolicyBytes is the longest policy.
const maxPolicyBytes = 4 << 20

// Actions say whether the API has an action, of which both parts may be "*". Nil knows all that can be written.
type Actions func(controller, action string) bool

// ParsePolicy reads a policy, which its faults and reasons call by a name. The error
// joins a [PolicyError] for each of its faults.
func ParsePolicy(name string, text []byte, known Actions) (*Policy, error) {
	p := &policyReader{known: known, policy: &Policy{name: name, roles: map[string]*role{}, ruled: map[string]bool{}}}
	if len(text) > maxPolicyBytes {
		p.fault(1, "the policy has %d bytes, the limit is %d", len(text), maxPolicyBytes)
	} else {
		p.read(text)
	}
	if len(p.faults) > 0 {
		return nil, errors.Join(p.faults...)
	}
	return p.policy, nil
}

// LoadPolicy reads the policy of a file. The error joins one for each of its faults, with the name
// of the file and the line.
func LoadPolicy(path string, known Actions) (*Policy, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p, err := ParsePolicy(path, text, known)
	if faults, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // it is what ParsePolicy makes
		all := faults.Unwrap()
		for i, fault := range all {
			all[i] = fmt.Errorf("%s: %w", path, fault)
		}
		return nil, errors.Join(all...)
	}
	return p, err
}

// Roles returns how many there are.
func (p *Policy) Roles() int { return len(p.roles) }

// rolesOf returns the roles of somebody that the policy knows, each once.
func (p *Policy) rolesOf(who *Identity) []*role {
	names := append([]string{UserRole}, who.Roles...)
	if who.User == "" {
		names[0] = AnonymousRole
	}
	var roles []*role
	seen := map[string]bool{}
	for _, name := range names {
		if r := p.roles[name]; r != nil && !seen[name] {
			roles = append(roles, r)
		}
		seen[name] = true
	}
	return roles
}

// nothing and everything are the filters of those names.
func nothing() *filter.Filter { return parsedFilter(`{"nothing":{"field":true}}`) }

func everything() *filter.Filter { return parsedFilter(`{}`) }

func parsedFilter(text string) *filter.Filter {
	f, err := filter.Parse([]byte(text))
	if err != nil {
		panic(err) // the texts are ours
	}
	return f
}
