/*
 * A Linux gateway on libmosquitto: it reads lines "ID JSON" from its standard input,
 * as something on a serial line or a bus writes them, and publishes each as the document
 * fleet/trucks/ID with QoS 1. What is not acknowledged when the broker goes away is
 * sent again when it is back, in order. At most MAX_WAITING lines are in memory: then it
 * reads no more, and its source waits.
 *
 *     cc -std=c99 -o gateway gateway.c -lmosquitto
 *     cat /dev/ttyUSB0 | ./gateway 127.0.0.1 1883 gateway-1
 */
#define _POSIX_C_SOURCE 200809L
#include <mosquitto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WAITING 100

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int waiting; /* that are not acknowledged */
static int refused; /* why the broker does not let us in, or 0 */

static void on_connect(struct mosquitto *m, void *context, int code)
{
	(void)m, (void)context;
	pthread_mutex_lock(&mutex);
	refused = code;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
	fprintf(stderr, "%s\n", mosquitto_connack_string(code));
}

static void on_disconnect(struct mosquitto *m, void *context, int code)
{
	(void)m, (void)context;
	if (code != 0)
		fprintf(stderr, "lost: %s\n", mosquitto_strerror(code));
}

static void on_publish(struct mosquitto *m, void *context, int id)
{
	(void)m, (void)context, (void)id;
	pthread_mutex_lock(&mutex);
	waiting--;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
}

/* Waits until so many are not acknowledged at most. Returns 0 when the broker has
 * refused us. */
static int wait_for(int most)
{
	int ok;

	pthread_mutex_lock(&mutex);
	while (waiting > most && refused == 0)
		pthread_cond_wait(&changed, &mutex);
	ok = refused == 0;
	pthread_mutex_unlock(&mutex);
	return ok;
}

/* Publishes one line. Lines that are none are told of and left out. */
static int publish(struct mosquitto *m, char *line)
{
	char topic[256];
	char *body = strchr(line, ' ');
	int code;

	line[strcspn(line, "\r\n")] = 0;
	if (body == NULL || (size_t)snprintf(topic, sizeof topic, "fleet/trucks/%.*s", (int)(body - line), line) >= sizeof topic) {
		fprintf(stderr, "not \"ID JSON\": %s\n", line);
		return 1;
	}
	if (!wait_for(MAX_WAITING - 1))
		return 0;
	pthread_mutex_lock(&mutex);
	waiting++;
	pthread_mutex_unlock(&mutex);
	code = mosquitto_publish(m, NULL, topic, (int)strlen(body + 1), body + 1, 1, false);
	if (code == MOSQ_ERR_SUCCESS || code == MOSQ_ERR_NO_CONN) /* then it is queued */
		return 1;
	fprintf(stderr, "%s: %s\n", topic, mosquitto_strerror(code));
	pthread_mutex_lock(&mutex);
	waiting--;
	pthread_mutex_unlock(&mutex);
	return 1;
}

int main(int argc, char **argv)
{
	struct mosquitto *m;
	char *line = NULL;
	size_t size = 0;
	int code, ok = 1;

	if (argc != 4) {
		fprintf(stderr, "usage: %s HOST PORT CLIENT-ID\n", argv[0]);
		return 2;
	}
	mosquitto_lib_init();
	m = mosquitto_new(argv[3], false, NULL); /* the session is kept while it is away */
	if (m == NULL)
		return 1;
	mosquitto_connect_callback_set(m, on_connect);
	mosquitto_disconnect_callback_set(m, on_disconnect);
	mosquitto_publish_callback_set(m, on_publish);
	mosquitto_reconnect_delay_set(m, 1, 5, false);
	code = mosquitto_connect_async(m, argv[1], atoi(argv[2]), 30);
	if (code != MOSQ_ERR_SUCCESS)
		fprintf(stderr, "%s: it will be tried again\n", mosquitto_strerror(code));
	code = mosquitto_loop_start(m);
	if (code != MOSQ_ERR_SUCCESS) {
		fprintf(stderr, "%s\n", mosquitto_strerror(code));
		return 1;
	}
	while (ok && getline(&line, &size, stdin) >= 0)
		ok = publish(m, line);
	ok = ok && wait_for(0); /* every line is on the broker's disk now */
	mosquitto_disconnect(m);
	mosquitto_loop_stop(m, false);
	mosquitto_destroy(m);
	mosquitto_lib_cleanup();
	free(line);
	return ok ? 0 : 1;
}
