// What the sketch uses of the ESP32's WiFi.h.
#pragma once

class Client {};
class WiFiClient : public Client {};

class WiFiClass {
public:
  int begin(const char *ssid, const char *password);
};
extern WiFiClass WiFi;
