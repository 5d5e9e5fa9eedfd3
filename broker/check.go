package broker

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// A check collects the settings whose value is not allowed: their names, their
// values, and what is allowed.
type check struct {
	prefix string
	faults *[]error
}

// in returns the check of the settings inside another.
func (k *check) in(key string) *check {
	return &check{k.prefix + key + ".", k.faults}
}

func (k *check) bad(key string, value any, allowed string) {
	*k.faults = append(*k.faults, fmt.Errorf("%s%s: %v is not allowed: must be %s", k.prefix, key, value, allowed))
}

func (k *check) err() error { return errors.Join(*k.faults...) }

func (k *check) address(key, addr string) {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		k.bad(key, quoted(addr), `an address such as "127.0.0.1:1883"`)
	}
}

func (k *check) oneOf(key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		k.bad(key, quoted(value), "one of "+strings.Join(allowed, ", "))
	}
}

// absent reports a setting that makes no sense where it stands.
func (k *check) absent(key, value, unless string) {
	if value != "" {
		k.bad(key, quoted(value), "absent "+unless)
	}
}

func (k *check) number(key string, value, min, max int64) {
	if value < min || value > max {
		k.bad(key, value, fmt.Sprintf("from %d to %d", min, max))
	}
}

func (k *check) duration(key string, value, min, max time.Duration) {
	if value < min || value > max {
		k.bad(key, value, fmt.Sprintf("from %v to %v", min, max))
	}
}

func quoted(value string) string { return fmt.Sprintf("%q", value) }
