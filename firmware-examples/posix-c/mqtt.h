/*
 * An MQTT 3.1.1 client for devices with little memory: portable C99, no
 * allocation, no threads, one packet in each direction at a time.
 *
 * The caller owns the struct mqtt, usually a static one, and gives it a
 * transport: how to read and write bytes and what time it is. Nothing else is
 * needed from the platform.
 */
#ifndef MQTT_H
#define MQTT_H

#include <stddef.h>
#include <stdint.h>

/* The largest packet, sent or received, fixed header included. */
#define MQTT_PACKET_BYTES 256

/* How long to wait for an acknowledgement. */
#ifndef MQTT_ANSWER_MS
#define MQTT_ANSWER_MS 10000
#endif

enum mqtt_result {
	MQTT_OK = 0,
	MQTT_TOO_LARGE = -1, /* the packet would exceed MQTT_PACKET_BYTES */
	MQTT_LOST = -2,      /* the connection ended: open the transport again, and connect */
	MQTT_TIMEOUT = -3,   /* no acknowledgement within MQTT_ANSWER_MS */
	MQTT_REFUSED = -4,   /* the broker says no; the connection may be closed */
	MQTT_PROTOCOL = -5   /* the broker sent what MQTT 3.1.1 does not allow */
};

struct mqtt_transport {
	/* Reads 1 to size bytes. Returns their number, 0 when none came within
	 * timeout_ms, or -1 when the connection has ended. */
	int (*read)(void *context, uint8_t *buffer, size_t size, uint32_t timeout_ms);
	/* Writes all bytes. Returns 0, or -1 when the connection has ended. */
	int (*write)(void *context, const uint8_t *bytes, size_t size);
	/* Milliseconds from any start; it may wrap around. */
	uint32_t (*now_ms)(void *context);
	void *context;
};

struct mqtt {
	struct mqtt_transport transport;

	/* Called for every message, from within mqtt_poll and from within every
	 * call that waits for an acknowledgement. topic and payload are gone when it
	 * returns, and it must not call the client. */
	void (*on_message)(void *context, const char *topic, size_t topic_bytes,
	                   const uint8_t *payload, size_t payload_bytes);
	void *context;

	/* Messages that were larger than MQTT_PACKET_BYTES, and skipped. */
	uint32_t skipped;

	/* The rest belongs to the client. */
	uint16_t keep_alive_s;
	uint16_t next_id;
	uint32_t sent_ms;
	uint8_t out[MQTT_PACKET_BYTES];
	uint8_t in[MQTT_PACKET_BYTES];
};

/* Signs in over a transport that was just opened. With clean 0 the broker keeps
 * the session, its subscriptions included, while the device is away; present,
 * when not null, says whether there was one. */
int mqtt_connect(struct mqtt *c, const char *client_id, int clean, uint16_t keep_alive_s, int *present);

/* Subscribes to one topic filter with QoS 0 or 1. MQTT_REFUSED leaves the
 * connection open: the filter may be mistaken. */
int mqtt_subscribe(struct mqtt *c, const char *topic_filter, uint8_t qos);

/* Publishes with QoS 1: MQTT_OK means that the broker has stored it on disk.
 * After any other result the message may or may not have arrived; publishing it
 * again is right, because a document replaces itself. */
int mqtt_publish(struct mqtt *c, const char *topic, const void *payload, size_t payload_bytes);

/* Takes messages for as long as wait_ms, and keeps the connection alive. Call it
 * at least every half keep-alive. */
int mqtt_poll(struct mqtt *c, uint32_t wait_ms);

/* Says good-bye, so that no will is sent. */
int mqtt_disconnect(struct mqtt *c);

#endif
