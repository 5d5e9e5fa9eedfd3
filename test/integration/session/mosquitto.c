/* A client on libmosquitto that keeps a session: see session_clients_test.go.
 *
 *   mosquitto 127.0.0.1 1883 first   connects, hears itself, and is cut off
 *   mosquitto 127.0.0.1 1883 again   gets what has waited, and says goodbye
 */
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int connected, granted, messages, acknowledged, disconnected;

static void check(int code, const char *what)
{
    if (code != MOSQ_ERR_SUCCESS) {
        printf("%s: %s\n", what, mosquitto_strerror(code));
        exit(1);
    }
}

static void on_connect(struct mosquitto *m, void *obj, int code, int flags, const mosquitto_property *p)
{
    (void)m, (void)obj, (void)p;
    check(code, "connect");
    printf("session present %d\n", flags & 1);
    connected = 1;
}

static void on_subscribe(struct mosquitto *m, void *obj, int mid, int count, const int *qos)
{
    (void)m, (void)obj, (void)mid;
    check(count == 1 && qos[0] == 2 ? MOSQ_ERR_SUCCESS : MOSQ_ERR_PROTOCOL, "subscribe");
    granted = 1;
}

static void on_publish(struct mosquitto *m, void *obj, int mid)
{
    (void)m, (void)obj, (void)mid;
    acknowledged++;
}

static void on_message(struct mosquitto *m, void *obj, const struct mosquitto_message *msg)
{
    (void)m, (void)obj;
    printf("qos %d %.*s\n", msg->qos, msg->payloadlen, (char *)msg->payload);
    messages++;
}

static void on_disconnect(struct mosquitto *m, void *obj, int code)
{
    (void)m, (void)obj;
    check(code, "disconnect");
    disconnected = 1;
}

/* await serves the connection until there are that many. */
static void await(struct mosquitto *m, const int *count, int want)
{
    while (*count < want)
        check(mosquitto_loop(m, 100, 1), "loop");
}

int main(int argc, char **argv)
{
    int first = argc == 4 && strcmp(argv[3], "first") == 0;
    struct mosquitto *m;
    mosquitto_property *properties = NULL;

    mosquitto_lib_init();
    m = mosquitto_new("session", false, NULL);
    check(mosquitto_int_option(m, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5), "version");
    mosquitto_connect_v5_callback_set(m, on_connect);
    mosquitto_subscribe_callback_set(m, on_subscribe);
    mosquitto_publish_callback_set(m, on_publish);
    mosquitto_message_callback_set(m, on_message);
    mosquitto_disconnect_callback_set(m, on_disconnect);
    check(mosquitto_will_set(m, "session/will", 4, "gone", 1, false), "will");
    check(mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, 3600), "properties");
    check(mosquitto_connect_bind_v5(m, argv[1], atoi(argv[2]), 60, NULL, properties), "connect");
    await(m, &connected, 1);

    if (first) {
        check(mosquitto_subscribe(m, NULL, "session/in", 2), "subscribe");
        await(m, &granted, 1);
        for (int qos = 0; qos <= 2; qos++) {
            char payload[] = "to myself 0";
            payload[sizeof payload - 2] += qos;
            check(mosquitto_publish(m, NULL, "session/in", sizeof payload - 1, payload, qos, false), "publish");
            await(m, &acknowledged, qos + 1);
            await(m, &messages, qos + 1);
        }
        fflush(stdout);
        _exit(0); /* without a DISCONNECT */
    }
    await(m, &messages, 2);
    check(mosquitto_disconnect(m), "disconnect");
    while (!disconnected)
        mosquitto_loop(m, 100, 1); /* says in the end that there is no connection */
    mosquitto_property_free_all(&properties);
    mosquitto_destroy(m);
    mosquitto_lib_cleanup();
    return 0;
}
