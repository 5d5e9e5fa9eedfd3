// Requests over HTTP, for what comes before there is a connection: who somebody is, and signing in and out.

/** What somebody shows: nothing, or a token or key. */
export interface Credentials {
  secret?: string;
  /** When it ends, in milliseconds. */
  expiresAt?: number;
  /** Whether it was made here by auth:login, so that it is refreshed and revoked here. */
  own?: boolean;
}

export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly id: string,
    message: string,
  ) {
    super(message);
  }

  /** Whether who asks is not let in, rather than not allowed something. */
  get isAtTheDoor(): boolean {
    return this.status === 401 || this.status === 403 || this.status === 429;
  }
}

/** The broker cannot be reached. */
export class Unreachable extends Error {}

export async function ask<T>(controller: string, action: string, request: object, credentials: Credentials = {}): Promise<T> {
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  if (credentials.secret !== undefined) headers.Authorization = `Bearer ${credentials.secret}`;
  let response: Response;
  let answer: { result: T; error: null | { id: string; message: string } };
  try {
    response = await fetch(`/api/${controller}/${action}`, { method: "POST", headers, body: JSON.stringify(request), credentials: "omit" });
    answer = await response.json();
  } catch (e) {
    throw new Unreachable(String(e));
  }
  if (answer.error) throw new Refusal(response.status, answer.error.id, answer.error.message);
  return answer.result;
}

export const mqttURL = () => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/mqtt`;
