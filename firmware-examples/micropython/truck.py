# A truck in MicroPython: it publishes its position with QoS 1, is told when it
# drives into the depot and out of it, and says so with its next position. It
# needs umqtt.simple and nothing else, and runs for ever: when the broker goes
# away, it signs in again when it is back.
import json
import time

from umqtt.simple import MQTTClient, MQTTException

TRACK = (
    (37.6350, -122.4000, 88), (37.6290, -122.3920, 80), (37.6230, -122.3830, 52),
    (37.6190, -122.3752, 3), (37.6189, -122.3750, 0), (37.6150, -122.3700, 31),
    (37.6080, -122.3600, 78), (37.6010, -122.3500, 91),
)  # latitude, longitude, speed: past the depot


KEEPALIVE = 30  # seconds


class Truck:
    def __init__(self, id, host, port=1883, say=print):
        self.topic = b"fleet/trucks/" + id.encode()
        # Of the room @depot, which an operator has made, the scope has one document
        # that matters here: this truck's own.
        self.zone = b"$scope/fleet/trucks/@depot/" + id.encode()
        self.client = MQTTClient(id, host, port, keepalive=KEEPALIVE)
        self.client.set_callback(self.on_message)
        self.say = say
        self.in_depot = False

    def on_message(self, topic, payload):
        # A body while the truck is in the depot, nothing when it has left.
        inside = len(payload) > 0
        if inside != self.in_depot:
            self.say("entered the depot" if inside else "left the depot")
        self.in_depot = inside

    def sign_in(self):
        while True:
            try:
                self.client.connect()
                self.client.subscribe(self.zone, qos=1)
                self.say("signed in")
                return
            except (OSError, MQTTException):  # there is no broker now, or no such room
                time.sleep_ms(500)

    def report(self, fix):
        lat, lon, speed = fix
        body = {"position": {"lat": lat, "lon": lon}, "speed": speed, "inDepot": self.in_depot}
        self.client.publish(self.topic, json.dumps(body), qos=1)  # waits for PUBACK

    def wait(self, ms):
        # The broker takes a truck for lost that says nothing for 1.5 * KEEPALIVE.
        while ms > 0:
            time.sleep_ms(min(ms, KEEPALIVE * 333))
            self.client.ping()
            self.client.check_msg()
            ms -= KEEPALIVE * 333

    def drive(self, interval_ms):
        self.sign_in()
        while True:
            for fix in TRACK:
                while True:
                    try:
                        self.report(fix)
                        self.wait(interval_ms)
                        break
                    except OSError:  # the same position again: it may not have arrived
                        self.say("lost")
                        self.sign_in()
