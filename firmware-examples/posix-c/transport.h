/*
 * A transport over TCP on POSIX. A device with another network has this file
 * of its own: lwIP, a modem on a UART, or a WebSocket.
 */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include "mqtt.h"

/* Connects; returns 0, or -1 when the host cannot be reached. */
int transport_open(struct mqtt_transport *t, const char *host, const char *port);

void transport_close(struct mqtt_transport *t);

/* Waits a while. */
void transport_wait(uint32_t ms);

#endif
