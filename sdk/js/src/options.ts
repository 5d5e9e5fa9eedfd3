import type { IClientOptions } from "mqtt";

import type { Source } from "./types.js";

export interface Options {
  /** The version of MQTT: 5 by default, 4 is 3.1.1. */
  version?: 4 | 5;
  username?: string;
  /** A password, a token or an API key; a function is asked each time the connection is made, so that it can get another token. */
  password?: string | (() => string | Promise<string>);
  /** Names the client. By default one is made up. */
  clientId?: string;
  /**
   * After about how many milliseconds a lost connection is tried again: 1,000 by default. The wait doubles with every
   * try that fails, up to half a minute, and each is cut by a random part.
   */
  reconnectPeriod?: number;
  /** How many milliseconds an answer may take, to a request or a subscription, or what was published when the connection is closed: 15,000 by default. */
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
