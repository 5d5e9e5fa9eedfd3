import mqtt, { type IClientOptions, type MqttClient } from "mqtt";

import { Emitter } from "./emitter.js";
import { AmbitError, isLost, lost, offline } from "./error.js";
import { Feed, type Listener } from "./feed.js";
import type { Source } from "./types.js";

export interface Options {
  /** The version of MQTT: 5 by default, 4 is 3.1.1. */
  version?: 4 | 5;
  username?: string;
  /** A password, a token or an API key; a function is asked each time the connection is made. */
  password?: string | (() => string);
  /** Names the client. By default one is made up. */
  clientId?: string;
  /** After how many milliseconds a lost connection is tried again: 1,000 by default. */
  reconnectPeriod?: number;
  /** How many milliseconds an answer may take: 15,000 by default. */
  timeout?: number;
  /** Further options of mqtt.js. */
  mqtt?: IClientOptions;
}

export interface ConnectionEvents {
  /** It is connected, for the first time or again. */
  connect: [];
  /** The connection was lost; it is tried again. */
  disconnect: [];
  /** The token, the key or the certificate that it came with has expired; the broker ends the connection. */
  expired: [];
  /**
   * Connecting again has failed. If it is an AmbitError with the id "client.refused", the broker does not let this
   * client in any more, and it is not tried again.
   */
  error: [Error];
}

/** A request, as API.md describes them. */
export interface Request {
  controller: string;
  action: string;
  index?: string;
  collection?: string;
  _id?: string;
  body?: unknown;
  volatile?: Source;
  [option: string]: unknown;
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: AmbitError): void;
  timer: ReturnType<typeof setTimeout>;
}

type Receiver = (payload: Uint8Array, topic: string) => void;

const requests = "$ambit/request";
const answers = "$ambit/response";

/**
 * Has a socket of Node.js send every packet at once. By default it keeps one back until the one before is acknowledged
 * by TCP, which takes 40 ms: a request behind the acknowledgement of a message, for example.
 */
function writeAtOnce(client: MqttClient): void {
  (client.stream as MqttClient["stream"] & { setNoDelay?(): unknown }).setNoDelay?.();
}

/**
 * A connection to a broker that is made again when it is lost. What was subscribed to goes on where it was: what
 * was missed comes first, in order.
 */
export class Connection extends Emitter<ConnectionEvents> {
  readonly #mqtt: MqttClient;
  readonly #timeout: number;
  readonly #pending = new Map<string, Pending>();
  readonly #feeds = new Map<string, Feed>();
  /** Who gets the messages of a topic, or of all that begin with it if it ends in a slash. */
  readonly #topics = new Map<string, Receiver>();
  readonly #followed = new Map<string, { to: Receiver; qos: 0 | 1 }>();
  readonly #waiting = new Set<() => void>();
  #requests = 0;
  #wasUp = false;
  #isExpired = false;
  #closed = false;
  /** Why it is not tried again. */
  #refusal: AmbitError | undefined;
  #password: string | undefined;

  private constructor(
    client: MqttClient,
    private readonly url: string,
    private readonly options: Options,
  ) {
    super();
    this.#mqtt = client;
    this.#timeout = options.timeout ?? 15_000;
    const { password } = options;
    this.#password = client.options.password as string | undefined;
    if (typeof password === "function") client.on("reconnect", () => (client.options.password = this.#password = password()));
    client.on("message", (topic, payload) => this.#receive(topic, payload));
    client.on("connect", () => {
      writeAtOnce(client);
      this.#up();
    });
    client.on("close", () => this.#down());
    client.on("disconnect", (packet) => packet.reasonCode === maximumConnectTime && this.#expire());
    client.on("error", (e) => this.#failed(e));
  }

  /** Connects. It is an error if the first try fails. */
  static async open(url: string, options: Options = {}): Promise<Connection> {
    const { version = 5, reconnectPeriod = 1000 } = options;
    const settings: IClientOptions = {
      ...options.mqtt,
      protocolVersion: version,
      reconnectPeriod,
      reconnectOnConnackError: true,
      clean: true,
      resubscribe: false,
      queueQoSZero: false,
    };
    if (options.clientId !== undefined) settings.clientId = options.clientId;
    if (options.username !== undefined) settings.username = options.username;
    const { password } = options;
    if (password !== undefined) {
      settings.password = typeof password === "function" ? password() : password;
      settings.username ??= ""; // MQTT 3.1.1 and mqtt.js have no password without a user name [MQTT-3.1.2-22]
    }
    const client = mqtt.connect(url, settings);
    const connection = new Connection(client, url, options);
    await new Promise<void>((resolve, reject) => {
      const fail = (e: Error) => {
        client.end(true);
        reject(refusal(url, e) ?? new AmbitError("client.not_connected", `${url}: ${e.message}`));
      };
      const ended = () => fail(new Error("the connection was closed"));
      client.once("error", fail);
      client.once("close", ended);
      client.once("connect", () => {
        client.off("error", fail);
        client.off("close", ended);
        resolve();
      });
    });
    return connection;
  }

  /** The identifier by which the broker knows this client. */
  get clientId(): string {
    return this.#mqtt.options.clientId!;
  }

  get connected(): boolean {
    return this.#mqtt.connected;
  }

  /** Ends the connection. Whoever waits for an answer gets an error. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#down();
    this.#awake();
    await this.#mqtt.endAsync();
  }

  /** Asks, and returns the result of the answer. Without a connection it waits for one, within the timeout. */
  async request<T = unknown>(request: Request): Promise<T> {
    await this.#online();
    const requestId = `${this.#mqtt.options.clientId}-${++this.#requests}`;
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(requestId);
        reject(late());
      }, this.#timeout);
      this.#pending.set(requestId, { resolve: resolve as (result: unknown) => void, reject, timer });
      this.#mqtt.publish(requests, JSON.stringify({ ...request, requestId }));
    });
  }

  /** Publishes, and waits for the acknowledgement: of a document, it says that it is on disk. */
  async publish(topic: string, payload: string | object | null, options: { qos?: 0 | 1 | 2; retain?: boolean } = {}): Promise<void> {
    const text = payload === null ? "" : typeof payload === "string" ? payload : JSON.stringify(payload);
    await this.#mqtt.publishAsync(topic, text, { qos: options.qos ?? 1, retain: options.retain ?? false });
  }

  /**
   * Tells a listener what a room tells after a change, until the function that is returned is called. Listeners of
   * one channel share one subscription, unless they are alone by choice.
   */
  async listen(channel: string, seq: number, listener: Listener, alone = false): Promise<() => Promise<void>> {
    const key = alone ? `${channel}&since=${seq}` : channel;
    let feed = this.#feeds.get(key);
    if (!feed) {
      feed = new Feed(channel, seq, (topic, to) => this.#subscribe(topic, to));
      this.#feeds.set(key, feed);
    }
    const its = feed;
    const leave = async () => {
      if (its.remove(listener) && this.#feeds.get(key) === its) {
        this.#feeds.delete(key);
        await its.close();
      }
    };
    try {
      await its.add(listener, () => this.#online());
    } catch (e) {
      await leave();
      throw e;
    }
    return leave;
  }

  /**
   * Subscribes to a topic filter, also when the connection is made again. With QoS 0
   * messages need no acknowledgement, and some are lost when there are more than can be read.
   */
  async follow(topicFilter: string, to: Receiver, qos: 0 | 1 = 1): Promise<() => Promise<void>> {
    this.#followed.set(topicFilter, { to, qos });
    let unsubscribe: (() => Promise<void>) | undefined;
    try {
      await this.#online();
      unsubscribe = await this.#subscribe(topicFilter, to, qos);
    } catch (e) {
      if (!isLost(e)) {
        this.#followed.delete(topicFilter);
        throw e;
      }
    }
    return async () => {
      this.#followed.delete(topicFilter);
      await unsubscribe?.();
    };
  }

  /** Subscribes on the connection that there is now. */
  async #subscribe(topicFilter: string, to: Receiver, qos: 0 | 1 = 1): Promise<() => Promise<void>> {
    const route = topicFilter.replace(/[+#]$/, "");
    const forget = () => {
      if (this.#topics.get(route) === to) this.#topics.delete(route);
    };
    this.#topics.set(route, to);
    try {
      await this.#granted(topicFilter, qos);
    } catch (e) {
      forget();
      throw e;
    }
    return async () => {
      forget();
      if (this.connected) await this.#mqtt.unsubscribeAsync(topicFilter).catch(() => undefined); // it ended with the connection
    };
  }

  /** Resolves when a subscription is granted. */
  #granted(topicFilter: string, qos: 0 | 1): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.connected) {
        reject(lost());
        return;
      }
      this.#mqtt.subscribe(topicFilter, { qos }, (e, granted, ack) => {
        const code = granted?.[0]?.qos ?? 0;
        if (!e && code < 0x80) {
          resolve();
          return;
        }
        const told = ack?.properties?.userProperties?.["error-0"];
        const refused = ack !== undefined || code >= 0x80;
        reject(refused ? new AmbitError("client.refused", String(told ?? e?.message ?? "the subscription was refused")) : lost());
      });
    });
  }

  /** Resolves when there is a connection. */
  #online(): Promise<void> {
    if (this.#ended) return Promise.reject(this.#ended);
    if (this.connected) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => done(offline()), this.#timeout);
      const done = (e?: AmbitError) => {
        clearTimeout(timer);
        this.#waiting.delete(awake);
        e ? reject(e) : resolve();
      };
      const awake = () => done(this.#ended);
      this.#waiting.add(awake);
    });
  }

  get #ended(): AmbitError | undefined {
    return this.#refusal ?? (this.#closed ? closed() : undefined);
  }

  /** Ends it if the broker refuses who it says it is. Another password may be right. */
  #failed(e: Error): void {
    const refused = this.#wasUp ? undefined : refusal(this.url, e);
    const { password } = this.options;
    if (refused && isFinal(refused) && !(typeof password === "function" && password() !== this.#password)) this.#refuse(refused);
    this.emit("error", refused ?? e);
  }

  #refuse(e: AmbitError): void {
    this.#refusal = e;
    this.#mqtt.end(true);
    const feeds = [...this.#feeds.values()];
    this.#feeds.clear();
    this.#followed.clear();
    for (const feed of feeds) feed.fail(e);
    this.#awake();
  }

  #expire(): void {
    if (this.#isExpired) return;
    this.#isExpired = true;
    this.emit("expired");
  }

  #awake(): void {
    for (const awake of [...this.#waiting]) awake();
  }

  #up(): void {
    for (const [key, feed] of this.#feeds) {
      feed.open().catch((e: AmbitError) => {
        if (this.#feeds.get(key) === feed) this.#feeds.delete(key);
        feed.fail(e);
      });
    }
    for (const [topicFilter, { to, qos }] of this.#followed) {
      this.#subscribe(topicFilter, to, qos).catch((e: AmbitError) => {
        if (!isLost(e)) this.emit("error", e);
      });
    }
    this.#awake();
    this.#wasUp = true;
    this.#isExpired = false;
    this.emit("connect");
  }

  #down(): void {
    if (!this.#wasUp) return;
    this.#wasUp = false;
    this.#topics.clear();
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const p of pending) {
      clearTimeout(p.timer);
      p.reject(lost());
    }
    for (const feed of this.#feeds.values()) feed.lost();
    this.emit("disconnect");
  }

  #receive(topic: string, payload: Uint8Array): void {
    if (topic === answers) {
      this.#answer(JSON.parse(text(payload)) as Answer);
      return;
    }
    const to = this.#topics.get(topic) ?? this.#topics.get(topic.slice(0, topic.lastIndexOf("/") + 1)) ?? this.#matching(topic);
    to?.(payload, topic);
  }

  /** Who follows the first topic filter with other wildcards that matches. */
  #matching(topic: string): Receiver | undefined {
    for (const [topicFilter, { to }] of this.#followed) if (matches(topicFilter, topic)) return to;
    return undefined;
  }

  #answer(a: Answer): void {
    if (a.type === "TokenExpired") this.#expire();
    const pending = this.#pending.get(a.requestId);
    if (!pending) return; // it came too late
    this.#pending.delete(a.requestId);
    clearTimeout(pending.timer);
    if (!a.error) {
      pending.resolve(a.result);
      return;
    }
    const { id, message, status, ...details } = a.error;
    pending.reject(new AmbitError(id, message, status, details));
  }
}

interface Answer {
  /** Of what is no answer. */
  type?: string;
  requestId: string;
  result: unknown;
  error: null | { id: string; message: string; status: number; code: number; keyword?: string; errors?: unknown[] };
}

/** The reason code with which the broker ends a connection whose token has expired. */
const maximumConnectTime = 0xa0;

/** What the broker answers to CONNECT if it does not let a client in; undefined for another error. */
function refusal(url: string, e: Error): AmbitError | undefined {
  const { code } = e as { code?: unknown };
  return typeof code === "number" ? new AmbitError("client.refused", `${url}: ${e.message}`, 0, { code }) : undefined;
}

/**
 * Whether to say the same again is of no use: the version (1 of MQTT 3.1.1), the client identifier (2), the password
 * (4) or who it is (5) will not do. A broker that is busy, stops, or has banned a client for a while may take it later.
 */
const isFinal = (e: AmbitError) => [1, 2, 4, 5, 0x84, 0x85, 0x86, 0x87, 0x8c].includes(e.details.code!);

const closed = () => new AmbitError("client.closed", "the connection was closed");

const late = () => new AmbitError("client.timeout", "there was no answer in time: the request was done, or not");

/** Whether a topic filter with wildcards matches a topic. */
export function matches(topicFilter: string, topic: string): boolean {
  const filters = topicFilter.replace(/^\$share\/[^/]+\//, "").split("/");
  const levels = topic.split("/");
  if (topic.startsWith("$") && !filters[0]!.startsWith("$")) return false;
  for (const [i, filter] of filters.entries()) {
    if (filter === "#") return true;
    if (i >= levels.length || (filter !== "+" && filter !== levels[i])) return false;
  }
  return filters.length === levels.length;
}

export const text = (payload: Uint8Array) => new TextDecoder().decode(payload);
