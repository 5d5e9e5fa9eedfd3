#define _POSIX_C_SOURCE 200112L

#include "transport.h"

#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/* One connection; context of the transport. */
static int sock = -1;

static int tcp_read(void *context, uint8_t *buffer, size_t size, uint32_t timeout_ms)
{
	struct pollfd ready;
	ssize_t n;

	ready.fd = *(int *)context;
	ready.events = POLLIN;
	ready.revents = 0;
	switch (poll(&ready, 1, (int)timeout_ms)) {
	case 0:
		return 0;
	case 1:
		n = recv(ready.fd, buffer, size, 0);
		return n > 0 ? (int)n : -1;
	default:
		return -1;
	}
}

static int tcp_write(void *context, const uint8_t *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = send(*(int *)context, bytes, size, MSG_NOSIGNAL);

		if (n <= 0)
			return -1;
		bytes += n;
		size -= (size_t)n;
	}
	return 0;
}

static uint32_t monotonic_ms(void *context)
{
	struct timespec now;

	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint32_t)now.tv_sec * 1000u + (uint32_t)(now.tv_nsec / 1000000);
}

int transport_open(struct mqtt_transport *t, const char *host, const char *port)
{
	struct addrinfo hints, *found, *a;

	memset(&hints, 0, sizeof hints);
	hints.ai_socktype = SOCK_STREAM;
	if (getaddrinfo(host, port, &hints, &found) != 0)
		return -1;
	for (a = found; a != NULL && sock < 0; a = a->ai_next) {
		sock = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
		if (sock >= 0 && connect(sock, a->ai_addr, a->ai_addrlen) != 0)
			transport_close(t);
	}
	freeaddrinfo(found);
	t->read = tcp_read;
	t->write = tcp_write;
	t->now_ms = monotonic_ms;
	t->context = &sock;
	return sock < 0 ? -1 : 0;
}

void transport_close(struct mqtt_transport *t)
{
	(void)t;
	if (sock >= 0)
		close(sock);
	sock = -1;
}

void transport_wait(uint32_t ms)
{
	poll(NULL, 0, (int)ms);
}
