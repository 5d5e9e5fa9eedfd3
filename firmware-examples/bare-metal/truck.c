/*
 * A truck without an operating system: it publishes its position, is told when it
 * drives into the depot and out of it, and says so with its next position. All
 * memory is static, there is no floating point, and it runs for ever: when the
 * broker goes away, it signs in again when it is back.
 */
#include "board.h"
#include "mqtt.h"

#ifndef TRUCK_ID
#define TRUCK_ID "m-1"
#endif

#define KEEP_ALIVE_S 10
#define FIX_MS 100 /* between two positions; a real truck would take a minute */

/* Of the room @depot, which an operator has made, the scope has one document that
 * matters here: this truck's own. Its message has a body while the truck is in the
 * depot, and none when it has left. The filter is the broker's, and may change
 * while the truck is on its way. */
#ifndef ZONE
#define ZONE "$scope/fleet/trucks/@depot/" TRUCK_ID
#endif
#define TOPIC "fleet/trucks/" TRUCK_ID

/* Where the truck drives, in ten-thousandths of a degree: past the depot. */
static const struct fix {
	int32_t lat, lon;
	uint8_t speed;
} track[] = {
	{376350, -1224000, 88}, {376290, -1223920, 80}, {376230, -1223830, 52},
	{376190, -1223752, 3},  {376189, -1223750, 0},  {376150, -1223700, 31},
	{376080, -1223600, 78}, {376010, -1223500, 91},
};

static struct mqtt client;
static int in_depot;

/* ---------------------------------------------------------------- transport */

static int uart_read(void *context, uint8_t *buffer, size_t size, uint32_t timeout_ms)
{
	uint32_t start = board_now_ms();
	size_t n = 0;

	(void)context;
	while (n < size) {
		int byte = board_get();

		if (byte >= 0)
			buffer[n++] = (uint8_t)byte;
		else if (n > 0 || board_now_ms() - start >= timeout_ms)
			break;
	}
	return (int)n;
}

static int uart_write(void *context, const uint8_t *bytes, size_t size)
{
	(void)context;
	while (size-- > 0)
		board_put(*bytes++);
	return 0;
}

static uint32_t now_ms(void *context)
{
	(void)context;
	return board_now_ms();
}

/* --------------------------------------------------------------------- text */

/* Appends to a text that has room for it, and returns its end. */
static char *add(char *end, const char *text)
{
	while (*text != 0)
		*end++ = *text++;
	return end;
}

static char *add_number(char *end, uint32_t n, int digits)
{
	char text[10];
	int i = 0;

	do {
		text[i++] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0 || i < digits);
	while (i > 0)
		*end++ = text[--i];
	return end;
}

static char *add_degrees(char *end, int32_t n)
{
	uint32_t size = n < 0 ? (uint32_t)-n : (uint32_t)n;

	if (n < 0)
		*end++ = '-';
	end = add_number(end, size / 10000, 1);
	*end++ = '.';
	return add_number(end, size % 10000, 4);
}

/* ------------------------------------------------------------------- device */

static void on_message(void *context, const char *topic, size_t topic_bytes,
                       const uint8_t *payload, size_t payload_bytes)
{
	int now = payload_bytes > 0;

	(void)context, (void)topic, (void)topic_bytes, (void)payload;
	if (now != in_depot)
		board_say(now ? "entered the depot\n" : "left the depot\n");
	in_depot = now;
}

static int report(const struct fix *f)
{
	char body[96];
	char *end = add(body, "{\"position\":{\"lat\":");

	end = add_degrees(end, f->lat);
	end = add(end, ",\"lon\":");
	end = add_degrees(end, f->lon);
	end = add(end, "},\"speed\":");
	end = add_number(end, f->speed, 1);
	end = add(end, in_depot ? ",\"inDepot\":true}" : ",\"inDepot\":false}");
	return mqtt_publish(&client, TOPIC, body, (size_t)(end - body));
}

/* Lets go of what came on the old connection. */
static void drain(uint32_t quiet_ms)
{
	uint32_t last = board_now_ms();

	while (board_now_ms() - last < quiet_ms) {
		if (board_get() >= 0)
			last = board_now_ms();
	}
}

/* Signs in until it succeeds. The UART does not say whether there is a connection
 * behind it, so a CONNECT that is not answered is all that there is to see. */
static void sign_in(void)
{
	for (;;) {
		if (mqtt_connect(&client, TRUCK_ID, 1, KEEP_ALIVE_S, NULL) == MQTT_OK &&
		    mqtt_subscribe(&client, ZONE, 1) == MQTT_OK) {
			board_say("signed in\n");
			return;
		}
		drain(500);
	}
}

int main(void)
{
	size_t i = 0;

	board_start();
	client.transport.read = uart_read;
	client.transport.write = uart_write;
	client.transport.now_ms = now_ms;
	client.on_message = on_message;
	sign_in();
	for (;;) {
		if (report(&track[i]) != MQTT_OK || mqtt_poll(&client, FIX_MS) != MQTT_OK) {
			board_say("lost\n");
			sign_in();
			continue; /* the same position again: it may not have arrived */
		}
		i = (i + 1) % (sizeof track / sizeof track[0]);
	}
}
