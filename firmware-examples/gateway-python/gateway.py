#!/usr/bin/env python3
"""A Linux gateway on paho: it reads lines "ID JSON" from its standard input, and
publishes each as the document fleet/trucks/ID with QoS 1. What is not acknowledged
when the broker goes away is sent again when it is back. At most MAX_WAITING lines are
in memory: then it reads no more, and its source waits.

    apt-get install python3-paho-mqtt
    cat /dev/ttyUSB0 | ./gateway.py 127.0.0.1 1883 gateway-2
"""
import sys
import threading

import paho.mqtt.client as mqtt

MAX_WAITING = 100


class Gateway:
    def __init__(self, client_id):
        # paho 2 wants to know which callbacks are meant; Debian 12 has paho 1.6.
        versions = [mqtt.CallbackAPIVersion.VERSION1] if hasattr(mqtt, "CallbackAPIVersion") else []
        self.client = mqtt.Client(*versions, client_id=client_id, clean_session=False)
        self.client.on_connect = self.on_connect
        self.client.on_disconnect = self.on_disconnect
        self.client.on_publish = self.on_publish
        self.client.reconnect_delay_set(1, 5)
        self.changed = threading.Condition()
        self.waiting, self.refused = 0, 0

    def on_connect(self, client, userdata, flags, code):
        print(mqtt.connack_string(code), file=sys.stderr, flush=True)
        with self.changed:
            self.refused = code
            self.changed.notify_all()

    def on_disconnect(self, client, userdata, code):
        if code != 0:
            print("lost:", mqtt.error_string(code), file=sys.stderr, flush=True)

    def on_publish(self, client, userdata, mid):
        with self.changed:
            self.waiting -= 1
            self.changed.notify_all()

    def wait_for(self, most):
        """Waits until so many are not acknowledged at most; says whether they will be."""
        with self.changed:
            self.changed.wait_for(lambda: self.waiting <= most or self.refused)
            return not self.refused

    def publish(self, line):
        id, space, body = line.rstrip("\r\n").partition(" ")
        if not id or not space:
            print('not "ID JSON":', line.rstrip(), file=sys.stderr, flush=True)
            return True
        if not self.wait_for(MAX_WAITING - 1):
            return False
        with self.changed:
            self.waiting += 1
        self.client.publish("fleet/trucks/" + id, body, qos=1)
        return True

    def run(self, host, port, lines):
        self.client.connect_async(host, port, keepalive=30)
        self.client.loop_start()
        ok = all(self.publish(line) for line in lines)
        ok = ok and self.wait_for(0)  # every line is on the broker's disk now
        self.client.disconnect()
        self.client.loop_stop()
        return ok


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} HOST PORT CLIENT-ID")
    sys.exit(0 if Gateway(sys.argv[3]).run(sys.argv[1], int(sys.argv[2]), sys.stdin) else 1)
