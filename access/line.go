package access

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode"
)

// A User is one of a file.
type User struct {
	// Verifier is nil for one who has no password, and signs in otherwise.
	Verifier Verifier
	Grants
}

// Grants are what is known of a user besides the name.
type Grants struct {
	// Roles are what the user is, in the order in which they were given.
	Roles []string `json:"roles,omitempty"`
	// Attributes are what rules may compare with, each a JSON value.
	Attributes map[string]json.RawMessage `json:"attributes,omitempty"`
}

// noPassword stands where a verifier would.
const noPassword = "-"

// maxLineBytes bounds a line of a file of users.
const maxLineBytes = 16 << 10

// parseLine reads the line of one user: a name, a colon, a verifier or "-", and
// after a space the grants as a JSON object, if there are any. Names may have colons:
// what begins a verifier is in no name.
func parseLine(line string) (name string, u User, err error) {
	if len(line) > maxLineBytes {
		return "", u, fmt.Errorf("the line is longer than %d bytes", maxLineBytes)
	}
	name, rest := cutName(line)
	if name == "" {
		return "", u, fmt.Errorf("it is not <name>:%s…, <name>:%s… or <name>:%s", argon2Mark, scramMark, noPassword)
	}
	verifier, grants, _ := strings.Cut(rest, " ")
	switch {
	case strings.HasPrefix(verifier, argon2Mark):
		u.Verifier, err = parseArgon2(verifier)
	case strings.HasPrefix(verifier, scramMark):
		u.Verifier, err = parseScram(verifier)
	}
	if err == nil && strings.TrimSpace(grants) != "" {
		u.Grants, err = parseGrants([]byte(grants))
	}
	return name, u, err
}

// cutName returns the name of a line, and what comes behind its colon. The name is ""
// if there is nothing of that kind.
func cutName(line string) (name, rest string) {
	first := -1
	for _, mark := range []string{":" + argon2Mark, ":" + scramMark, ":" + noPassword + " "} {
		if at := strings.Index(line+" ", mark); at >= 0 && (first < 0 || at < first) {
			first = at
		}
	}
	if first <= 0 {
		return "", ""
	}
	return line[:first], line[first+1:]
}

// parseGrants reads {"roles":[…],"attributes":{…}}, and nothing else.
func parseGrants(text []byte) (Grants, error) {
	var g Grants
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&g); err != nil {
		return g, fmt.Errorf(`what follows the verifier is not {"roles":[…],"attributes":{…}}: %w`, err)
	}
	if _, err := d.Token(); err == nil {
		return g, errors.New("something follows the grants")
	}
	return g, g.check()
}

// check says what is wrong with grants.
func (g Grants) check() error {
	if slices.Contains(g.Roles, "") {
		return errors.New("a role has no name")
	}
	if _, unnamed := g.Attributes[""]; unnamed {
		return errors.New("an attribute has no name")
	}
	return nil
}

// isZero says whether nothing is granted.
func (g Grants) isZero() bool { return len(g.Roles) == 0 && len(g.Attributes) == 0 }

func (g Grants) equal(h Grants) bool {
	if !slices.Equal(g.Roles, h.Roles) || len(g.Attributes) != len(h.Attributes) {
		return false
	}
	for name, value := range g.Attributes {
		if other, ok := h.Attributes[name]; !ok || !bytes.Equal(value, other) {
			return false
		}
	}
	return true
}

// line returns a user as files have it.
func (u User) line(name string) (string, error) {
	text := name + ":" + noPassword
	if u.Verifier != nil {
		text = name + ":" + u.Verifier.String()
	}
	if u.isZero() {
		return text, nil
	}
	grants, err := json.Marshal(u.Grants)
	if err != nil {
		return "", err
	}
	return text + " " + string(grants), nil
}

// isName says whether a user can be called that in a file.
func isName(name string) bool {
	taken, _ := cutName(name + ":" + noPassword)
	return name != "" && name[0] != '#' && !strings.ContainsFunc(name, unicode.IsControl) && taken == name
}

// readFile reads a file of users. The error names the line at fault.
func readFile(path string) (map[string]User, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	users := map[string]User{}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		name, u, err := parseLine(line)
		if _, twice := users[name]; err == nil && twice {
			err = fmt.Errorf("there is a user %q already", name)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		users[name] = u
	}
	return users, nil
}
