#include "mqtt.h"

#include <string.h>

enum packet_type {
	CONNECT = 0x10,
	CONNACK = 0x20,
	PUBLISH = 0x30,
	PUBACK = 0x40,
	SUBSCRIBE = 0x82, /* with the flags that [MQTT-3.8.1-1] demands */
	SUBACK = 0x90,
	PINGREQ = 0xc0,
	PINGRESP = 0xd0,
	DISCONNECT = 0xe0
};

/* The fixed header of a packet of up to 16,383 bytes. */
#define HEADER_BYTES 3

/* ------------------------------------------------------------------ writing */

/* A packet is written into c->out behind room for its header. */
struct writer {
	struct mqtt *c;
	size_t used;
	int overflow;
};

static struct writer begin(struct mqtt *c)
{
	struct writer w;

	w.c = c;
	w.used = HEADER_BYTES;
	w.overflow = 0;
	return w;
}

static void put_bytes(struct writer *w, const void *bytes, size_t size)
{
	if (size > MQTT_PACKET_BYTES - w->used) {
		w->overflow = 1;
		return;
	}
	if (size > 0)
		memcpy(w->c->out + w->used, bytes, size);
	w->used += size;
}

static void put_u8(struct writer *w, uint8_t value)
{
	put_bytes(w, &value, 1);
}

static void put_u16(struct writer *w, uint16_t value)
{
	put_u8(w, (uint8_t)(value >> 8));
	put_u8(w, (uint8_t)(value & 0xff));
}

static void put_string(struct writer *w, const char *text)
{
	size_t size = strlen(text);

	if (size > MQTT_PACKET_BYTES) {
		w->overflow = 1;
		return;
	}
	put_u16(w, (uint16_t)size);
	put_bytes(w, text, size);
}

/* Puts the header in front and sends the packet. */
static int finish(struct writer *w, uint8_t first)
{
	struct mqtt *c = w->c;
	size_t length = w->used - HEADER_BYTES;
	uint8_t *start = c->out;

	if (w->overflow)
		return MQTT_TOO_LARGE;
	if (length < 128) {
		start = c->out + 1;
		start[1] = (uint8_t)length;
	} else {
		start[1] = (uint8_t)((length & 127) | 128);
		start[2] = (uint8_t)(length >> 7);
	}
	start[0] = first;
	if (c->transport.write(c->transport.context, start, (size_t)(c->out + w->used - start)) != 0)
		return MQTT_LOST;
	c->sent_ms = c->transport.now_ms(c->transport.context);
	return MQTT_OK;
}

static int send_empty(struct mqtt *c, uint8_t first)
{
	struct writer w = begin(c);

	return finish(&w, first);
}

/* ------------------------------------------------------------------ reading */

/* A packet that was read; its first bytes are in c->in. */
struct packet {
	uint8_t first;
	size_t size; /* of what is in c->in */
	int cut;     /* it was larger, and the rest is skipped */
};

/* Reads size bytes of a packet that has begun. */
static int read_all(struct mqtt *c, uint8_t *buffer, size_t size)
{
	while (size > 0) {
		int n = c->transport.read(c->transport.context, buffer, size, MQTT_ANSWER_MS);

		if (n <= 0)
			return MQTT_LOST;
		buffer += n;
		size -= (size_t)n;
	}
	return MQTT_OK;
}

static int read_length(struct mqtt *c, uint32_t *length)
{
	int shift;

	*length = 0;
	for (shift = 0; shift < 28; shift += 7) {
		uint8_t digit;
		int result = read_all(c, &digit, 1);

		if (result != MQTT_OK)
			return result;
		*length |= (uint32_t)(digit & 127) << shift;
		if ((digit & 128) == 0)
			return MQTT_OK;
	}
	return MQTT_PROTOCOL;
}

static int skip(struct mqtt *c, uint32_t size)
{
	uint8_t scrap[32];

	while (size > 0) {
		size_t part = size < sizeof scrap ? (size_t)size : sizeof scrap;
		int result = read_all(c, scrap, part);

		if (result != MQTT_OK)
			return result;
		size -= (uint32_t)part;
	}
	return MQTT_OK;
}

/* Reads one packet. MQTT_TIMEOUT when none begins within wait_ms. */
static int read_packet(struct mqtt *c, struct packet *p, uint32_t wait_ms)
{
	uint32_t length;
	int result;
	int n = c->transport.read(c->transport.context, &p->first, 1, wait_ms);

	if (n < 0)
		return MQTT_LOST;
	if (n == 0)
		return MQTT_TIMEOUT;
	result = read_length(c, &length);
	if (result != MQTT_OK)
		return result;
	p->cut = length > MQTT_PACKET_BYTES;
	p->size = p->cut ? MQTT_PACKET_BYTES : (size_t)length;
	result = read_all(c, c->in, p->size);
	if (result != MQTT_OK || !p->cut)
		return result;
	return skip(c, length - MQTT_PACKET_BYTES);
}

static uint16_t get_u16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* Hands a message to the device, and acknowledges it. A message too large is
 * acknowledged too: the broker would send it again for ever. */
static int take_message(struct mqtt *c, const struct packet *p)
{
	uint8_t qos = (p->first >> 1) & 3;
	size_t topic_end, payload;

	if (p->size < 2)
		return MQTT_PROTOCOL;
	topic_end = 2 + (size_t)get_u16(c->in);
	payload = topic_end + (qos > 0 ? 2 : 0);
	if (p->cut)
		c->skipped++;
	else if (payload > p->size || qos > 1)
		return MQTT_PROTOCOL;
	else
		c->on_message(c->context, (const char *)c->in + 2, topic_end - 2, c->in + payload, p->size - payload);
	if (qos == 1 && payload <= p->size) {
		struct writer w = begin(c);

		put_u16(&w, get_u16(c->in + topic_end));
		return finish(&w, PUBACK);
	}
	return MQTT_OK;
}

/* Waits for a packet of that type; messages that come before it are taken. */
static int await(struct mqtt *c, uint8_t first, struct packet *p)
{
	uint32_t start = c->transport.now_ms(c->transport.context);

	for (;;) {
		uint32_t passed = c->transport.now_ms(c->transport.context) - start;
		int result;

		if (passed >= MQTT_ANSWER_MS)
			return MQTT_TIMEOUT;
		result = read_packet(c, p, MQTT_ANSWER_MS - passed);
		if (result != MQTT_OK || p->first == first)
			return result;
		if ((p->first & 0xf0) == PUBLISH)
			result = take_message(c, p);
		if (result != MQTT_OK)
			return result;
	}
}

/* Waits for the acknowledgement with that identifier. An older one answers a
 * request that was given up. */
static int await_id(struct mqtt *c, uint8_t first, uint16_t id, struct packet *p)
{
	for (;;) {
		int result = await(c, first, p);

		if (result != MQTT_OK)
			return result;
		if (p->size < 2)
			return MQTT_PROTOCOL;
		if (get_u16(c->in) == id)
			return MQTT_OK;
	}
}

static uint16_t new_id(struct mqtt *c)
{
	if (++c->next_id == 0)
		c->next_id = 1; /* [MQTT-2.3.1-1] */
	return c->next_id;
}

/* --------------------------------------------------------------- operations */

int mqtt_connect(struct mqtt *c, const char *client_id, int clean, uint16_t keep_alive_s, int *present)
{
	struct packet p;
	struct writer w = begin(c);
	int result;

	c->keep_alive_s = keep_alive_s;
	put_string(&w, "MQTT");
	put_u8(&w, 4); /* MQTT 3.1.1 */
	put_u8(&w, clean ? 2 : 0);
	put_u16(&w, keep_alive_s);
	put_string(&w, client_id);
	result = finish(&w, CONNECT);
	if (result == MQTT_OK)
		result = await(c, CONNACK, &p);
	if (result != MQTT_OK)
		return result;
	if (p.size != 2)
		return MQTT_PROTOCOL;
	if (present != NULL)
		*present = c->in[0] & 1;
	return c->in[1] == 0 ? MQTT_OK : MQTT_REFUSED;
}

int mqtt_subscribe(struct mqtt *c, const char *topic_filter, uint8_t qos)
{
	struct packet p;
	struct writer w = begin(c);
	uint16_t id = new_id(c);
	int result;

	put_u16(&w, id);
	put_string(&w, topic_filter);
	put_u8(&w, qos);
	result = finish(&w, SUBSCRIBE);
	if (result == MQTT_OK)
		result = await_id(c, SUBACK, id, &p);
	if (result != MQTT_OK)
		return result;
	if (p.size != 3)
		return MQTT_PROTOCOL;
	return c->in[2] == 0x80 ? MQTT_REFUSED : MQTT_OK;
}

int mqtt_publish(struct mqtt *c, const char *topic, const void *payload, size_t payload_bytes)
{
	struct packet p;
	struct writer w = begin(c);
	uint16_t id = new_id(c);
	int result;

	put_string(&w, topic);
	put_u16(&w, id);
	put_bytes(&w, payload, payload_bytes);
	result = finish(&w, PUBLISH | 1 << 1);
	if (result != MQTT_OK)
		return result;
	return await_id(c, PUBACK, id, &p);
}

int mqtt_poll(struct mqtt *c, uint32_t wait_ms)
{
	struct packet p;
	uint32_t start = c->transport.now_ms(c->transport.context);
	uint32_t passed = 0;

	do {
		int result = read_packet(c, &p, wait_ms - passed);

		if (result == MQTT_OK && (p.first & 0xf0) == PUBLISH)
			result = take_message(c, &p);
		if (result != MQTT_OK && result != MQTT_TIMEOUT)
			return result;
		passed = c->transport.now_ms(c->transport.context) - start;
	} while (passed < wait_ms);

	if (c->keep_alive_s > 0 &&
	    c->transport.now_ms(c->transport.context) - c->sent_ms >= c->keep_alive_s * 500u) {
		int result = send_empty(c, PINGREQ);

		return result == MQTT_OK ? await(c, PINGRESP, &p) : result;
	}
	return MQTT_OK;
}

int mqtt_disconnect(struct mqtt *c)
{
	return send_empty(c, DISCONNECT);
}
