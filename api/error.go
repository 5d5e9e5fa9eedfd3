package api

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/limits"
	"github.com/ambitmq/ambit/persistence"
)

// An Error is why a request failed, as Kuzzle says it.
type Error struct {
	ID      string `json:"id"`
	Code    uint32 `json:"code"`
	Message string `json:"message"`
	// Status is one of HTTP's.
	Status int `json:"status"`
	// Keyword is the one of a filter that is at fault, or "".
	Keyword string `json:"keyword,omitempty"`
	// Props are what the message is made of, for Kuzzle's clients.
	Props []any `json:"props,omitzero"`
	// Errors are those of the parts of a request that failed in part.
	Errors any `json:"errors,omitempty"`

	args []any
}

func (e *Error) Error() string { return e.Message }

// A fault is a kind of error: Kuzzle's, or Ambit's own under a code that Kuzzle
// has not given to anything.
type fault struct {
	id     string
	code   uint32 // domain, subdomain (a byte each), number
	status int
	text   string
}

var (
	roomNotFound    = fault{"core.realtime.room_not_found", 0x00010001, 404, `The room "%s" doesn't exist`}
	invalidUsers    = fault{"core.realtime.invalid_users", 0x00010005, 400, `Invalid value for the "users" parameter (allowed: "all", "in", "out", "none").`}
	invalidScope    = fault{"core.realtime.invalid_scope", 0x00010004, 400, `Invalid value for the "scope" parameter (allowed: "all", "in", "out", "none").`}
	nameExists      = fault{"core.realtime.room_already_exists", 0x000100f0, 412, `The room "%s" already exists`}
	nameConfigured  = fault{"core.realtime.room_configured", 0x000100f1, 403, `The room "%s" is a setting of the broker, which requests do not change`}
	nameLimit       = fault{"core.realtime.too_many_rooms", 0x000100f2, 413, `The rooms of "%s":"%s" may have %d names`}
	notSubscribed   = fault{"core.realtime.not_subscribed", 0x00010003, 412, `User "%s" has not subscribed to "%s".`}
	notInChannel    = fault{"core.channel.not_a_member", 0x00f00001, 412, `The client "%s" is not in the channel "%s"`}
	manyChannels    = fault{"core.channel.too_many", 0x00f00002, 413, `The client "%s" is in as many channels as it may be`}
	channelsFull    = fault{"core.channel.full", 0x00f00003, 413, `The members of all channels take as much memory as they may`}
	unexpected      = fault{"core.fatal.unexpected_error", 0x00000001, 500, `Caught an unexpected error: %s.`}
	unavailable     = fault{"core.fatal.service_unavailable", 0x00000002, 503, `Service unavailable: %s.`}
	unknownIndex    = fault{"services.storage.unknown_index", 0x01010001, 412, `The index "%s" does not exist.`}
	unknownName     = fault{"services.storage.unknown_collection", 0x01010002, 412, `The collection "%s":"%s" does not exist.`}
	getLimit        = fault{"services.storage.get_limit_exceeded", 0x01010003, 413, `The number of documents returned by this request exceeds the configured server limit: %d.`}
	writeLimit      = fault{"services.storage.write_limit_exceeded", 0x01010004, 413, `The number of documents edited by this request exceeds the configured server limit: %d.`}
	notFound        = fault{"services.storage.not_found", 0x0101000b, 404, `Document "%s" not found in "%s":"%s".`}
	quotaExceeded   = fault{"services.storage.quota_exceeded", 0x010100f0, 413, `Quota exceeded: %s.`}
	badCursor       = fault{"services.storage.unknown_scroll_id", 0x0101000e, 404, `The cursor is not one of this search.`}
	alreadyExists   = fault{"services.storage.document_already_exists", 0x01010011, 400, `Document already exists.`}
	badDocument     = fault{"services.storage.invalid_argument", 0x01010013, 400, `Argument "%s" is invalid (expected: %s)`}
	indexExists     = fault{"services.storage.index_already_exists", 0x01010026, 412, `A public index named "%s" already exists`}
	badSearch       = fault{"services.storage.invalid_search_query", 0x01010028, 400, `The argument "%s" is not allowed at this level of a search query.`}
	badIndex        = fault{"services.storage.invalid_index_name", 0x01010029, 400, `The index name "%s" is invalid`}
	badName         = fault{"services.storage.invalid_collection_name", 0x0101002a, 400, `The collection name "%s" is invalid`}
	incomplete      = fault{"services.storage.incomplete_update", 0x0101002e, 504, `%d documents were written before the time was up`}
	invalidType     = fault{"api.assert.invalid_type", 0x02010001, 400, `Wrong type for argument "%s" (expected: %s)`}
	invalidValue    = fault{"api.assert.invalid_argument", 0x02010002, 400, `Invalid argument "%s". Expected: %s`}
	missing         = fault{"api.assert.missing_argument", 0x02010003, 400, `Missing argument "%s".`}
	bodyRequired    = fault{"api.assert.body_required", 0x02010008, 400, `The request must specify a body.`}
	forbidden       = fault{"api.assert.forbidden_argument", 0x0201000b, 400, `The argument "%s" is not allowed by this API action.`}
	badFilter       = fault{"api.assert.koncorde_dsl_error", 0x0201000e, 400, `%s`}
	noController    = fault{"api.process.controller_not_found", 0x02020004, 404, `API controller "%s" not found.`}
	noAction        = fault{"api.process.action_not_found", 0x02020005, 404, `API action "%s":"%s" not found`}
	noSpecification = fault{"validation.assert.not_found", 0x0501000c, 404, `No specifications defined for index %s and collection %s`}
	shuttingDown    = fault{"api.process.shutting_down", 0x02020007, 503, `Rejected: this node is shutting down.`}
	tooMany         = fault{"api.process.too_many_requests", 0x02020008, 429, `Rejected: requests rate limit exceeded: %g a second.`}
	tooOften        = fault{"api.process.too_many_requests", 0x02020008, 429, `Rejected: %s.`}
	incompleteAll   = fault{"api.process.incomplete_multiple_request", 0x0202000a, 400, `The request to %s several documents failed, at least in part.`}
	notSupported    = fault{"api.process.not_supported", 0x020200f0, 501, `API action "%s":"%s" is not supported: %s`}
	needsClient     = fault{"api.process.no_client", 0x020200f3, 400, `API action "%s":"%s" is for a client that is connected over MQTT: ask on $ambit/request`}
	late            = fault{"api.process.timeout", 0x020200f1, 504, `The request took longer than it may: %v.`}
	longAnswer      = fault{"api.process.answer_too_large", 0x020200f2, 413, `The answer has %d bytes, which are more than the %d that may be sent: ask for less.`}
	badLogin        = fault{"plugin.strategy.missing_user", 0x04030014, 401, `%s`}
	badToken        = fault{"security.token.invalid", 0x07010001, 401, `Invalid token.`}
	longToken       = fault{"security.token.ttl_exceeded", 0x07010004, 400, `expiresIn value exceeds maximum allowed value`}
	expiredToken    = fault{"security.token.expired", 0x07010006, 401, `Token expired`}
	staleToken      = fault{"security.token.refresh_forbidden", 0x07010008, 401, `Token cannot be refreshed.`}
	noCredentials   = fault{"plugin.strategy.missing_credentials", 0x040300f0, 400, `%s`}
	noStrategy      = fault{"security.credentials.unknown_strategy", 0x07020001, 400, `Unknown authentication strategy "%s"`}
	mustSignIn      = fault{"security.rights.unauthorized", 0x07030001, 401, `Unauthorized: authentication required to execute the action "%s:%s".`}
	noRight         = fault{"security.rights.forbidden", 0x07030002, 403, `Insufficient permissions to execute the action "%s:%s" (User "%s").`}
	banned          = fault{"security.rights.forbidden", 0x07030002, 403, `Banned.`}
	noBan           = fault{"security.ban.not_found", 0x070600f1, 404, `There is no ban "%s".`}
	unknownClient   = fault{"core.realtime.unknown_client", 0x000100f1, 404, `There is no client "%s", as far as is known`}
	noClient        = fault{"core.realtime.no_client", 0x000100f2, 400, `Only a client that is connected over MQTT has metadata`}
	badSettings     = fault{"core.server.invalid_settings", 0x000200f0, 400, `%s`}
	noSettings      = fault{"core.server.no_settings", 0x000200f1, 501, `This node has no settings to read again`}
	noRights        = fault{"security.rights.forbidden", 0x07030002, 403, `Insufficient permissions: %s.`}
	unreadableBody  = fault{"network.http.body_parse_failed", 0x0301000c, 400, `Unable to convert the HTTP body to JSON: %s`}
	unreadableText  = fault{"network.websocket.unexpected_error", 0x03030001, 400, `Caught an unexpected WebSocket error: %s`}
	unreadable      = fault{"network.mqtt.unexpected_error", 0x03020001, 400, `Caught an unexpected MQTT error: %s`}
	// Kuzzle knows no other protocols, and those have no ids.
	unreadableByOthers = fault{"network.http.body_parse_failed", 0x0301000c, 400, `The request cannot be read: %s`}
)

// reached counts that a limit was reached.
func (c *call) reached(limit limits.Kind) {
	if d := c.opts.Door; d != nil {
		d.Counts.Add(limit)
	}
}

// unread says that a request is not JSON, as Kuzzle says it of each protocol.
func (c *call) unread(err error) *Error {
	if errors.As(err, new(*filter.LimitError)) {
		c.reached(limits.JSON)
	}
	switch c.from.Protocol {
	case "http":
		return unreadableBody.with(err)
	case "websocket":
		return unreadableText.with(err)
	case "mqtt":
		return unreadable.with(err)
	}
	return unreadableByOthers.with(err)
}

func (f fault) with(args ...any) *Error {
	return &Error{ID: f.id, Code: f.code, Status: f.status, Message: fmt.Sprintf(f.text, args...), args: args}
}

// errorOf returns err as what the caller is told.
func (c *call) errorOf(err error) *Error {
	var told *Error
	var syntax *filter.SyntaxError
	var limit *filter.LimitError
	var quota *persistence.QuotaError
	switch {
	case errors.As(err, &told):
		return told
	case errors.As(err, &syntax):
		if syntax.Limit {
			c.reached(limits.Filters)
		}
		e := badFilter.with(syntax.Error())
		e.Keyword = syntax.Keyword
		return e
	case errors.As(err, &limit):
		c.reached(limits.JSON)
		return badDocument.with("body", "a document within its limits: "+limit.Error())
	case errors.Is(err, filter.ErrNotObject):
		return invalidType.with("body", "object")
	case errors.Is(err, access.ErrForbidden):
		return noRights.with(strings.TrimPrefix(err.Error(), "persistence: "))
	case errors.Is(err, context.DeadlineExceeded):
		return late.with(c.opts.Timeout)
	case errors.As(err, &quota):
		return quotaExceeded.with(quota)
	case errors.Is(err, persistence.ErrClosed), errors.Is(err, context.Canceled):
		return shuttingDown.with()
	case errors.Is(err, persistence.ErrDiskFull):
		return unavailable.with("the disk is almost full")
	}
	return unexpected.with(err)
}
