import type { MqttClient, Packet } from "mqtt";

import { AmbitError, late, lost, offline } from "./error.js";

export interface PublishOptions {
  /** 1 by default. */
  qos?: 0 | 1 | 2;
  retain?: boolean;
  /**
   * How many milliseconds the acknowledgement may take, with the wait for a connection: by default as long as it takes. What
   * has no connection by then is not published any more.
   */
  timeout?: number;
}

interface Message {
  /** Undefined at QoS 0, and while mqtt.js sends others again. */
  id: number | undefined;
  /** How many connections have ended while it was the first that waited. */
  lost: number;
  end(e: AmbitError): void;
}

/** With how many connections that end a message is taken for refused. MQTT 3.1.1 has no other word for it. */
const enough = 3;

/** What is published, and not acknowledged yet. */
export class Publisher {
  readonly #messages = new Set<Message>();

  #isConnected = false;

  constructor(private readonly mqtt: MqttClient) {
    // mqtt.js says that it is connected when all that waits is acknowledged: not if the connection ends before that.
    mqtt.on("packetreceive", (packet) => {
      if (packet.cmd === "connack") this.#isConnected = !(packet.reasonCode ?? packet.returnCode);
    });
    mqtt.on("close", () => {
      if (this.#isConnected) this.#lost();
      this.#isConnected = false;
    });
  }

  publish(topic: string, payload: string, { qos = 1, retain = false, timeout }: PublishOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (e?: AmbitError) => {
        clearTimeout(timer);
        this.#messages.delete(message);
        e ? reject(e) : resolve();
      };
      const message: Message = { id: undefined, lost: 0, end };
      const timer = timeout === undefined ? undefined : setTimeout(() => this.#giveUp(message, late()), timeout);
      this.#messages.add(message);
      const before = this.mqtt.getLastMessageId();
      this.mqtt.publish(topic, payload, { qos, retain }, (e, packet) => end(e ? failure(e, packet, qos) : undefined));
      const last = this.mqtt.getLastMessageId();
      if (last !== before) message.id = last;
    });
  }

  /**
   * The connection was lost. What waits is sent again one after the other: if it is lost with the same message again
   * and again, that is why, and those behind it have their turn.
   */
  #lost(): void {
    const first = [...this.#messages].find((message) => message.id !== undefined);
    if (first && ++first.lost === enough) {
      this.#giveUp(first, new AmbitError("client.refused", `the connection was lost ${enough} times with this message: the broker does not take it`));
    }
  }

  /** Ends every wait. */
  abandon(e: AmbitError): void {
    for (const message of [...this.#messages]) message.end(e);
  }

  #giveUp(message: Message, e: AmbitError): void {
    message.end(e);
    if (message.id !== undefined && !this.mqtt.connected) this.mqtt.removeOutgoingMessage(message.id);
  }
}

/** Names what mqtt.js says. The broker's own reason is in its packet. */
function failure(e: Error, packet: Packet | undefined, qos: number): AmbitError {
  const { code } = e as { code?: unknown };
  if (typeof code !== "number") return qos === 0 ? offline() : lost();
  const properties = packet && "properties" in packet ? (packet.properties as { reasonString?: string } | undefined) : undefined;
  return new AmbitError("client.refused", properties?.reasonString ?? e.message, 0, { code });
}
