// What the sketch uses of Arduino, for a compiler to check the sketch by.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstring>

enum { LOW, HIGH, OUTPUT };

unsigned long millis();
void pinMode(int pin, int mode);
void digitalWrite(int pin, int level);
void setup();
void loop();
