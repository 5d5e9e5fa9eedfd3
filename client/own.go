package client

import (
	"context"
	"errors"
	"maps"
	"slices"
)

// own is what a client says of itself, which the broker forgets with its connection.
type own struct {
	metadata any
	channels map[string]joining
}

// A joining is how a client is in a channel.
type joining struct {
	metadata any
	noEcho   bool
}

func (o *own) isEmpty() bool { return o.metadata == nil && len(o.channels) == 0 }

// say makes a request by which the client says something of itself, and has note note that,
// if it was done. There is one at a time: the broker is to know last what is noted.
func (a *Ambit) say(ctx context.Context, r Request, result any, note func(*own)) error {
	select {
	case a.saying <- struct{}{}:
		defer func() { <-a.saying }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := a.Request(ctx, r, result); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	note(&a.own)
	return nil
}

// sayAgain says all of it on a new connection. What it cannot say it tells of, unless the next
// connection says it.
func (a *Ambit) sayAgain(c *Client) {
	select {
	case a.saying <- struct{}{}:
		defer func() { <-a.saying }()
	case <-a.ctx.Done():
		return
	}
	a.mu.Lock()
	metadata, channels, isCurrent := a.own.metadata, maps.Clone(a.own.channels), a.client == c
	a.mu.Unlock()
	if !isCurrent {
		return
	}
	var requests []Request
	if metadata != nil {
		requests = append(requests, updateRequest(metadata))
	}
	for _, name := range slices.Sorted(maps.Keys(channels)) {
		requests = append(requests, channels[name].request(name))
	}
	for _, r := range requests {
		err := a.Request(a.ctx, r, nil)
		switch {
		case errors.Is(err, ErrConnectionLost) || a.ctx.Err() != nil:
			return
		case err != nil:
			a.onError(err)
		}
	}
}
