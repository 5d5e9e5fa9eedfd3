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
