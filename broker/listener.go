package broker

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/ambitmq/ambit/limits"
)

// The types of listeners.
const (
	typeTCP  = "tcp"
	typeTLS  = "tls"
	typeWS   = "ws"
	typeWSS  = "wss"
	typeUnix = "unix"
)

// none is an address at which there is no listener.
const none = "none"

// A Listener is one more address at which clients are accepted.
type Listener struct {
	// Name is what logs and limits call it. No two have the same; "mqtt",
	// "http" and "kuzzle" are those of the settings with these names.
	Name string `mapstructure:"name"`
	// Type is tcp, tls, ws (HTTP: MQTT over WebSocket at /mqtt, requests at /api/), wss or unix.
	Type string `mapstructure:"type"`
	// Address is a host and a port, of which 0 is any free one, or the path of a
	// Unix socket. A socket that nobody listens at any more is replaced.
	Address string `mapstructure:"address"`
	// Permissions are those of a Unix socket, in octal: "0660". Whoever may write to
	// it may connect. By default they are what the process's umask leaves.
	Permissions string `mapstructure:"permissions"`
	// TLS is for tls and wss.
	TLS TLS `mapstructure:"tls"`
	// ProxyProtocol says that every connection begins with a header of the PROXY
	// protocol, version 1 or 2, and comes from the address that it names. One
	// without is closed.
	ProxyProtocol bool `mapstructure:"proxy_protocol"`
	// Proxies are the networks ("10.1.0.0/16") or addresses that this header is
	// believed of; connections from elsewhere are closed. By default that is
	// everybody who can reach the listener.
	Proxies []string `mapstructure:"proxies"`
	// Limits are the listener's own.
	Limits ListenerLimits `mapstructure:"limits"`
}

// TLS names the files, in PEM, of a listener with TLS 1.2 or later. They are
// read again when they have changed; one that cannot be used leaves the former
// in force.
type TLS struct {
	// Cert is the certificate with its intermediates, and Key its key.
	Cert string `mapstructure:"cert"`
	Key  string `mapstructure:"key"`
	// ClientCA has the authorities of client certificates.
	ClientCA string `mapstructure:"client_ca"`
	// ClientAuth says whether clients need a certificate: "none", "optional" (one
	// that is shown must be good) or "require". Defaults to require with ClientCA,
	// and to none without.
	ClientAuth string `mapstructure:"client_auth"`
	// CRL has certificate revocation lists of those authorities, in PEM or one in DER. A
	// client whose certificate is in one is refused, and its connection ends within a second.
	CRL string `mapstructure:"crl"`
	// User says which part of a client's certificate names its user: "cn", or the first
	// "dns", "email" or "uri" of its alternative names. A client that shows a certificate
	// is that user, and needs no password. By default certificates name nobody.
	User string `mapstructure:"user"`
	// OwnClientID says that the client identifier of a client with a certificate has to be
	// the name of its user.
	OwnClientID bool `mapstructure:"own_client_id"`
}

// ListenerLimits bound what comes in at one listener. 0 is the value of the
// setting in Limits with the same name; for Connections it is no bound of its
// own.
type ListenerLimits struct {
	Connections    int           `mapstructure:"connections"`
	PacketBytes    int           `mapstructure:"packet_bytes"`
	ConnectTimeout time.Duration `mapstructure:"connect_timeout"`
}

func (l Listener) isSecure() bool    { return l.Type == typeTLS || l.Type == typeWSS }
func (l Listener) isWebSocket() bool { return l.Type == typeWS || l.Type == typeWSS }

// all returns every listener by the setting that it is from: the two simple
// ones, unless they are switched off, and the list.
func (c Config) all() (keys []string, all []Listener) {
	for _, l := range []Listener{
		{Name: "mqtt", Type: typeTCP, Address: c.MQTT},
		{Name: "http", Type: typeWS, Address: c.HTTP},
		{Name: "kuzzle", Type: typeWS, Address: c.Kuzzle.Listen},
	} {
		if l.Address != none {
			keys, all = append(keys, l.Name), append(all, l)
		}
	}
	for i, l := range c.Listeners {
		keys, all = append(keys, fmt.Sprintf("listeners[%d]", i)), append(all, l)
	}
	for i := range all {
		l := &all[i].Limits
		if l.ConnectTimeout == 0 {
			l.ConnectTimeout = c.Limits.ConnectTimeout
		}
	}
	return keys, all
}

// checkListeners reports what is not allowed in the list of listeners.
func (c Config) checkListeners(k *check) {
	taken := []string{"mqtt", "http", "kuzzle"}
	for i, l := range c.Listeners {
		in := k.in(fmt.Sprintf("listeners[%d]", i))
		if l.Name == "" || slices.Contains(taken, l.Name) {
			in.bad("name", quoted(l.Name), "a name that no other listener has")
		}
		taken = append(taken, l.Name)
		in.oneOf("type", l.Type, typeTCP, typeTLS, typeWS, typeWSS, typeUnix)
		if l.Type == typeUnix {
			l.checkUnix(in)
		} else {
			in.address("address", l.Address)
			in.absent("permissions", l.Permissions, "unless type is unix")
		}
		l.checkTLS(in.in("tls"))
		l.checkProxies(in)
		l.checkLimits(in.in("limits"))
	}
}

func (l Listener) checkUnix(k *check) {
	if l.Address == "" {
		k.bad("address", `""`, "the path of a socket")
	}
	if _, err := l.permissions(); err != nil {
		k.bad("permissions", quoted(l.Permissions), `permissions in octal, such as "0660"`)
	}
}

func (l Listener) checkTLS(k *check) {
	t := l.TLS
	if !l.isSecure() {
		for _, s := range []struct{ key, value string }{
			{"cert", t.Cert}, {"key", t.Key}, {"client_ca", t.ClientCA}, {"client_auth", t.ClientAuth}, {"crl", t.CRL}, {"user", t.User},
		} {
			k.absent(s.key, s.value, "unless type is tls or wss")
		}
		return
	}
	for _, s := range []struct{ key, value string }{{"cert", t.Cert}, {"key", t.Key}} {
		if s.value == "" {
			k.bad(s.key, `""`, "the name of a file in PEM")
		}
	}
	if t.ClientAuth != "" {
		k.oneOf("client_auth", t.ClientAuth, "none", "optional", "require")
	}
	if t.ClientCA == "" && t.ClientAuth != "" && t.ClientAuth != "none" {
		k.bad("client_ca", `""`, "the name of a file in PEM: client_auth is "+t.ClientAuth)
	}
	if t.User != "" {
		k.oneOf("user", t.User, nameCN, nameDNS, nameEmail, nameURI)
	}
	if t.User != "" && (t.ClientCA == "" || t.ClientAuth == "none") {
		k.bad("user", quoted(t.User), "absent unless clients may show a certificate (client_ca)")
	}
	if t.CRL != "" && (t.ClientCA == "" || t.ClientAuth == "none") {
		k.bad("crl", quoted(t.CRL), "absent unless clients may show a certificate (client_ca)")
	}
	if t.OwnClientID && t.User == "" {
		k.bad("own_client_id", t.OwnClientID, "absent unless user is set")
	}
}

func (l Listener) checkProxies(k *check) {
	for i, p := range l.Proxies {
		if _, err := limits.ParseNetwork(p); err != nil {
			k.bad(fmt.Sprintf("proxies[%d]", i), quoted(p), `an address, or a network such as "10.1.0.0/16"`)
		}
	}
	if len(l.Proxies) > 0 && (!l.ProxyProtocol || l.Type == typeUnix) {
		k.bad("proxies", l.Proxies, "absent: it needs proxy_protocol and a listener that is not unix")
	}
}

func (l Listener) checkLimits(k *check) {
	if l.Limits.Connections != 0 {
		k.number("connections", int64(l.Limits.Connections), 1, 10_000_000)
	}
	if l.Limits.PacketBytes != 0 {
		k.number("packet_bytes", int64(l.Limits.PacketBytes), minPacketBytes, maxPacketBytes)
	}
	if l.Limits.ConnectTimeout != 0 {
		k.duration("connect_timeout", l.Limits.ConnectTimeout, minTimeout, maxTimeout)
	}
}

// permissions returns those of a Unix socket, or 0 for what the umask leaves.
func (l Listener) permissions() (uint32, error) {
	if l.Permissions == "" {
		return 0, nil
	}
	mode, err := strconv.ParseUint(l.Permissions, 8, 32)
	if err == nil && (mode == 0 || mode > 0o777) {
		err = strconv.ErrRange
	}
	return uint32(mode), err
}

// networkHas says whether one of the networks has an address.
func networkHas(networks []netip.Prefix, addr net.Addr) bool {
	from, err := netip.ParseAddrPort(addr.String())
	return err == nil && slices.ContainsFunc(networks, func(n netip.Prefix) bool {
		return n.Contains(from.Addr().Unmap().WithZone(""))
	})
}
