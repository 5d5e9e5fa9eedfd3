package sessions

import (
	"bytes"

	"github.com/mochi-mqtt/server/v2/packets"
)

// An Exchange is one enhanced authentication of a client, step by step. One
// goroutine at a time uses it.
type Exchange interface {
	// Step takes what the client sent, and returns what it is answered. done says
	// that the client is authenticated, and the answer the last.
	Step(data []byte) (answer []byte, done bool, err error)
}

// authenticate has a client whose CONNECT names a method authenticate itself
// before it is answered. The last answer is left for CONNACK.
func (c *Client) authenticate(in *inbound) error {
	x, err := c.engine.h.Authenticate(c, c.Method)
	if err != nil {
		return err
	}
	for data := c.Data; ; {
		answer, done, err := x.Step(data)
		if err != nil {
			return err
		}
		if done {
			c.proof = answer
			return nil
		}
		p := newPeer(&c.Connect)
		c.engine.counts.packetsOut.of[packets.Auth].Add(1)
		auth := p.appendRare(nil, c.authPacket(packets.CodeContinueAuthentication.Code, answer))
		if len(auth) == 0 {
			return errNoAnswer // it is larger than the client takes
		}
		if err := c.write(auth, c.engine.options().WriteTimeout); err != nil {
			return errNoAnswer
		}
		if data, err = c.readAuth(in); err != nil {
			return err
		}
	}
}

// readAuth reads the AUTH that is to follow [MQTT-3.1.2-30], and returns its
// data.
func (c *Client) readAuth(in *inbound) ([]byte, error) {
	for {
		f, size, err := cut(in.buf[:in.n], c.engine.options().ConnectBytes)
		if err != nil {
			return nil, err
		}
		switch {
		case size == 0:
			if _, err := in.read(); err != nil {
				return nil, errNoAnswer
			}
			continue
		case f.kind == packets.Disconnect:
			return nil, errNoAnswer
		case f.kind != packets.Auth:
			return nil, violation("%s comes before the end of the authentication", nameOf(f.kind))
		}
		c.engine.counts.packetsIn.of[packets.Auth].Add(1)
		r, err := c.decodeAuth(f)
		if err != nil {
			return nil, err
		}
		if r.code != packets.CodeContinueAuthentication.Code {
			return nil, violation("AUTH does not go on with the authentication")
		}
		data := bytes.Clone(r.properties.data)
		in.drop(size)
		return data, nil
	}
}

// reauthenticate takes an AUTH of a client that is connected, which begins
// another authentication, or goes on with it [MQTT-4.12.1-1]. If it fails the
// connection ends [MQTT-4.12.1-2].
func (c *Client) reauthenticate(f frame) error {
	if c.Method == "" {
		return violation("there is no authentication to go on with")
	}
	r, err := c.decodeAuth(f)
	if err != nil {
		return err
	}
	begins := r.code == packets.CodeReAuthenticate.Code
	if begins == (c.exchange != nil) {
		return violation("AUTH with the reason code 0x%02X does not fit here", r.code)
	}
	if begins {
		if c.exchange, err = c.engine.h.Authenticate(c, c.Method); err != nil {
			return err
		}
	}
	answer, done, err := c.exchange.Step(r.properties.data)
	if err != nil {
		return err
	}
	code := packets.CodeContinueAuthentication.Code
	if done {
		c.exchange, code = nil, packets.CodeSuccess.Code
	}
	c.link.answer(c.authPacket(code, answer), &c.flushes)
	return nil
}

// decodeAuth reads an AUTH, whose method is to be that of CONNECT
// [MQTT-4.12.0-5].
func (c *Client) decodeAuth(f frame) (reply, error) {
	r, err := decodeReply(f.body, f.kind, c.Version)
	if err == nil {
		err = c.checkUsers(r.properties.users)
	}
	if err == nil && string(r.properties.method) != c.Method {
		err = violation("the authentication method is not that of CONNECT")
	}
	return r, err
}

func (c *Client) authPacket(code byte, data []byte) *packets.Packet {
	return &packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Auth}, ReasonCode: code,
		Properties: packets.Properties{AuthenticationMethod: c.Method, AuthenticationData: data},
	}
}
