package sessions

// Disconnect ends the connection of a client identifier with a reason, and says whether
// there was one. It does not wait for the end.
func (e *Engine) Disconnect(clientID string, why *Error) bool {
	c := e.client(clientID)
	if c != nil {
		c.end(why)
	}
	return c != nil
}

// DisconnectAll ends the connections of all clients of which the function says why, and
// returns how many. It does not wait for the end.
func (e *Engine) DisconnectAll(why func(c *Client) *Error) int {
	n := 0
	for _, c := range e.everybody() {
		if err := why(c); err != nil {
			c.end(err)
			n++
		}
	}
	return n
}

// client returns the connection of a client identifier, or nil.
func (e *Engine) client(id string) *Client {
	s := e.session(id)
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.client
}

// everybody returns the clients that are connected.
func (e *Engine) everybody() []*Client {
	e.mu.RLock()
	defer e.mu.RUnlock()
	clients := make([]*Client, 0, len(e.clients))
	for c := range e.clients {
		clients = append(clients, c)
	}
	return clients
}
