package limits

import (
	"net"
	"net/netip"
)

// AddrOf returns the IP address of a connection, or the zero value if it has none.
func AddrOf(addr net.Addr) netip.Addr {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap().WithZone("")
}

// NetworkOf returns what counts as one address: of IPv6 a network of 64 bits, which is what
// one customer gets. It is the zero value where there is no IP address.
func NetworkOf(addr net.Addr) netip.Prefix {
	ip := AddrOf(addr)
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	network, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return network
}

// ParseNetwork reads an address, or a network such as 10.1.0.0/16.
func ParseNetwork(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap().WithZone("")
		return addr.Prefix(addr.BitLen())
	}
	network, err := netip.ParsePrefix(text)
	return Unmap(network), err
}

// Unmap returns a network of IPv4 that is written as one of IPv6, ::ffff:10.1.0.0/112, as what it
// is, which is how the addresses of connections are written.
func Unmap(network netip.Prefix) netip.Prefix {
	if addr := network.Addr(); addr.Is4In6() && network.Bits() >= 96 {
		network = netip.PrefixFrom(addr.Unmap(), network.Bits()-96)
	}
	return network.Masked()
}
