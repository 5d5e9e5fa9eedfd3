// Reads /metrics every two seconds, from when it is first looked at, and keeps a quarter of an hour.
import { type Session, phase } from "../../session.js";
import { Store } from "../../store.js";
import { Scrape } from "./prometheus.js";

export const every = 2000; // milliseconds
const kept = 15 * 60 * 1000; // milliseconds

/** The broker does not tell us. */
export class Refused extends Error {}

export interface Sampled {
  samples: readonly Sample[];
  error: Error | undefined;
}

export interface Sample {
  scrape: Scrape;
  /** How many seconds a request of this page took, over its own connection. */
  roundTrip: number | undefined;
}

const samplers = new WeakMap<Session, Store<Sampled>>();

/** The samples of a session. They are taken until it ends. */
export function samplesOf(session: Session): Store<Sampled> {
  let store = samplers.get(session);
  if (!store) {
    store = new Store<Sampled>({ samples: [], error: undefined });
    samplers.set(session, store);
    void sample(session, store);
  }
  return store;
}

async function sample(session: Session, store: Store<Sampled>): Promise<void> {
  for (;;) {
    const began = Date.now();
    try {
      const [scrape, roundTrip] = await Promise.all([read(session), timed(session)]);
      const samples = [...store.value.samples.filter((s) => scrape.at - s.scrape.at <= kept), { scrape, roundTrip }];
      store.set({ samples, error: undefined });
    } catch (e) {
      store.set({ samples: store.value.samples, error: e as Error });
    }
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, began + every - Date.now())));
    if (phase.value.at !== "in" || phase.value.session !== session) return;
  }
}

async function read({ credentials }: Session): Promise<Scrape> {
  const headers: Record<string, string> = {};
  if (credentials.secret !== undefined) headers.Authorization = `Bearer ${credentials.secret}`;
  let response: Response;
  try {
    response = await fetch("/metrics", { headers, credentials: "omit" });
  } catch {
    throw new Error("The broker does not answer.");
  }
  if (response.ok) return new Scrape(Date.now(), await response.text());
  const message = await response.json().then((answer: { error?: { message?: string } }) => answer.error?.message, () => undefined);
  throw response.status === 401 || response.status === 403 ? new Refused(message ?? "it is not allowed") : new Error(message ?? `The broker answers with status ${response.status}.`);
}

async function timed({ ambit }: Session): Promise<number | undefined> {
  if (!ambit.connection.connected) return undefined;
  const began = performance.now();
  try {
    await ambit.connection.request({ controller: "server", action: "now" });
  } catch {
    return undefined; // it is not allowed, or there is no connection
  }
  return (performance.now() - began) / 1000;
}
