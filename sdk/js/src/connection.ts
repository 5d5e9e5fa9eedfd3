import mqtt, { type IClientOptions, type MqttClient } from "mqtt";

import { Backoff } from "./backoff.js";
import { Emitter, guarded } from "./emitter.js";
import { AmbitError, closed, isLate, isLost, late, lost, offline } from "./error.js";
import { Feed, type Listener } from "./feed.js";
import { Followed, type Receiver } from "./follow.js";
import type { ConnectionEvents, Options, Request } from "./options.js";
import { type PublishOptions, Publisher } from "./publish.js";
import { isFinal, refusal } from "./refusal.js";
import { type Answer, Requests, answers } from "./request.js";

/** mqtt.js is not to connect again by itself: it has no password that is waited for, and no wait that grows. */
const never = 2 ** 31 - 1;

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
  readonly #requests: Requests;
  readonly #feeds = new Map<string, Feed>();
  /** Who gets the messages of a room, by its topic. */
  readonly #topics = new Map<string, Receiver>();
  readonly #followed = new Map<string, Followed>();
  readonly #waiting = new Set<() => void>();
  readonly #publisher: Publisher;
  readonly #backoff: Backoff;
  #retrying: ReturnType<typeof setTimeout> | undefined;
  #wasUp = false;
  /** Until it was connected once, it is up to open to say why it is not. */
  #isOpen = false;
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
    this.#publisher = new Publisher(client);
    this.#requests = new Requests(client, this.#timeout);
    this.#backoff = new Backoff(options.reconnectPeriod ?? 1000);
    this.#password = client.options.password as string | undefined;
    client.on("message", (topic, payload) => this.#receive(topic, payload));
    client.on("connect", () => {
      writeAtOnce(client);
      this.#up();
    });
    client.on("close", () => {
      this.#down();
      this.#retry();
    });
    client.on("disconnect", (packet) => packet.reasonCode === maximumConnectTime && this.#expire());
    client.on("error", (e) => void this.#failed(e));
  }

  /** Connects. It is an error if the first try fails. */
  static async open(url: string, options: Options = {}): Promise<Connection> {
    const { version = 5 } = options;
    const settings: IClientOptions = {
      ...options.mqtt,
      protocolVersion: version,
      reconnectPeriod: never,
      reconnectOnConnackError: true,
      clean: true,
      resubscribe: false,
      queueQoSZero: false,
    };
    if (options.clientId !== undefined) settings.clientId = options.clientId;
    if (options.username !== undefined) settings.username = options.username;
    const { password } = options;
    if (password !== undefined) {
      settings.password = typeof password === "function" ? await password() : password;
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

  /**
   * Ends the connection, when what was published is acknowledged, or not within the timeout. Whoever waits for an
   * answer gets an error.
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retrying);
    const client = this.#mqtt;
    if (!client.connected) client.end(true);
    this.#down();
    this.#awake();
    if (client.connected) {
      const over = new Promise<void>((resolve) => void client.once("close", resolve));
      const late = setTimeout(() => client.stream.destroy(), this.#timeout);
      await Promise.race([client.endAsync(), over]); // mqtt.js waits for ever if the connection is lost meanwhile
      clearTimeout(late);
    }
    this.#publisher.abandon(closed());
  }

  /** Asks, and returns the result of the answer. Without a connection it waits for one, within the timeout. */
  async request<T = unknown>(request: Request): Promise<T> {
    await this.#online();
    return this.#requests.ask<T>(request);
  }

  /**
   * Publishes, and waits for the acknowledgement: of a document, it says that it is on disk. What is not acknowledged
   * when the connection is lost is published again on the next one; QoS 0 needs a connection.
   */
  async publish(topic: string, payload: string | object | null, options: PublishOptions = {}): Promise<void> {
    const text = payload === null ? "" : typeof payload === "string" ? payload : JSON.stringify(payload);
    if (this.#ended) throw this.#ended;
    await this.#publisher.publish(topic, text, options);
  }

  /**
   * Tells a listener what a room tells after a change, until the function that is returned is called. Listeners of
   * one channel share one subscription, unless they are alone by choice.
   */
  async listen(channel: string, seq: number, listener: Listener, alone = false): Promise<() => Promise<void>> {
    let key = `${channel}&since=`;
    while (alone && this.#feeds.has(key)) key += "0"; // the same number in another topic filter: the broker has one subscription for each
    let feed = this.#feeds.get(key);
    if (!feed) {
      feed = new Feed(key, seq, (topic, to) => this.#subscribe(topic, to));
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
   * messages need no acknowledgement, and some are lost when there are more than can be read. What is retained is told
   * again to those who follow the same topic filter already.
   */
  async follow(topicFilter: string, to: Receiver, qos: 0 | 1 = 1): Promise<() => Promise<void>> {
    const before = this.#followed.get(topicFilter);
    const followed = before && before.qos >= qos ? before : new Followed(topicFilter, qos);
    for (const other of before?.receivers ?? []) followed.receivers.add(other);
    this.#followed.set(topicFilter, followed);
    const receiver = { to };
    followed.receivers.add(receiver);
    try {
      await this.#online();
      await this.#granted(topicFilter, followed.qos);
    } catch (e) {
      if (!isLost(e)) {
        this.#unfollow(topicFilter, receiver);
        throw e;
      }
    }
    return async () => {
      // An earlier one may have ended with the connection.
      if (this.#unfollow(topicFilter, receiver) && this.connected) await this.#mqtt.unsubscribeAsync(topicFilter).catch(() => undefined);
    };
  }

  /** Says whether nobody is left. */
  #unfollow(topicFilter: string, receiver: { to: Receiver }): boolean {
    const followed = this.#followed.get(topicFilter);
    return followed?.receivers.delete(receiver) === true && followed.receivers.size === 0 && this.#followed.delete(topicFilter);
  }

  /** Subscribes to a room on the connection that there is now. */
  async #subscribe(topic: string, to: Receiver): Promise<() => Promise<void>> {
    const forget = () => this.#topics.get(topic) === to && this.#topics.delete(topic);
    this.#topics.set(topic, to);
    try {
      await this.#granted(topic, 1);
    } catch (e) {
      forget();
      throw e;
    }
    return async () => {
      // Another feed may have subscribed to the same by now. It may have ended with the connection.
      if (forget() && this.connected) await this.#mqtt.unsubscribeAsync(topic).catch(() => undefined);
    };
  }

  /** Has something said on every connection from the next one on. If it is refused, that is an error of the connection. */
  again(say: () => Promise<unknown>): () => void {
    return this.on("connect", () => void say().catch((e: Error) => isLost(e) || this.#ended || this.emit("error", e)));
  }

  /** Resolves when a subscription is granted, within the timeout. */
  #granted(topicFilter: string, qos: 0 | 1): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.connected) {
        reject(lost());
        return;
      }
      const timer = setTimeout(() => reject(late()), this.#timeout);
      this.#mqtt.subscribe(topicFilter, { qos }, (e, granted, ack) => {
        clearTimeout(timer);
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

  /** Connects again, after a while. */
  #retry(): void {
    if (!this.#isOpen || this.#ended || this.#retrying !== undefined) return;
    this.#retrying = setTimeout(() => void this.#reconnect(), this.#backoff.next());
  }

  async #reconnect(): Promise<void> {
    const client = this.#mqtt;
    const { password } = this.options;
    try {
      if (typeof password === "function") client.options.password = this.#password = await password();
    } catch (e) {
      this.emit("error", e as Error);
      this.#retrying = undefined;
      this.#retry();
      return;
    }
    this.#retrying = undefined;
    if (this.#ended) return;
    const { incomingStore, outgoingStore } = client; // what was published, and not acknowledged, is sent again
    client.reconnect({ incomingStore, outgoingStore });
  }

  /** Ends it if the broker refuses who it says it is. Another password may be right. */
  async #failed(e: Error): Promise<void> {
    if (!this.#isOpen) return;
    const refused = this.#wasUp ? undefined : refusal(this.url, e);
    if (refused && isFinal(refused) && !(await this.#hasOther())) this.#refuse(refused);
    this.emit("error", refused ?? e);
  }

  /** Whether there is another password than the one that was refused. If it is not known, it is asked for again. */
  async #hasOther(): Promise<boolean> {
    const { password } = this.options;
    if (typeof password !== "function") return false;
    try {
      return (await password()) !== this.#password;
    } catch {
      return true;
    }
  }

  #refuse(e: AmbitError): void {
    if (this.#ended) return;
    this.#refusal = e;
    clearTimeout(this.#retrying);
    this.#mqtt.end(true);
    this.#publisher.abandon(e);
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
    this.#backoff.connected();
    for (const [key, feed] of this.#feeds) void this.#goOn(key, feed);
    for (const followed of this.#followed.values()) void this.#followOn(followed);
    this.#awake();
    this.#wasUp = this.#isOpen = true;
    this.#isExpired = false;
    if (this.options.version === 4 && this.#password !== undefined) {
      // By MQTT 3.1.1 only whoever has asked something is told that a token has expired.
      this.request({ controller: "server", action: "now" }).catch(() => undefined);
    }
    this.emit("connect");
  }

  /** Subscribes a feed on a new connection. What is not answered is asked again: the broker may be busy. */
  async #goOn(key: string, feed: Feed): Promise<void> {
    const isLeft = () => this.#feeds.get(key) !== feed;
    try {
      await feed.open();
    } catch (e) {
      if (isLate(e) && !isLeft()) return this.#goOn(key, feed);
      if (!isLeft()) this.#feeds.delete(key);
      feed.fail(e as AmbitError);
    }
  }

  async #followOn(followed: Followed): Promise<void> {
    const { topicFilter, qos } = followed;
    try {
      await this.#granted(topicFilter, qos);
    } catch (e) {
      if (isLate(e) && this.#followed.get(topicFilter) === followed) return this.#followOn(followed);
      if (!isLost(e)) this.emit("error", e as AmbitError);
    }
  }

  #down(): void {
    if (!this.#wasUp) return;
    this.#wasUp = false;
    this.#topics.clear();
    this.#requests.lost();
    for (const feed of this.#feeds.values()) feed.lost();
    this.emit("disconnect");
  }

  #receive(topic: string, payload: Uint8Array): void {
    if (topic === answers) {
      const answer = JSON.parse(text(payload)) as Answer;
      if (answer.type === "TokenExpired") this.#expire();
      this.#requests.answered(answer);
      return;
    }
    const room = this.#topics.get(topic);
    if (room) {
      room(payload, topic);
      return;
    }
    for (const { matches, receivers } of [...this.#followed.values()]) {
      if (matches(topic)) for (const { to } of [...receivers]) guarded(() => to(payload, topic));
    }
  }
}

/** The reason code with which the broker ends a connection whose token has expired. */
const maximumConnectTime = 0xa0;

export const text = (payload: Uint8Array) => new TextDecoder().decode(payload);
