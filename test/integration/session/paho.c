/* A client on libpaho-mqtt that keeps a session: see session_clients_test.go.
 *
 *   paho tcp://127.0.0.1:1883 first   connects, hears itself, and is cut off
 *   paho tcp://127.0.0.1:1883 again   gets what has waited, and says goodbye
 */
#include <MQTTClient.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE 20000 /* milliseconds */

static void check(int code, const char *what)
{
    if (code != MQTTCLIENT_SUCCESS) {
        printf("%s: %d\n", what, code);
        exit(1);
    }
}

/* receive prints one message, and acknowledges it. */
static void receive(MQTTClient client)
{
    char *topic = NULL;
    int length = 0;
    MQTTClient_message *m = NULL;
    check(MQTTClient_receive(client, &topic, &length, &m, PATIENCE), "receive");
    if (m == NULL)
        check(MQTTCLIENT_FAILURE, "no message");
    printf("qos %d %.*s\n", m->qos, m->payloadlen, (char *)m->payload);
    MQTTClient_freeMessage(&m);
    MQTTClient_free(topic);
}

static void publish(MQTTClient client, int qos)
{
    char payload[] = "to myself 0";
    MQTTClient_message m = MQTTClient_message_initializer;
    MQTTClient_deliveryToken token;
    payload[sizeof payload - 2] += qos;
    m.payload = payload;
    m.payloadlen = sizeof payload - 1;
    m.qos = qos;
    check(MQTTClient_publishMessage(client, "session/in", &m, &token), "publish");
    check(MQTTClient_waitForCompletion(client, token, PATIENCE), "acknowledgement");
}

int main(int argc, char **argv)
{
    int first = argc == 3 && strcmp(argv[2], "first") == 0;
    MQTTClient client;
    MQTTClient_connectOptions connect = MQTTClient_connectOptions_initializer;
    MQTTClient_willOptions will = MQTTClient_willOptions_initializer;

    check(MQTTClient_create(&client, argv[1], "session", MQTTCLIENT_PERSISTENCE_NONE, NULL), "create");
    will.topicName = "session/will";
    will.message = "gone";
    will.qos = 1;
    connect.will = &will;
    connect.cleansession = 0;
    check(MQTTClient_connect(client, &connect), "connect");
    printf("session present %d\n", connect.returned.sessionPresent);

    if (first) {
        check(MQTTClient_subscribe(client, "session/in", 2), "subscribe");
        for (int qos = 0; qos <= 2; qos++) {
            publish(client, qos);
            receive(client);
        }
        fflush(stdout);
        _exit(0); /* without a DISCONNECT */
    }
    receive(client);
    receive(client);
    check(MQTTClient_disconnect(client, PATIENCE), "disconnect");
    MQTTClient_destroy(&client);
    return 0;
}
