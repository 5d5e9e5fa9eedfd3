package api

// unsubscribe has the client that asks leave a room, by whichever of its topics.
func unsubscribe(c *call) (any, error) {
	id, err := c.room()
	if err != nil {
		return nil, err
	}
	client, err := c.client()
	if err != nil {
		return nil, err
	}
	if c.member != nil {
		if !c.member.Unsubscribe(id) {
			err = notSubscribed.with(client, id)
		}
		return leftRoom{id}, err
	}
	left, err := c.out.LeaveRoom(client, c.hashOf(id))
	if err == nil && !left {
		err = notSubscribed.with(client, id)
	}
	return leftRoom{id}, err
}

// leftRoom is the answer of unsubscribe.
type leftRoom struct {
	RoomID string `json:"roomId"`
}
