package api

import (
	"context"
	"encoding/json"

	"github.com/ambitmq/ambit/presence"
)

// Presence says who is there.
type Presence interface {
	// Client returns what is known of a client.
	Client(id string) (presence.Status, bool)
	// Count returns how many are in the room with a hash; Members so many of them from a
	// number on, and how many there are.
	Count(hash string) int
	Members(hash string, from, size int) ([]presence.Member, int)
	// Update gives a client other metadata, and reports whether it is there.
	Update(ctx context.Context, client string, metadata []byte) (known bool, err error)
}

// maxMetadataBytes is the longest metadata of a client.
const maxMetadataBytes = 4 << 10

// presenceActions is the table of the controller presence.
func presenceActions() map[string]action {
	return map[string]action{"get": getPresence, "list": listMembers, "update": updatePresence}
}

// getPresence says whether a client is there.
func getPresence(c *call) (any, error) {
	if c.ID == "" {
		return nil, missing.with("_id")
	}
	status, ok := c.opts.Presence.Client(c.ID)
	if !ok || !c.mayKnow(c.ID) {
		return nil, unknownClient.with(c.ID)
	}
	return status, nil
}

// listMembers says who is in a room.
func listMembers(c *call) (any, error) {
	id, err := c.room()
	if err != nil {
		return nil, err
	}
	from, size, err := c.window(1<<31-1, 1000)
	if err != nil {
		return nil, err
	}
	hash, err := c.known(id)
	if err != nil {
		return nil, err
	}
	members, total := c.opts.Presence.Members(hash, from, size)
	return struct {
		Count   int               `json:"count"`
		Members []presence.Member `json:"members"`
	}{total, members}, nil
}

// updatePresence gives the client that asks other metadata.
func updatePresence(c *call) (any, error) {
	metadata, err := c.object("body", c.Body)
	if err != nil {
		return nil, err
	}
	if len(metadata) > maxMetadataBytes {
		return nil, invalidValue.with("body", "an object of at most "+itoa(maxMetadataBytes)+" bytes")
	}
	id := c.from.ClientID
	if c.from.Operator {
		id = c.ID
	}
	if id == "" {
		return nil, noClient.with()
	}
	known, err := c.opts.Presence.Update(c.ctx, id, metadata)
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, unknownClient.with(id)
	}
	return struct {
		Metadata json.RawMessage `json:"metadata"`
	}{metadata}, nil
}
