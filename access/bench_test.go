package access

import "testing"

// BenchmarkVerify is what a password costs the broker: known is one that was
// right before, new any other. The aim is that 10,000 clients who reconnect with
// their passwords cost less than a tenth of a second: 10 µs for one that is known.
func BenchmarkVerify(b *testing.B) {
	v, err := NewScram("secret", DefaultIterations)
	if err != nil {
		b.Fatal(err)
	}
	u, _ := load(b, "anna:"+v.String()+"\n")
	b.Run("known", func(b *testing.B) {
		for b.Loop() {
			if _, err := u.Verify("anna", []byte("secret")); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			if _, err := u.Verify("anna", []byte("another")); err == nil {
				b.Fatal("another password is taken")
			}
		}
	})
}
