// What the broker says of a client.
import { AmbitError } from "@ambit/client";

export interface Client {
  _id: string;
  connected: boolean;
  user?: string;
  address?: string;
  listener?: string;
  protocol: number;
  subscriptions: number;
  rooms: number;
  /** In milliseconds. */
  since: number;
  queuedBytes: number;
  queuedMessages: number;
  inFlight: number;
  waiting: number;
  dropped: number;
  heldUp: number;
  slow: boolean;
  why?: string;
  error?: { text: string; code: number; topic?: string; at: number };
  filters?: { topicFilter: string; qos: number; roomId?: string }[];
}

export interface Ban {
  _id: string;
  client?: string;
  user?: string;
  network?: string;
  reason?: string;
  by?: string;
  createdAt: number;
  /** -1 is never. */
  expiresAt: number;
}

export interface Page<T> {
  hits: T[];
  total: number;
}

const protocols: Record<number, string> = { 3: "MQTT 3.1", 4: "MQTT 3.1.1", 5: "MQTT 5" };
export const protocolName = (version: number) => protocols[version] ?? `version ${version}`;

/** Whether who asks may not ask that, rather than that something went wrong. */
export const isRefused = (e: Error) => e instanceof AmbitError && (e.status === 401 || e.status === 403);
