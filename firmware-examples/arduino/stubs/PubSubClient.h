// The members of PubSubClient 2.8 that the sketch uses, with the types that it has there.
#pragma once
#include "WiFi.h"
#include <cstdint>

class PubSubClient {
public:
  explicit PubSubClient(Client &client);
  PubSubClient &setServer(const char *domain, uint16_t port);
  PubSubClient &setCallback(void (*callback)(char *topic, uint8_t *payload, unsigned int length));
  bool setBufferSize(uint16_t size);
  bool connect(const char *id);
  bool connected();
  bool publish(const char *topic, const char *payload);
  bool subscribe(const char *topic, uint8_t qos);
  bool loop();
};
