# What a board runs when it starts: change the four names.
import network
import time

from truck import Truck

WIFI, PASSWORD, BROKER, ID = "wifi", "password", "192.0.2.10", "p-1"

wifi = network.WLAN(network.STA_IF)
wifi.active(True)
wifi.connect(WIFI, PASSWORD)
while not wifi.isconnected():
    time.sleep_ms(100)

Truck(ID, BROKER).drive(60_000)
