// A truck on an ESP32 with the library PubSubClient: it publishes its position, and
// its lamp is on while it is in the depot.
//
// PubSubClient publishes with QoS 0 only, which nobody acknowledges. So the truck
// subscribes to its own document with QoS 1: Ambit delivers a document after it is on
// disk, so that the echo is the acknowledgement, and a position without one is sent again.
#include <Arduino.h>
#include <PubSubClient.h>
#include <WiFi.h>

static const char *const WIFI = "wifi", *const PASSWORD = "password", *const BROKER = "192.0.2.10";
static const char *const ID = "a-1";
static const char *const DOCUMENT = "fleet/trucks/a-1";
// The scope of the room @depot, which an operator has made, with this truck's document alone:
// a body when it has entered, nothing when it has left.
static const char *const ZONE = "$scope/fleet/trucks/@depot/a-1";

static const int LAMP = 2;
static const unsigned long FIX_MS = 60000, ECHO_MS = 10000;

static WiFiClient network;
static PubSubClient mqtt(network);
static char position[96]; // as it was sent last
static bool stored = true;
static unsigned long sentAt, lastTry;

static void onMessage(char *topic, uint8_t *payload, unsigned int size) {
  if (strcmp(topic, DOCUMENT) == 0) {
    if (size == strlen(position) && memcmp(payload, position, size) == 0) stored = true;
  } else {
    digitalWrite(LAMP, size > 0 ? HIGH : LOW);
  }
}

// Signs in again, a few seconds apart, without holding up the rest of the sketch.
static bool signedIn() {
  if (mqtt.connected()) return true;
  if (lastTry != 0 && millis() - lastTry < 3000) return false;
  lastTry = millis();
  return mqtt.connect(ID) && mqtt.subscribe(DOCUMENT, 1) && mqtt.subscribe(ZONE, 1);
}

// A real truck asks its GPS.
static void readPosition() {
  snprintf(position, sizeof position, "{\"position\":{\"lat\":%.4f,\"lon\":%.4f},\"uptime\":%lu}", 37.6189, -122.3750, millis() / 1000);
}

void setup() {
  pinMode(LAMP, OUTPUT);
  WiFi.begin(WIFI, PASSWORD);
  mqtt.setServer(BROKER, 1883);
  mqtt.setCallback(onMessage);
  mqtt.setBufferSize(256); // the largest packet, in each direction
}

void loop() {
  if (!signedIn()) return;
  mqtt.loop();
  const unsigned long waited = millis() - sentAt;
  const bool again = !stored && waited >= ECHO_MS;
  if (sentAt != 0 && !again && (!stored || waited < FIX_MS)) return;
  if (!again) readPosition();
  stored = !mqtt.publish(DOCUMENT, position); // what cannot be sent is tried with the next position
  sentAt = millis();
}
