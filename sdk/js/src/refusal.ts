import { AmbitError } from "./error.js";

/** What the broker answers to CONNECT if it does not let a client in; undefined for another error. */
export function refusal(url: string, e: Error): AmbitError | undefined {
  const { code } = e as { code?: unknown };
  return typeof code === "number" ? new AmbitError("client.refused", `${url}: ${e.message}`, 0, { code }) : undefined;
}

/**
 * Whether to say the same again is of no use: the version (1 of MQTT 3.1.1), the client identifier (2), the password
 * (4) or who it is (5) will not do. A broker that is busy, stops, or has banned a client for a while may take it later.
 */
export const isFinal = (e: AmbitError) => [1, 2, 4, 5, 0x84, 0x85, 0x86, 0x87, 0x8c].includes(e.details.code!);
