/*
 * A truck: it publishes its position, and is told by the broker when it drives
 * into the depot and out again. The geometry is the broker's work; the truck
 * has none.
 *
 *     cc -std=c99 -o truck truck.c mqtt.c transport.c
 *     ./truck 127.0.0.1 1883 c-1
 */
#include "mqtt.h"
#include "transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_ALIVE_S 30

/* Where the truck drives: past the depot at 37.6189, -122.3750. */
static const struct fix {
	double lat, lon;
	int speed;
} track[] = {
	{37.6350, -122.4000, 88}, {37.6290, -122.3920, 80}, {37.6230, -122.3830, 52},
	{37.6190, -122.3752, 3},  {37.6189, -122.3750, 0},  {37.6150, -122.3700, 31},
	{37.6080, -122.3600, 78}, {37.6010, -122.3500, 91},
};

static struct mqtt client; /* static: its size is known when it is linked */
static int in_depot;
static unsigned told;

/* The room is "me, near the depot", as document: the body when the truck
 * enters, nothing when it leaves. There is one room, so the topic says no more. */
static void on_message(void *context, const char *topic, size_t topic_bytes,
                       const uint8_t *payload, size_t payload_bytes)
{
	(void)context, (void)topic, (void)topic_bytes, (void)payload;
	in_depot = payload_bytes > 0;
	told++;
	printf("%s the depot\n", in_depot ? "entered" : "left");
}

static int sign_in(const char *id)
{
	char room[MQTT_PACKET_BYTES];
	int n, result;

	n = snprintf(room, sizeof room,
	             "fleet/trucks/?{\"and\":[{\"ids\":{\"values\":[\"%s\"]}},"
	             "{\"geoDistance\":{\"position\":{\"lat\":37.6189,\"lon\":-122.375},\"distance\":\"1km\"}}]}"
	             "&transition=enter,exit&payload=document", id);
	if (n < 0 || (size_t)n >= sizeof room)
		return MQTT_TOO_LARGE;
	result = mqtt_connect(&client, id, 1, KEEP_ALIVE_S, NULL);
	return result == MQTT_OK ? mqtt_subscribe(&client, room, 1) : result;
}

static int report(const char *id, const struct fix *f)
{
	char topic[64], body[128];
	int n;

	n = snprintf(topic, sizeof topic, "fleet/trucks/%s", id);
	if (n < 0 || (size_t)n >= sizeof topic)
		return MQTT_TOO_LARGE;
	n = snprintf(body, sizeof body, "{\"position\":{\"lat\":%.4f,\"lon\":%.4f},\"speed\":%d}",
	             f->lat, f->lon, f->speed);
	if (n < 0 || (size_t)n >= sizeof body)
		return MQTT_TOO_LARGE;
	return mqtt_publish(&client, topic, body, (size_t)n);
}

/* Opens the transport and signs in, until both succeed. Only what cannot become
 * right by itself is returned. */
static int arrive(const char *host, const char *port, const char *id)
{
	for (;;) {
		int result = MQTT_LOST;

		if (transport_open(&client.transport, host, port) == 0) {
			result = sign_in(id);
			if (result == MQTT_OK || result == MQTT_TOO_LARGE || result == MQTT_REFUSED)
				return result;
			transport_close(&client.transport);
		}
		fprintf(stderr, "the broker does not answer (%d)\n", result);
		transport_wait(500);
	}
}

/* Drives the track so many times. When the broker goes away in between, the same
 * position is sent again: it may not have arrived. */
static int drive(const char *host, const char *port, const char *id, unsigned laps)
{
	size_t fixes = sizeof track / sizeof track[0], i = 0;
	int waited, result = arrive(host, port, id);

	while (result == MQTT_OK && i < laps * fixes) {
		result = report(id, &track[i % fixes]);
		if (result == MQTT_OK)
			result = mqtt_poll(&client, laps > 1 ? 100 : 0);
		if (result == MQTT_OK) {
			i++;
		} else if (result != MQTT_TOO_LARGE) {
			transport_close(&client.transport);
			result = arrive(host, port, id);
		}
	}
	/* What it was told comes soon after the acknowledgement, not before it. */
	for (waited = 0; result == MQTT_OK && told < 2 && waited < 100; waited++)
		result = mqtt_poll(&client, 100);
	return result == MQTT_OK ? mqtt_disconnect(&client) : result;
}

int main(int argc, char **argv)
{
	int result;

	if (argc != 4 && argc != 5) {
		fprintf(stderr, "usage: %s HOST PORT ID [LAPS]\n", argv[0]);
		return 2;
	}
	client.on_message = on_message;
	setvbuf(stdout, NULL, _IOLBF, 0);
	result = drive(argv[1], argv[2], argv[3], argc == 5 ? (unsigned)atoi(argv[4]) : 1);
	transport_close(&client.transport);
	if (result != MQTT_OK) {
		fprintf(stderr, "failed: %d\n", result);
		return 1;
	}
	return 0;
}
