package persistence

import (
	"errors"
	"fmt"
)

// expires fails if a target is not in the index of what expires, in the second of it.
func (c *checker) expires(target []byte, second uint64) error {
	if second == 0 {
		return nil
	}
	_, err := getValue(c.db, expiryKey(second, target))
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%q expires, and is not in the index of what does", target)
	}
	return err
}

// expiry is the check of an entry of that index.
func (c *checker) expiry(key, _ []byte) error {
	second, target, ok := cutExpiryKey(key)
	if !ok {
		return fmt.Errorf("expiry key %x: %w", key, errMalformed)
	}
	value, err := getValue(c.db, target)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	// What cannot be read is told of where it is.
	if expires, err := secondIn(target, value); err == nil && expires != second {
		return fmt.Errorf("%q is in the index of what expires, and does not then", target)
	}
	return nil
}

// secondIn returns the second in which a target expires that has this value, nil if it
// is not there; 0 if it does not.
func secondIn(target, value []byte) (uint64, error) {
	if value == nil {
		return 0, nil
	}
	if k, ok := cutDocumentKey(target); ok {
		d, err := decodeDocument(k, value)
		if err != nil {
			return 0, err
		}
		return secondOf(d.Expires), nil
	}
	if target[0] == spaceRetained {
		known, err := retentionIn(target, value)
		return known.second, err
	}
	return 0, nil
}

// retained is the check of a retained message.
func (c *checker) retained(key, value []byte) error {
	known, err := retentionIn(key, value)
	if err != nil {
		return err
	}
	return c.expires(key, known.second)
}

// endOfRetained is called behind the last retained message.
func (c *checker) endOfRetained(complete bool, count uint64) {
	value, err := getValue(c.db, metaRetained())
	if !complete || c.stopped() != nil || errors.Is(err, ErrNotFound) { // not counted yet
		return
	}
	r := reader{rest: value}
	r.format()
	counted := r.uint()
	if err := errors.Join(err, r.end()); err != nil {
		c.report.fault(fmt.Errorf("the number of retained messages: %w", err))
	} else if counted != count {
		c.report.fault(fmt.Errorf("there are %d retained messages, and were counted %d", count, counted))
	}
}
