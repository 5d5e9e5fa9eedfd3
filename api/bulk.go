package api

import (
	"encoding/json"

	"github.com/ambitmq/ambit/persistence"
)

// bulkActions is the table of the controller bulk, whose writes are told to no client of
// Kuzzle's protocol unless a request says notify.
func bulkActions() map[string]action {
	write := writer{plan: planWrite, show: showWritten, what: "write"}
	return map[string]action{
		"import": quiet(bulkImport), "write": quiet(write.one), "mWrite": quiet(write.many),
		"updateByQuery": quiet(bulkUpdate), "deleteByQuery": quiet(bulkDelete),
	}
}

func quiet(do action) action {
	return func(c *call) (any, error) {
		notify, err := c.bool("notify")
		if err != nil {
			return nil, err
		}
		c.silent = !notify
		return do(c)
	}
}

// planWrite is planCreateOrReplace, and makes an id if there is none.
func planWrite(c *call, e entry) (*persistence.Write, error) {
	if e.ID == "" {
		return planCreate(c, e)
	}
	return planCreateOrReplace(c, e)
}

// A bulkItem is what became of one of the documents of an import.
type bulkItem struct {
	ID     string          `json:"_id"`
	Status int             `json:"status"`
	Source json.RawMessage `json:"_source,omitempty"`
	Error  *bulkFault      `json:"error,omitempty"`
}

type bulkFault struct {
	Reason string `json:"reason"`
	Type   string `json:"type"`
}

// A bulkWrite is one operation of an import.
type bulkWrite struct {
	verb  string
	entry entry
}

// bulkImport writes documents as Elasticsearch's bulk API has them: an object that says what is
// done, {"index":{"_id":…}}, and behind it the document, but for delete.
func bulkImport(c *call) (any, error) {
	if err := c.writable(); err != nil {
		return nil, err
	}
	strict, err := c.bool("strict")
	if err != nil {
		return nil, err
	}
	all, err := c.bulkWrites()
	if err != nil {
		return nil, err
	}
	result := struct {
		Successes []map[string]bulkItem `json:"successes"`
		Errors    []map[string]bulkItem `json:"errors"`
	}{[]map[string]bulkItem{}, []map[string]bulkItem{}}
	fail := func(w bulkWrite, err error) {
		e := c.errorOf(err)
		result.Errors = append(result.Errors, map[string]bulkItem{w.verb: {w.entry.ID, e.Status, w.entry.Body, &bulkFault{e.Message, e.ID}}})
	}
	plans := map[string]plan{"index": planWrite, "create": planCreate, "update": planUpdate, "delete": planDelete}
	var writes []*persistence.Write
	var of []bulkWrite
	for _, w := range all {
		write, err := plans[w.verb](c, w.entry)
		if err != nil {
			fail(w, err)
			continue
		}
		writes, of = append(writes, write), append(of, w)
	}
	outcomes, err := c.commit(writes)
	if err != nil {
		return nil, err
	}
	for i, o := range outcomes {
		if o.err != nil {
			fail(of[i], o.err)
			continue
		}
		item := bulkItem{ID: o.change.Key.ID, Status: 200}
		if o.change.Before == nil {
			item.Status = 201
		}
		result.Successes = append(result.Successes, map[string]bulkItem{of[i].verb: item})
	}
	if strict && len(result.Errors) > 0 {
		return nil, incompleteOf("import", result.Errors)
	}
	return result, nil
}

// bulkWrites reads the list in the body.
func (c *call) bulkWrites() ([]bulkWrite, error) {
	body, err := c.body()
	if err != nil {
		return nil, err
	}
	raw, ok := body["bulkData"]
	if !ok {
		return nil, missing.with("bulkData")
	}
	var lines []json.RawMessage
	if json.Unmarshal(raw, &lines) != nil {
		return nil, invalidType.with("bulkData", "array")
	}
	var all []bulkWrite
	for i := 0; i < len(lines); i++ {
		w, err := bulkVerb(lines[i])
		if err != nil {
			return nil, err
		}
		if w.verb != "delete" {
			if i++; i == len(lines) {
				return nil, invalidValue.with("bulkData", "a document behind each "+w.verb)
			}
			w.entry.Body = lines[i]
		}
		if w.verb == "update" {
			var update struct{ Doc json.RawMessage }
			if json.Unmarshal(w.entry.Body, &update) != nil || update.Doc == nil {
				return nil, invalidValue.with("bulkData", `{"doc":{…}} behind each update`)
			}
			w.entry.Body = update.Doc
		}
		if all = append(all, w); len(all) > c.opts.ReadDocuments {
			return nil, writeLimit.with(c.opts.ReadDocuments)
		}
	}
	return all, nil
}

// bulkVerb reads what is done to a document.
func bulkVerb(line json.RawMessage) (bulkWrite, error) {
	var verbs map[string]struct {
		ID string `json:"_id"`
	}
	if json.Unmarshal(line, &verbs) == nil && len(verbs) == 1 {
		for verb, of := range verbs {
			switch verb {
			case "index", "create", "update", "delete":
				return bulkWrite{verb, entry{ID: of.ID}}, nil
			}
		}
	}
	return bulkWrite{}, invalidValue.with("bulkData", `{"index":{"_id":…}}, or the same with create, update or delete`)
}

// bulkUpdate is updateByQuery that counts.
func bulkUpdate(c *call) (any, error) {
	done, err := updateByQuery(c)
	if err != nil {
		return nil, err
	}
	result := done.(updated)
	return struct {
		Updated int `json:"updated"`
		scan
	}{len(result.Successes), result.scan}, nil
}

// bulkDelete is deleteByQuery that counts.
func bulkDelete(c *call) (any, error) {
	done, err := deleteByQuery(c)
	if err != nil {
		return nil, err
	}
	result := done.(deleted)
	return struct {
		Deleted int `json:"deleted"`
		scan
	}{len(result.IDs), result.scan}, nil
}
