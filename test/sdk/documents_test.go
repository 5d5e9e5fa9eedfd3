package sdk

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	ambit "github.com/ambitmq/ambit/client"
)

func TestEveryActionOnDocumentsInNode(t *testing.T) {
	build(t)
	c := startJS(t, "5")
	b := startBroker(t, "")
	c.open(t, "ws://"+b.http.address()+"/mqtt", "")
	for _, tt := range []struct{ controller, method, args, want string }{
		{"document", "create", `[{"n":1},"1",{"volatile":{"by":"me"}}]`, `{"_id":"1","_version":1}`},
		{"document", "createOrReplace", `["1",{"n":2}]`, `{"_version":2,"created":false}`},
		{"document", "replace", `["1",{"n":3,"o":{"p":1}}]`, `{"_version":3}`},
		{"document", "update", `["1",{"o":{"q":2}},{"source":true}]`, `{"_source":{"n":3,"o":{"p":1,"q":2}}}`},
		{"document", "deleteFields", `["1",["o.p"],{"source":true}]`, `{"_source":{"n":3,"o":{"q":2}}}`},
		{"document", "upsert", `["2",{"n":5},{"default":{"m":1},"source":true}]`, `{"_source":{"m":1,"n":5},"created":true}`},
		{"document", "get", `["2"]`, `{"_id":"2","_source":{"n":5}}`},
		{"document", "exists", `["3"]`, `false`},
		{"document", "mGet", `[["1","3"]]`, `{"errors":["3"]}`},
		{"document", "mExists", `[["1","3"]]`, `{"successes":["1"],"errors":["3"]}`},
		{"document", "mCreate", `[[{"_id":"1","body":{}},{"_id":"4","body":{"n":4}}]]`, `{}`},
		{"document", "mCreateOrReplace", `[[{"_id":"4","body":{"n":5}}]]`, `{"errors":[]}`},
		{"document", "mReplace", `[[{"_id":"4","body":{"n":6}}]]`, `{"errors":[]}`},
		{"document", "mUpdate", `[[{"_id":"4","body":{"m":6}}]]`, `{"errors":[]}`},
		{"document", "mUpsert", `[[{"_id":"5","changes":{"n":7},"default":{"m":1}}]]`, `{"errors":[]}`},
		{"document", "count", `[{"exists":"n"}]`, `{"count":4}`},
		{"document", "search", `[{"query":{"range":{"n":{"gt":5}}},"sort":[{"n":"desc"}]},{"size":1}]`, `{"total":2}`},
		{"document", "updateByQuery", `[{"equals":{"n":7}},{"n":8}]`, `{"errors":[]}`},
		{"document", "get", `["5"]`, `{"_source":{"m":1,"n":8}}`},
		{"document", "deleteByQuery", `[{"equals":{"n":8}}]`, `{"ids":["5"]}`},
		{"document", "mDelete", `[["4"]]`, `{"successes":["4"]}`},
		{"document", "delete", `["2",{"source":true}]`, `{"_id":"2","_source":{"n":5}}`},
		{"document", "validate", `[[1]]`, `{"valid":false}`},
		{"realtime", "validate", `[{"equals":{"n":1}}]`, `{"valid":true,"filter":{"equals":{"n":1}}}`},
		{"realtime", "explain", `[{"equals":{"n":1}},{"n":2}]`, `{"matches":false,"explain":{"holds":false,"value":2}}`},
		{"realtime", "explain", `[{"equals":{"n":3}},"1"]`, `{"matches":true}`},
		{"realtime", "publish", `[{"n":1},{"_id":"x"}]`, `null`},
	} {
		var args []any
		var want any
		if err := errors.Join(json.Unmarshal([]byte(tt.args), &args), json.Unmarshal([]byte(tt.want), &want)); err != nil {
			t.Fatal(err)
		}
		args = append([]any{index, collection}, args...)
		got, err := c.run(map[string]any{"do": "call", "controller": tt.controller, "method": tt.method, "args": args})
		if err != nil || !contains(got, want) {
			t.Errorf("%s.%s(%s): %v, %v, want %s", tt.controller, tt.method, tt.args, got, err, tt.want)
		}
	}
}

func TestEveryActionOnDocumentsInGo(t *testing.T) {
	b, ctx := startBroker(t, ""), t.Context()
	a, err := ambit.Connect(ctx, ambit.Options{Broker: b.mqtt.address()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	trucks := a.Collection(index, collection)
	type doc map[string]any
	check := func(what string, err error, ok bool) {
		t.Helper()
		if err != nil || !ok {
			t.Errorf("%s: %v, %v", what, ok, err)
		}
	}
	version := func(what string, want uint64) func(ambit.Document, error) {
		return func(d ambit.Document, err error) { t.Helper(); check(what, err, d.Version == want) }
	}
	version("create", 1)(trucks.Create(ctx, "1", doc{"n": 1}))
	version("createOrReplace", 2)(trucks.CreateOrReplace(ctx, "1", doc{"n": 2}))
	version("replace", 3)(trucks.Replace(ctx, "1", doc{"n": 3}))
	d, err := trucks.Update(ctx, "1", doc{"m": 4})
	check("update", err, contains(anyOf(plain(d.Source)), map[string]any{"n": 3.0, "m": 4.0}))
	version("upsert", 1)(trucks.Upsert(ctx, "2", doc{"n": 5}, doc{"m": 1}))
	d, err = trucks.DeleteFields(ctx, "2", "m")
	check("deleteFields", err, len(plain(d.Source)) == 1)
	version("get", 4)(trucks.Get(ctx, "1"))
	is, err := trucks.Exists(ctx, "3")
	check("exists", err, !is)
	found, missing, err := trucks.MGet(ctx, []string{"1", "3"})
	check("mGet", err, len(found) == 1 && slices.Equal(missing, []string{"3"}))
	there, err := trucks.MExists(ctx, []string{"1", "3"})
	check("mExists", err, slices.Equal(there, []string{"1"}))
	many := func(what string, good, bad int) func(ambit.Many, error) {
		return func(m ambit.Many, err error) {
			t.Helper()
			check(what, err, len(m.Successes) == good && len(m.Errors) == bad)
		}
	}
	many("mCreate", 1, 1)(trucks.MCreate(ctx, []ambit.Entry{{ID: "1", Body: doc{}}, {ID: "4", Body: doc{"n": 4}}}))
	many("mCreateOrReplace", 1, 0)(trucks.MCreateOrReplace(ctx, []ambit.Entry{{ID: "4", Body: doc{"n": 5}}}))
	many("mReplace", 0, 1)(trucks.MReplace(ctx, []ambit.Entry{{ID: "9", Body: doc{"n": 5}}}))
	many("mUpdate", 1, 0)(trucks.MUpdate(ctx, []ambit.Entry{{ID: "4", Body: doc{"m": 5}}}))
	many("mUpsert", 1, 0)(trucks.MUpsert(ctx, []ambit.Entry{{ID: "5", Changes: doc{"n": 7}, Default: doc{"m": 1}}}))
	n, err := trucks.Count(ctx, doc{"exists": "n"})
	check("count", err, n == 4)
	page, err := trucks.Search(ctx, ambit.Search{Sort: doc{"n": "desc"}}, 1, "")
	check("search", err, page.Total == 4 && page.Hits[0].ID == "5" && page.Cursor != "" && page.Seq > 0)
	page, err = trucks.Search(ctx, ambit.Search{Sort: doc{"n": "desc"}}, 5, page.Cursor)
	check("next page", err, len(page.Hits) == 3 && page.Cursor == "")
	many("updateByQuery", 1, 0)(trucks.UpdateByQuery(ctx, doc{"equals": doc{"n": 7}}, doc{"n": 8}))
	ids, err := trucks.DeleteByQuery(ctx, doc{"equals": doc{"n": 8}})
	check("deleteByQuery", err, slices.Equal(ids, []string{"5"}))
	ids, err = trucks.MDelete(ctx, []string{"4", "5"})
	check("mDelete", err, slices.Equal(ids, []string{"4"}))
	check("delete", trucks.Delete(ctx, "2"), true)
	check("publish", trucks.Publish(ctx, doc{"n": 1}), true)
	var refused *ambit.APIError
	if _, err = trucks.Get(ctx, "2"); !errors.As(err, &refused) || refused.Status != 404 || refused.ID != "services.storage.not_found" {
		t.Errorf("get of a deleted document: %v", err)
	}
}

func anyOf(members map[string]any) any { return members }
