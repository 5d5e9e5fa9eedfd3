package filter

import "testing"

func under(t *testing.T, f *Filter, rule string, hidden ...string) *Filter {
	t.Helper()
	u, err := f.Under(parsed(t, rule), hidden)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestAFilterUnderARuleIsTheAndOfBoth(t *testing.T) {
	own := parsed(t, `{"range":{"speed":{"gt":50}}}`)
	rule := `{"equals":{"tenant":"acme"}}`
	f := under(t, own, rule)
	for _, tt := range []struct {
		document      string
		match, admits bool
	}{
		{`{"speed":60,"tenant":"acme"}`, true, true},
		{`{"speed":40,"tenant":"acme"}`, false, true},
		{`{"speed":60,"tenant":"other"}`, false, false},
		{`{"speed":60}`, false, false},
	} {
		d, err := ParseDocument([]byte(tt.document), DocumentLimits{})
		if err != nil {
			t.Fatal(err)
		}
		if f.Match(d) != tt.match || f.Admits(d) != tt.admits {
			t.Errorf("%s: match %v, admits %v", tt.document, f.Match(d), f.Admits(d))
		}
	}
	both := parsed(t, `{"and":[{"equals":{"tenant":"acme"}},{"range":{"speed":{"gt":50}}}]}`)
	if f.Hash("a", "b") != both.Hash("a", "b") {
		t.Error("who typed the rule is in another room than who is under it")
	}
	if f.Own() != own || own.Own() != own {
		t.Error("the filter's own part is lost")
	}
	if got := under(t, own, `{}`); got != own {
		t.Error("a rule that lets everything through makes another filter")
	}
}

func TestWhatIsHiddenIsPartOfTheHash(t *testing.T) {
	own := parsed(t, `{}`)
	a, b := under(t, own, `{}`, "owner.phone", "age"), under(t, own, `{}`, "age", "owner.phone", "age")
	if a.Hash("a", "b") != b.Hash("a", "b") || a.Hash("a", "b") == own.Hash("a", "b") {
		t.Errorf("hashes: %s, %s, %s", a.Hash("a", "b"), b.Hash("a", "b"), own.Hash("a", "b"))
	}
}

func TestReadsFindsWhatAFilterAsksAbout(t *testing.T) {
	for _, tt := range []struct {
		filter, hidden string
		reads          bool
	}{
		{`{"equals":{"owner.phone":"1"}}`, "owner.phone", true},
		{`{"equals":{"owner.phone.home":"1"}}`, "owner.phone", true},
		{`{"exists":"owner"}`, "owner.phone", true},
		{`{"equals":{"owner.phones":"1"}}`, "owner.phone", false},
		{`{"equals":{"own":"1"}}`, "owner", false},
		{`{"not":{"or":[{"equals":{"a":1}},{"missing":"b"}]}}`, "b", true},
		{`{"select":{"field":"list","index":0,"query":{"equals":{"value":1}}}}`, "list", true},
		{`{"crossed":{"geoDistance":{"pos":{"lat":1,"lon":2},"distance":"1m"}}}`, "pos", true},
		{`{"near":{"pos":{"id":"x","distance":"1m"}}}`, "pos", true},
		{`{"changed":"speed"}`, "speed", true},
		{`{}`, "a", false},
	} {
		if _, got := parsed(t, tt.filter).Reads([]string{"zzz", tt.hidden}); got != tt.reads {
			t.Errorf("%s reads %s: %v", tt.filter, tt.hidden, got)
		}
	}
}
