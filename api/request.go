package api

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/jsonobject"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// envelopeDepth is how much deeper than a document a request is: the envelope,
// its body, and of that the list of documents with each of them.
const envelopeDepth = 4

// A call is a request on its way.
type call struct {
	*Router
	opts *Options // as they are while it is answered
	ctx  context.Context
	from Caller
	now  time.Time
	// rights are what the caller may do; nil is everything.
	rights *access.Rights
	// member is the client that asks, if its protocol has requests alone.
	member Member
	// silent says that Kuzzle's clients are not told of what is written.
	silent   bool
	warnings []warning

	RequestID, Controller, Action string
	Index, Collection, ID         string
	// Body and Volatile are nil if there is none.
	Body, Volatile json.RawMessage
	// nullBody says that the body is null, which is none but for messages.
	nullBody bool
	// args are all other members.
	args map[string]json.RawMessage
}

// parse reads the text of a request.
func (c *call) parse(text []byte) error {
	lim := filter.DocumentLimits{Depth: c.opts.Documents.Depth + envelopeDepth, Members: math.MaxInt, Elements: math.MaxInt, Digits: c.opts.Documents.Digits}
	if _, err := filter.ParseDocument(text, lim); err != nil {
		return c.unread(err)
	}
	all, err := jsonobject.Members(bytes.Clone(text))
	if err != nil {
		return c.unread(err)
	}
	c.args = make(map[string]json.RawMessage, len(all))
	for _, m := range all {
		if !isNull(m.Value) {
			c.args[m.Name] = json.RawMessage(m.Value)
		} else if m.Name == "body" {
			c.nullBody = true
		}
	}
	controller, action := c.Controller, c.Action
	for _, s := range []struct {
		name string
		to   *string
	}{
		{"requestId", &c.RequestID}, {"controller", &c.Controller}, {"action", &c.Action},
		{"index", &c.Index}, {"collection", &c.Collection}, {"_id", &c.ID},
	} {
		if *s.to, err = c.string(s.name); err != nil {
			return err
		}
	}
	if controller != "" {
		c.Controller, c.Action = controller, action
	}
	c.Body = c.args["body"]
	if v, ok := c.args["volatile"]; ok {
		if v[0] != '{' {
			return invalidType.with("volatile", "object")
		}
		c.Volatile = v
	}
	return nil
}

func isNull(value []byte) bool { return string(bytes.TrimSpace(value)) == "null" }

// string returns an argument, "" if it is absent.
func (c *call) string(name string) (string, error) {
	var s string
	return s, c.read(name, &s, "string")
}

func (c *call) bool(name string) (bool, error) {
	var b bool
	return b, c.read(name, &b, "boolean")
}

// count returns an argument that is a number from 0 on.
func (c *call) count(name string, or, most int) (int, error) {
	n := or
	if err := c.read(name, &n, "integer"); err != nil {
		return 0, err
	}
	if n < 0 || n > most {
		return 0, invalidValue.with(name, "an integer from 0 to "+itoa(most))
	}
	return n, nil
}

// window returns which part of a list a request asks for: from which place on, up to most,
// and how many, or so many if it does not say.
func (c *call) window(most, or int) (from, size int, err error) {
	if from, err = c.count("from", 0, most); err != nil {
		return 0, 0, err
	}
	if size, err = c.count("size", or, math.MaxInt32); err == nil && size > c.opts.ReadDocuments {
		err = getLimit.with(c.opts.ReadDocuments)
	}
	return from, size, err
}

// listed returns the part of a list that a request asks for.
func listed[T, A any](c *call, list []T, answer func(T) A) (any, error) {
	from, size, err := c.window(1<<30, 10)
	if err != nil {
		return nil, err
	}
	hits := []A{}
	for i := from; i < len(list) && i < from+size; i++ {
		hits = append(hits, answer(list[i]))
	}
	return struct {
		Hits  []A `json:"hits"`
		Total int `json:"total"`
	}{hits, len(list)}, nil
}

// read reads an argument, if it is there.
func (c *call) read(name string, to any, kind string) error {
	raw, ok := c.args[name]
	if !ok {
		return nil
	}
	if json.Unmarshal(raw, to) != nil {
		return invalidType.with(name, kind)
	}
	return nil
}

// collection checks the names of the index and the collection that a request is
// about.
func (c *call) collection() error {
	if err := c.index(); err != nil {
		return err
	}
	if c.Collection == "" {
		return missing.with("collection")
	}
	if !isName(c.Index, c.Collection) {
		return badName.with(c.Collection)
	}
	return nil
}

func (c *call) index() error {
	if c.Index == "" {
		return missing.with("index")
	}
	if !isName(c.Index, "c") {
		return badIndex.with(c.Index)
	}
	return nil
}

// isName says whether the two can be the names of an index and a collection.
func isName(index, collection string) bool {
	got, name, err := topics.ParseCollection(index + "/" + collection)
	return err == nil && got == index && name == collection
}

// key returns that of a document of the collection, which has been checked.
func (c *call) key(id string) (persistence.Key, error) {
	topic := strings.Join([]string{c.Index, c.Collection, id}, "/")
	name, err := topics.ParseName(topic, c.opts.Topics)
	if err != nil || name.Kind != topics.Document {
		return persistence.Key{}, invalidValue.with("_id", "an id that can be the last level of a topic")
	}
	return persistence.Key{Index: c.Index, Collection: c.Collection, ID: id}, nil
}

// document checks that the request names a document, and returns its key.
func (c *call) document() (persistence.Key, error) {
	if err := c.collection(); err != nil {
		return persistence.Key{}, err
	}
	if c.ID == "" {
		return persistence.Key{}, missing.with("_id")
	}
	return c.key(c.ID)
}

// body reads the members of the body.
func (c *call) body() (map[string]json.RawMessage, error) {
	if c.Body == nil {
		return nil, bodyRequired.with()
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(c.Body, &members) != nil || members == nil {
		return nil, invalidType.with("body", "object")
	}
	for name, value := range members {
		if isNull(value) {
			delete(members, name)
		}
	}
	return members, nil
}

// ids reads the list of ids that stands in the body, or among the arguments.
func (c *call) ids(most int, tooMany fault) ([]string, error) {
	raw, ok := c.args["ids"]
	if c.Body != nil {
		members, err := c.body()
		if err != nil {
			return nil, err
		}
		if inBody, is := members["ids"]; is {
			raw, ok = inBody, true
		}
	}
	if !ok {
		return nil, missing.with("ids")
	}
	var ids []string
	if json.Unmarshal(raw, &ids) != nil {
		return nil, invalidType.with("ids", "array of strings")
	}
	if len(ids) > most {
		return nil, tooMany.with(most)
	}
	return ids, nil
}
