package filter

import "net/netip"

// subnet matches documents whose field is a string with an IP address in a CIDR
// block. An IPv4 address in the form of IPv6 is the IPv4 address.
type subnet struct {
	field string
	block netip.Prefix // masked
}

func (n subnet) match(d *Document) bool {
	v, ok := d.lookup(n.field)
	return ok && n.holds(v)
}

func (n subnet) path() string { return n.field }

func (n subnet) holds(v value) bool {
	s, ok := v.string()
	if !ok {
		return false
	}
	address, ok := addressOf(s)
	return ok && n.block.Contains(address)
}

// addressOf reads an IP address. A zone says through which interface it is
// reached, not which one it is.
func addressOf(s string) (netip.Addr, bool) {
	address, err := netip.ParseAddr(s)
	return address.Unmap().WithZone(""), err == nil
}

func (n subnet) appendText(b []byte) []byte {
	b = appendOpen(b, "cidr", n.field)
	return append(appendString(b, n.block.String()), "}}"...)
}

func parseCIDR(p *parser, at place, arg any) (node, error) {
	field, text, err := p.stringField(at, arg)
	if err != nil {
		return nil, err
	}
	block, err := netip.ParsePrefix(text)
	if err != nil {
		return nil, at.at(field).errorf(`unable to parse CIDR block "%s"`, text)
	}
	return subnet{field, unmapped(block).Masked()}, nil
}

// unmapped returns the block of IPv4 that a block of IPv6 stands for, if it is
// within ::ffff:0:0/96, and otherwise the same block.
func unmapped(block netip.Prefix) netip.Prefix {
	const ipv4Bits = 96
	if block.Addr().Is4In6() && block.Bits() >= ipv4Bits {
		return netip.PrefixFrom(block.Addr().Unmap(), block.Bits()-ipv4Bits)
	}
	return block
}
