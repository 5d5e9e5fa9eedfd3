package rooms

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
)

// infoField is where Kuzzle keeps a document's metadata. What a client sends
// under this name is not part of the document.
const infoField = "_kuzzle_info"

// anonymous is the user of those who did not sign in, as in Kuzzle.
const anonymous = "-1"

// Prepare makes a stored document ready to be matched: its body, _id and
// metadata. It passed the limits when it was written, and does not again.
func Prepare(doc *persistence.Document) (*filter.Document, error) {
	d, err := filter.ParseDocument(StripInfo(doc.Body), filter.DocumentLimits{Depth: math.MaxInt, Members: math.MaxInt, Elements: math.MaxInt, Digits: math.MaxInt})
	if err != nil {
		return nil, err
	}
	d.Set("_id", doc.Key.ID)
	d.Set(infoField+".author", userName(doc.Author))
	d.Set(infoField+".createdAt", float64(doc.CreatedAt.UnixMilli()))
	if doc.UpdatedAt.IsZero() {
		d.Set(infoField+".updater", nil)
		d.Set(infoField+".updatedAt", nil)
	} else {
		d.Set(infoField+".updater", userName(doc.Updater))
		d.Set(infoField+".updatedAt", float64(doc.UpdatedAt.UnixMilli()))
	}
	return d, nil
}

func userName(user string) string {
	if user == "" {
		return anonymous
	}
	return user
}

// AppendSource appends the document as Kuzzle's _source: the body with the
// metadata as its last member.
func AppendSource(b []byte, doc *persistence.Document) []byte {
	b = appendOpenBody(b, doc.Body)
	b = append(b, `"`+infoField+`":{"author":`...)
	b = appendString(b, userName(doc.Author))
	b = append(b, `,"createdAt":`...)
	b = strconv.AppendInt(b, doc.CreatedAt.UnixMilli(), 10)
	if doc.UpdatedAt.IsZero() {
		return append(b, `,"updatedAt":null,"updater":null}}`...)
	}
	b = append(b, `,"updatedAt":`...)
	b = strconv.AppendInt(b, doc.UpdatedAt.UnixMilli(), 10)
	b = append(b, `,"updater":`...)
	b = appendString(b, userName(doc.Updater))
	return append(b, "}}"...)
}

// appendOpenBody appends a body without the metadata, as an object to which one
// more member is to be added.
func appendOpenBody(b, body []byte) []byte {
	body = bytes.TrimSpace(StripInfo(body))
	inside := bytes.TrimRight(body[:len(body)-1], " \t\r\n")
	b = append(b, inside...)
	if len(inside) > 1 {
		b = append(b, ',')
	}
	return b
}

// StripInfo returns the body without a member named _kuzzle_info, which a
// client sends when it writes back what it has read.
func StripInfo(body []byte) []byte {
	if !bytes.Contains(body, []byte(infoField)) && !bytes.Contains(body, []byte(`\u`)) {
		return body // an escape may spell the name, too
	}
	stripped, err := withoutMember(body, infoField)
	if err != nil {
		return body // not an object: whoever parses it next says so
	}
	return stripped
}

// withoutMember copies a JSON object without one of its members.
func withoutMember(object []byte, member string) ([]byte, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(object))
	if _, err := dec.ReadToken(); err != nil {
		return nil, fmt.Errorf("rooms: read object: %w", err)
	}
	out := []byte{'{'}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, fmt.Errorf("rooms: read member: %w", err)
		}
		key := name.String()
		value, err := dec.ReadValue()
		if err != nil {
			return nil, fmt.Errorf("rooms: read value: %w", err)
		}
		if key == member {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(appendString(out, key), ':')
		out = append(out, value...)
	}
	return append(out, '}'), nil
}
