package broker

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestTheOperatorAsksThroughTheControlSocket(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.RequestRate = 1
	start(t, cfg)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	truck := map[string]any{"index": "fleet", "collection": "trucks", "_id": "1", "body": map[string]any{"speed": 60}}
	if err := Ask(ctx, cfg.Data, "document", "create", truck, nil); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Source struct{ Speed int } `json:"_source"`
	}
	// The rate of requests is for those who come from outside.
	for range 3 {
		if err := Ask(ctx, cfg.Data, "document", "get", truck, &got); err != nil || got.Source.Speed != 60 {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	var told *AskError
	if err := Ask(ctx, cfg.Data, "document", "create", truck, nil); !errors.As(err, &told) || told.Status != 400 || told.ID != "services.storage.document_already_exists" {
		t.Errorf("a document that is there: %v", err)
	}
	if err := Ask(ctx, cfg.Data, "server", "fly", nil, nil); !errors.As(err, &told) || told.Status != 404 {
		t.Errorf("an action that is not there: %v", err)
	}
	if err := Ask(ctx, t.TempDir(), "server", "now", nil, nil); !errors.Is(err, ErrNotRunning) {
		t.Errorf("where no broker runs: %v", err)
	}
}
