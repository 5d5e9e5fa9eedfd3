package broker

import (
	"fmt"
	"time"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/hooks"
	"github.com/ambitmq/ambit/limits"
	"github.com/ambitmq/ambit/sessions"
)

// Quotas bound what one client, user or address may have and do, and what all together may
// have of what clients make. Where 0 is allowed it is no limit.
type Quotas struct {
	// HalfOpen is how many connections there may be that have not said what they want:
	// neither CONNECT nor the headers of an HTTP request, nor, where one has to, by Kuzzle's
	// protocol who they are. HalfOpenPerAddress is how many of one address.
	// When there are more, one of the address that has the most is closed: the one that has waited
	// the longest.
	HalfOpen           int `mapstructure:"half_open"`
	HalfOpenPerAddress int `mapstructure:"half_open_per_address"`
	// ConnectionsPerAddress is how many connections of any kind one address may have (of
	// IPv6, one network of 64 bits), and ConnectionsPerUser how many MQTT connections one user.
	// 0, the default: many devices may be behind one address.
	ConnectionsPerAddress int `mapstructure:"connections_per_address"`
	ConnectionsPerUser    int `mapstructure:"connections_per_user" reload:"now"`
	// Sessions is how many there may be, those of absent clients included. Who would need
	// another one is refused.
	Sessions int `mapstructure:"sessions" reload:"now"`
	// Subscriptions is how many one session may have, Rooms how many of them with a filter or
	// to a scope, and AllSubscriptions how many all sessions may have.
	Subscriptions    int `mapstructure:"subscriptions" reload:"now"`
	Rooms            int `mapstructure:"rooms" reload:"now"`
	AllSubscriptions int `mapstructure:"all_subscriptions" reload:"now"`
	// RoomCost is what the filters of one session's rooms may cost together, counted as limits.filter_cost is: a
	// thousand filters of twenty conditions, or eighty of the largest patterns.
	RoomCost int `mapstructure:"room_cost" reload:"now"`
	// Retained is how many retained messages there may be; documents are none.
	Retained int `mapstructure:"retained" reload:"now"`
	// UserDocuments and UserBytes are how many documents, and bytes of them with their names, one
	// user may keep on disk: those of which it is the author. Whoever did not sign in is one
	// user, too. 0, the default, is no limit.
	UserDocuments int   `mapstructure:"user_documents" reload:"now"`
	UserBytes     int64 `mapstructure:"user_bytes" reload:"now"`
	// PublishRates are how fast one client may publish: "100/s", "3000/m", "20/10s". All of them
	// hold. The number may come at once. A client that is faster is not read for a while,
	// which slows it down and loses nothing; one that would have to wait for more than ten seconds is
	// disconnected (0x96). ByteRates are the same of bytes of any packets: "256KiB/s".
	// None, the default, is no limit.
	PublishRates []string `mapstructure:"publish_rates" reload:"connections"`
	ByteRates    []string `mapstructure:"byte_rates" reload:"connections"`
	// SubscribeRates are the same of topic filters in SUBSCRIBE and UNSUBSCRIBE.
	SubscribeRates []string `mapstructure:"subscribe_rates" reload:"connections"`
	// RefusalRates are how often one client may be refused a message or a topic filter. One that is refused more often
	// is not read for a while, ten seconds at most, and loses nothing. [] is no limit.
	RefusalRates []string `mapstructure:"refusal_rates" reload:"connections"`
	// SignInFailures is how many failed attempts to sign in as one user from one address cost
	// nothing. Each further one doubles the time until the next may be made, from a second to
	// SignInBackoff. Of all users together, one address has ten times as many. 0 is no limit.
	SignInFailures int           `mapstructure:"sign_in_failures"`
	SignInBackoff  time.Duration `mapstructure:"sign_in_backoff"`
	// Flapping is how often one client identifier may connect: "20/m". One that does so more
	// often is banned for FlappingBan. Empty, the default, is no limit.
	Flapping    string        `mapstructure:"flapping"`
	FlappingBan time.Duration `mapstructure:"flapping_ban"`
}

func defaultQuotas() Quotas {
	return Quotas{
		HalfOpen: 5000, HalfOpenPerAddress: 1000,
		Sessions: 500_000, Subscriptions: 10_000, Rooms: 1000, RoomCost: 20_000, AllSubscriptions: 2_000_000, Retained: 1_000_000,
		SubscribeRates: []string{"10000/10s"}, RefusalRates: []string{"500/5s"},
		SignInFailures: 10, SignInBackoff: 5 * time.Minute,
		FlappingBan: 5 * time.Minute,
	}
}

func (q Quotas) check(k *check) {
	for _, n := range []struct {
		key        string
		value, min int
	}{
		{"half_open", q.HalfOpen, 1}, {"half_open_per_address", q.HalfOpenPerAddress, 1},
		{"connections_per_address", q.ConnectionsPerAddress, 0}, {"connections_per_user", q.ConnectionsPerUser, 0},
		{"sessions", q.Sessions, 1}, {"all_subscriptions", q.AllSubscriptions, 1}, {"retained", q.Retained, 1},
		{"sign_in_failures", q.SignInFailures, 0}, {"user_documents", q.UserDocuments, 0},
	} {
		k.number(n.key, int64(n.value), int64(n.min), 1_000_000_000)
	}
	k.number("user_bytes", q.UserBytes, 0, 1<<50)
	k.number("subscriptions", int64(q.Subscriptions), 1, 60_000)
	k.number("rooms", int64(q.Rooms), 0, 60_000)
	k.number("room_cost", int64(q.RoomCost), 0, 1_000_000_000)
	for _, l := range []struct {
		key   string
		rates []string
	}{{"publish_rates", q.PublishRates}, {"byte_rates", q.ByteRates}, {"subscribe_rates", q.SubscribeRates}, {"refusal_rates", q.RefusalRates}} {
		for i, text := range l.rates {
			checkRate(k, fmt.Sprintf("%s[%d]", l.key, i), text)
		}
	}
	if q.Flapping != "" {
		checkRate(k, "flapping", q.Flapping)
	}
	k.duration("sign_in_backoff", q.SignInBackoff, time.Second, 24*time.Hour)
	k.duration("flapping_ban", q.FlappingBan, time.Second, 30*24*time.Hour)
}

// keepOut sets in o who is kept out.
func (q Quotas) keepOut(o *hooks.Options, counts *limits.Counts, vault access.Vault) {
	o.Bans = access.NewBans(vault)
	if q.SignInFailures > 0 {
		o.Guard = access.NewAttempts(access.AttemptOptions{Failures: q.SignInFailures, Backoff: q.SignInBackoff, Counts: counts}).Begin
	}
	if q.Flapping != "" {
		rate, err := limits.ParseRate(q.Flapping)
		if err != nil {
			panic(err) // it was checked
		}
		o.Flapping = access.NewFlapping(rate, q.FlappingBan, counts)
	}
}

func checkRate(k *check, key, text string) {
	if _, err := limits.ParseRate(text); err != nil {
		k.bad(key, quoted(text), `a rate such as "100/s", "3000/m" or "256KiB/10s"`)
	}
}

// ofSessions returns what package sessions sees to. The rates are known to be right.
func (q Quotas) ofSessions(counts *limits.Counts) sessions.Quotas {
	rates := func(texts []string) []limits.Rate {
		all, err := limits.ParseRates(texts)
		if err != nil {
			panic(err) // they were checked
		}
		return all
	}
	return sessions.Quotas{
		UserConnections: q.ConnectionsPerUser, Sessions: q.Sessions, Subscriptions: q.Subscriptions, Rooms: q.Rooms, RoomCost: q.RoomCost,
		AllSubscriptions: q.AllSubscriptions, Retained: int64(q.Retained),
		Publishes: rates(q.PublishRates), Bytes: rates(q.ByteRates), Subscribes: rates(q.SubscribeRates), Refusals: rates(q.RefusalRates), Counts: counts,
	}
}
