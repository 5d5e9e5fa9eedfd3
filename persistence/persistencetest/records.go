package persistencetest

import (
	"errors"
	"time"

	"github.com/ambitmq/ambit/persistence"
)

func someSessions() []persistence.Session {
	return []persistence.Session{
		{ClientID: ""},
		{ClientID: "a", User: "ada", ProtocolVersion: 5, Clean: true, ExpirySeconds: persistence.NeverExpires, DisconnectedAt: at(1)},
		{ClientID: "a\x00", ProtocolVersion: 4, ExpirySeconds: 3600},
		{ClientID: "a:b/c", ProtocolVersion: 3, DisconnectedAt: at(2)},
	}
}

func sessions(f *fixture) {
	want := someSessions()
	for _, s := range want {
		f.records(persistence.PutSession(s))
	}
	f.equal("sessions", all(f, f.Sessions()), want)
	want[1] = persistence.Session{ClientID: "a", User: "bob"}
	f.records(persistence.PutSession(want[1]), persistence.DeleteSession("a:b/c"), persistence.DeleteSession("nobody"))
	f.equal("sessions", all(f, f.Sessions()), want[:3])
}

func someSubscriptions() []persistence.Subscription {
	return []persistence.Subscription{
		{ClientID: "a", TopicFilter: "#", QoS: 2, NoLocal: true, RetainAsPublished: true, RetainHandling: 2, Identifier: 268435455},
		{ClientID: "a", TopicFilter: `fleet/trucks/?{"exists":"speed"}`, QoS: 1, Filter: []byte(`{"exists":{"field":"speed"}}`)},
		{ClientID: "a\x00", TopicFilter: "a/b"},
		{ClientID: "ab", TopicFilter: "a/b"},
	}
}

func subscriptions(f *fixture) {
	want := someSubscriptions()
	for _, s := range want {
		f.records(persistence.PutSubscription(s))
	}
	f.equal("subscriptions", all(f, f.Subscriptions()), want)
	want[0].QoS = 0
	f.records(persistence.PutSubscription(want[0]), persistence.DeleteSubscription("ab", "a/b"), persistence.DeleteSubscription("ab", "x"))
	f.equal("subscriptions", all(f, f.Subscriptions()), want[:3])
}

func someRetained() []persistence.Retained {
	return []persistence.Retained{
		{Topic: "a"},
		{
			Topic: "home/lamp", Payload: []byte("on"), QoS: 1, Created: at(1), ClientID: "c",
			Properties: persistence.Properties{
				ContentType: "text/plain", ResponseTopic: "r", CorrelationData: []byte{0}, PayloadFormat: 1, HasPayloadFormat: true,
				User: [][2]string{{"k", "v"}, {"k", ""}, {"", "v"}}, Expiry: at(2),
			},
		},
		{Topic: "home/lamp/", Payload: []byte("off"), Properties: persistence.Properties{HasPayloadFormat: true, Expiry: time.Unix(1, 0).UTC()}},
	}
}

func retainedMessages(f *fixture) {
	want := someRetained()
	for _, m := range want {
		f.records(persistence.PutRetained(m))
	}
	f.equal("retained messages", all(f, f.RetainedMessages()), want)
	want[0].Payload = []byte("new")
	f.records(persistence.PutRetained(want[0]), persistence.DeleteRetained("home/lamp/"), persistence.DeleteRetained("x"))
	f.equal("retained messages", all(f, f.RetainedMessages()), want[:2])
}

func retainedByTopic(f *fixture) {
	put := func(topic, payload string) persistence.Record {
		return persistence.PutRetained(persistence.Retained{Topic: topic, Payload: []byte(payload)})
	}
	for _, topic := range []string{"a", "b", "b/", "b/1", "b/2", "b/2/x", "b0", "c", "\xff", "\xff\xff"} {
		f.records(put(topic, topic))
	}
	f.equal("number of retained messages", f.Retained(), int64(10))
	snap := f.Snapshot()
	defer snap.Close()
	f.records(put("b/1", "new"), put("b/3", "new"), persistence.DeleteRetained("b/2"), persistence.DeleteRetained("b/4"))
	f.equal("number of retained messages", f.Retained(), int64(10))
	list := func(prefix, after string, keep func(string) bool) (topics []string) {
		for _, m := range all(f, snap.RetainedMessages(prefix, after, keep)) {
			f.equal("payload", string(m.Payload), m.Topic)
			topics = append(topics, m.Topic)
		}
		return topics
	}
	f.equal("all", len(list("", "", nil)), 10)
	f.equal("those of b/", list("b/", "", nil), []string{"b/", "b/1", "b/2", "b/2/x"})
	f.equal("after b/1", list("b/", "b/1", nil), []string{"b/2", "b/2/x"})
	f.equal("after one of another beginning", list("b/", "a", nil), []string{"b/", "b/1", "b/2", "b/2/x"})
	f.equal("those of the last byte", list("\xff", "", nil), []string{"\xff", "\xff\xff"})
	f.equal("those that are kept", list("", "", func(topic string) bool { return len(topic) == 1 }), []string{"a", "b", "c", "\xff"})
	m, err := snap.RetainedMessage("b/2")
	f.equal("that of a topic", string(m.Payload), "b/2")
	f.equal("error", err, nil)
	if _, err := snap.RetainedMessage("b/3"); !errors.Is(err, persistence.ErrNotFound) {
		f.t.Errorf("one that came later: got %v, want ErrNotFound", err)
	}
	f.restart()
	f.equal("number after reopening", f.Retained(), int64(10))
}

func recordsInOrder(f *fixture) {
	s := persistence.Session{ClientID: "a", User: "ada"}
	f.records(persistence.PutSession(s), persistence.DeleteSession("a"))
	f.equal("put, then deleted", all(f, f.Sessions()), []persistence.Session(nil))
	f.records(persistence.PutSession(s), persistence.DeleteSession("a"), persistence.PutSession(s))
	f.equal("put, deleted, put", all(f, f.Sessions()), []persistence.Session{s})
	r := f.do(&persistence.Op{Write: write("1", 1), Records: []persistence.Record{persistence.DeleteSession("a")}})
	f.equal("seq of the document beside a record", r.Seq, uint64(1))
	f.equal("deleted beside a document", all(f, f.Sessions()), []persistence.Session(nil))
}

func deleteSession(f *fixture) {
	sub := func(clientID, topicFilter string) persistence.Record {
		return persistence.PutSubscription(persistence.Subscription{ClientID: clientID, TopicFilter: topicFilter})
	}
	f.records(sub("a", "1"), sub("a", "2"), sub("a\x00", "3"), sub("ab", "4"), persistence.PutSession(persistence.Session{ClientID: "a"}))
	for _, records := range [][]persistence.Record{
		{sub("a", "5")}, // perhaps in the same group as the next
		{sub("a", "6"), persistence.DeleteSession("a"), sub("a", "7"), sub("b", "8")},
	} {
		f.append(&persistence.Op{Records: records})
	}
	f.put("last", 0)
	var left []string
	for _, s := range all(f, f.Subscriptions()) {
		left = append(left, s.ClientID+" "+s.TopicFilter)
	}
	f.equal("subscriptions", left, []string{"a 7", "a\x00 3", "ab 4", "b 8"})
	f.equal("sessions", all(f, f.Sessions()), []persistence.Session(nil))
}

func namedCollections(f *fixture) {
	want := []persistence.Collection{{Index: "fleet"}, {Index: "fleet", Name: "trucks"}, {Index: "fleet\x00", Name: "a"}, {Index: "fleet2", Name: ""}}
	for _, c := range want {
		f.records(persistence.PutCollection(c), persistence.PutCollection(c))
	}
	f.put("42", 1)
	listed := func() []persistence.Collection {
		snap := f.Snapshot()
		defer snap.Close()
		return all(f, snap.NamedCollections())
	}
	f.equal("named collections", listed(), want)
	f.records(persistence.DeleteCollection(want[3]), persistence.DeleteCollection(persistence.Collection{Index: "other"}))
	f.restart()
	f.equal("named collections", listed(), want[:3])
}

func credentials(f *fixture) {
	want := []persistence.Credential{
		{Kind: "key", ID: "", Value: []byte("{}")}, {Kind: "key", ID: "a"}, {Kind: "key", ID: "a\x00", Value: []byte{0}},
		{Kind: "keys", ID: "a", Value: []byte("x")},
	}
	for _, c := range want {
		f.records(persistence.PutCredential(persistence.Credential{Kind: c.Kind, ID: c.ID, Value: []byte("before")}), persistence.PutCredential(c))
	}
	want[1].Value = []byte{}
	f.equal("credentials", all(f, f.Credentials("key")), want[:3])
	f.records(persistence.DeleteCredential("key", "a\x00"), persistence.DeleteCredential("key", "x"))
	f.restart()
	f.equal("credentials", all(f, f.Credentials("key")), want[:2])
	f.equal("credentials", all(f, f.Credentials("keys")), want[3:])
}
