import type { MqttClient } from "mqtt";

import { AmbitError, late, lost } from "./error.js";
import type { Request } from "./options.js";

const requests = "$ambit/request";
export const answers = "$ambit/response";

export interface Answer {
  /** Of what is no answer. */
  type?: string;
  requestId: string;
  result: unknown;
  error: null | { id: string; message: string; status: number; code: number; keyword?: string; errors?: unknown[] };
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: AmbitError): void;
  timer: ReturnType<typeof setTimeout>;
}

/** What is asked on a connection, and not answered yet. */
export class Requests {
  readonly #pending = new Map<string, Pending>();
  #asked = 0;

  constructor(
    private readonly mqtt: MqttClient,
    private readonly timeout: number,
  ) {}

  ask<T>(request: Request): Promise<T> {
    const requestId = `${this.mqtt.options.clientId}-${++this.#asked}`;
    return new Promise<T>((resolve, reject) => {
      const fail = (e: AmbitError) => {
        clearTimeout(timer);
        this.#pending.delete(requestId);
        reject(e);
      };
      const timer = setTimeout(() => fail(late()), this.timeout);
      this.#pending.set(requestId, { resolve: resolve as (result: unknown) => void, reject, timer });
      this.mqtt.publish(requests, JSON.stringify({ ...request, requestId }), (e) => e && fail(lost()));
    });
  }

  answered(a: Answer): void {
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

  /** The connection has gone: what was asked was done, or not. */
  lost(): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const p of pending) {
      clearTimeout(p.timer);
      p.reject(lost());
    }
  }
}
