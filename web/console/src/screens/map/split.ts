// Messages of QoS 0 as they come from the socket. mqtt.js needs 15 µs for each, and leaves a lot to be collected;
// a map is told up to 100,000 a second. What is not such a message goes on to mqtt.js.

/**
 * Is given each message of QoS 0, of MQTT 3.1.1: its topic is from one place to another in the bytes, and its payload
 * from there to the end. The bytes are others' after the call. Returns whether mqtt.js is not to see it.
 */
export type Take = (bytes: Uint8Array, topic: number, payload: number, end: number) => boolean;

/** Splits a stream of packets, which may be cut anywhere. */
export class Splitter {
  #begun: Uint8Array | undefined; // a packet that is not complete
  #passing = 0; // how much is to come of a packet that is not taken

  constructor(
    private readonly take: Take,
    private readonly pass: (bytes: Uint8Array) => void,
  ) {}

  receive(chunk: Uint8Array): void {
    const bytes = this.#begun ? joined(this.#begun, chunk) : chunk;
    this.#begun = undefined;
    let i = Math.min(this.#passing, bytes.length);
    this.#passing -= i;
    let from = 0; // what is before i, from here on, is to be passed
    while (i < bytes.length) {
      const body = bodyOf(bytes, i);
      const end = body + lengthBefore(bytes, i + 1, body);
      const isMessage = (bytes[i]! & 0xf6) === 0x30;
      if (body === 0 || (isMessage && end > bytes.length)) {
        this.#begun = bytes.slice(i);
        break;
      }
      if (isMessage && this.#taken(bytes, body, end)) {
        if (from < i) this.pass(bytes.subarray(from, i));
        from = end;
      }
      this.#passing = Math.max(0, end - bytes.length);
      i = Math.min(end, bytes.length);
    }
    if (from < i) this.pass(bytes.subarray(from, i));
  }

  #taken(bytes: Uint8Array, body: number, end: number): boolean {
    const payload = body + 2 + 256 * bytes[body]! + bytes[body + 1]!;
    return payload <= end && this.take(bytes, body + 2, payload, end);
  }
}

/** Where the body of a packet begins; 0 if that is not there yet. */
function bodyOf(bytes: Uint8Array, packet: number): number {
  for (let i = packet + 1; i < bytes.length; i++) if (bytes[i]! < 0x80 || i === packet + 4) return i + 1;
  return 0;
}

/** The length of a packet, which stands before its body: seven bits a byte, the lowest first. */
function lengthBefore(bytes: Uint8Array, from: number, to: number): number {
  let length = 0;
  for (let i = to - 1; i >= from; i--) length = length * 128 + (bytes[i]! & 0x7f);
  return length;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** A socket for mqtt.js, whose messages of QoS 0 are taken before it is told of them. Calls back when it has given all that had come. */
export function tappedSocket(url: string, protocols: string[], take: Take, done: () => void): WebSocket {
  const socket = new WebSocket(url, protocols);
  const pass = (bytes: Uint8Array) => socket.dispatchEvent(new MessageEvent("message", { data: bytes.slice().buffer }));
  const splitter = new Splitter(take, pass);
  socket.addEventListener("message", (e) => {
    if (!e.isTrusted) return; // it is one that was passed
    e.stopImmediatePropagation(); // mqtt.js listens, too, but later
    splitter.receive(new Uint8Array(e.data as ArrayBuffer));
    done();
  });
  return socket;
}
