package rooms

import (
	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
)

// MayWrite says whether somebody may make a change, by the versions of the document
// before and after it. The error is [access.ErrForbidden].
func MayWrite(by *access.Rights, c *persistence.Change) error {
	return by.Write(c.Key.Index, c.Key.Collection, c.Key.ID, version(c.Before), version(c.After))
}

func version(doc *persistence.Document) access.Version {
	if doc == nil {
		return nil
	}
	return func() (*filter.Document, error) { return Prepare(doc) }
}
