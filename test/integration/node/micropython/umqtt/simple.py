# The API of umqtt.simple, as far as the example uses it, on the sockets of the
# test: the WebAssembly port has none. It behaves as umqtt.simple does: publish with
# QoS 1 handles messages until its PUBACK, and a connection that ends is an OSError.
import _net
import struct


class MQTTException(Exception):
    pass


def _text(s):
    if isinstance(s, str):
        s = s.encode()
    return struct.pack("!H", len(s)) + s


class MQTTClient:
    def __init__(self, client_id, server, port=1883, user=None, password=None, keepalive=0):
        self.client_id, self.server, self.port, self.keepalive = client_id, server, port, keepalive
        self.pid, self.cb = 0, None

    def set_callback(self, f):
        self.cb = f

    def connect(self, clean_session=True):
        if not _net.open(self.server, self.port):
            raise OSError(111)
        flags = 2 if clean_session else 0
        self._send(0x10, _text("MQTT") + bytes((4, flags)) + struct.pack("!H", self.keepalive) + _text(self.client_id))
        first, body = self._packet()
        if first != 0x20 or body[1]:
            raise MQTTException(body[1])
        return body[0] & 1

    def subscribe(self, topic, qos=0):
        self.pid += 1
        self._send(0x82, struct.pack("!H", self.pid) + _text(topic) + bytes((qos,)))
        while True:
            op = self.wait_msg()
            if op and op[0] == 0x90:
                if op[1][2] == 0x80:
                    raise MQTTException(0x80)
                return

    def publish(self, topic, msg, retain=False, qos=0):
        if isinstance(msg, str):
            msg = msg.encode()
        body = _text(topic)
        if qos:
            self.pid += 1
            body += struct.pack("!H", self.pid)
        self._send(0x30 | qos << 1 | retain, body + msg)
        while qos:
            op = self.wait_msg()
            if op and op[0] == 0x40 and struct.unpack("!H", op[1])[0] == self.pid:
                return

    def ping(self):
        self._send(0xC0, b"")

    # Returns a packet that is no message, and handles one that is.
    def wait_msg(self):
        first, body = self._packet()
        if first & 0xF0 != 0x30:
            return first, body
        n = struct.unpack("!H", body[:2])[0] + 2
        topic, rest = body[2:n], body[n:]
        if first & 6:
            self._send(0x40, rest[:2])
            rest = rest[2:]
        self.cb(topic, rest)

    def check_msg(self):
        while _net.waits():
            self.wait_msg()

    def _send(self, first, body):
        head, n = bytes((first,)), len(body)
        while n > 127:
            head, n = head + bytes((n & 127 | 128,)), n >> 7
        if not _net.write((head + bytes((n,)) + body).hex()):
            raise OSError(104)

    def _read(self, n):
        text = _net.read(n)
        if text is None or len(text) != 2 * n:
            raise OSError(-1)
        return bytes.fromhex(text)

    def _packet(self):
        first, n, shift = self._read(1)[0], 0, 0
        while True:
            b = self._read(1)[0]
            n |= (b & 127) << shift
            if b < 128:
                return first, self._read(n) if n else b""
            shift += 7
