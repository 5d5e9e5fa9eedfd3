package access

import (
	"net"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/ambitmq/ambit/limits"
)

// OriginIs says whether the origin of a page is one of a list: hosts, or scheme://host, as
// in [path.Match].
func OriginIs(origin string, patterns []string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		whole := u.Host
		if strings.Contains(pattern, "://") {
			whole = u.Scheme + "://" + u.Host
		}
		ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(whole))
		return err == nil && ok
	})
}

// isIn says whether one of the networks has an address.
func isIn(networks []netip.Prefix, addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return false
	}
	from := tcp.AddrPort().Addr().Unmap().WithZone("")
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return limits.Unmap(n).Contains(from) })
}
