package limits

import "testing"

func TestANetworkIsReadAsAddressesAreWritten(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1": "192.0.2.1/32", "10.1.2.3/16": "10.1.0.0/16", "2001:db8::1": "2001:db8::1/128", "2001:db8::1/64": "2001:db8::/64", "fe80::1%eth0": "fe80::1/128",
		"::ffff:10.1.2.3": "10.1.2.3/32", "::ffff:10.1.2.3/112": "10.1.0.0/16", "::ffff:0:0/96": "0.0.0.0/0", "::/0": "::/0",
	} {
		if got, err := ParseNetwork(text); err != nil || got.String() != want {
			t.Errorf("%s is %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "10.1", "10.0.0.0/33", "host", "::/129"} {
		if got, err := ParseNetwork(text); err == nil {
			t.Errorf("%q is %s", text, got)
		}
	}
}
