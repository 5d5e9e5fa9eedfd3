/** What was asked was refused, or cannot be answered. */
export class AmbitError extends Error {
  override readonly name = "AmbitError";

  constructor(
    /** Which error it is: one of API.md, or `client.…` for those of this package. */
    readonly id: string,
    message: string,
    /** As in HTTP; 0 for those of this package. */
    readonly status = 0,
    readonly details: {
      code?: number;
      /** The keyword of a filter that is at fault. */
      keyword?: string;
      /** What failed of a request for several documents. */
      errors?: unknown[];
    } = {},
  ) {
    super(message);
  }
}

/** The connection was lost before the answer came: the request was done, or not. */
export const lost = () => new AmbitError("client.connection_lost", "the connection was lost before the answer came");

export const isLost = (e: unknown) => e instanceof AmbitError && e.id === "client.connection_lost";

/** There was no connection for as long as an answer may take: nothing was asked. */
export const offline = () => new AmbitError("client.not_connected", "there is no connection");

export const isOffline = (e: unknown) => e instanceof AmbitError && e.id === "client.not_connected";

export const closed = () => new AmbitError("client.closed", "the connection was closed");

export const late = () => new AmbitError("client.timeout", "there was no answer in time: the request was done, or not");

export const isLate = (e: unknown) => e instanceof AmbitError && e.id === "client.timeout";
