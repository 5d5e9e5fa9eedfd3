package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/ambitmq/ambit/api"
)

// What a request asks for.
type asked struct {
	request []byte  // of the API
	options string  // of the topic filter, that the API's request does not have
	since   *uint64 // the last change that the client knows
}

// read reads a request. Where a client comes back, what it knows last says after what to go on.
func read(r *http.Request) (asked, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return asked{}, fmt.Errorf("the query of the URL: %w", err)
	}
	request := map[string]any{"index": r.PathValue("index"), "collection": r.PathValue("collection"), "seq": true, "body": json.RawMessage("{}")}
	a, since := asked{}, ""
	for name, values := range q {
		if len(values) != 1 {
			return asked{}, fmt.Errorf("the parameter %q stands there %d times", name, len(values))
		}
		switch value := values[0]; name {
		case "filter":
			if value != "" {
				request["body"] = json.RawMessage(value)
			}
			if !json.Valid([]byte(value)) && value != "" {
				return asked{}, fmt.Errorf("the parameter filter is no JSON (in curl: -G --data-urlencode 'filter={…}')")
			}
		case "scope", "users", "rule":
			request[name] = value
		case "transition":
			a.options += "&transition=" + url.QueryEscape(value) // it is one option, whatever is in it
		case "since":
			since = value
		default:
			return asked{}, fmt.Errorf("unknown parameter %q (there are filter, scope, transition, users, rule and since)", name)
		}
	}
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		since = id
	}
	if since != "" {
		n, err := strconv.ParseUint(since, 10, 64)
		if err != nil {
			return asked{}, errors.New("since, or Last-Event-ID, is not the id of an event")
		}
		a.since, a.options = &n, a.options+"&since="+strconv.FormatUint(n, 10)
	}
	a.request, err = json.Marshal(request)
	return a, err
}

func refusal(err error) *api.Error {
	return &api.Error{ID: "api.assert.invalid_argument", Code: 0x02010002, Status: http.StatusBadRequest, Message: err.Error()}
}
