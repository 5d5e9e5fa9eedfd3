const longest = 30_000;

/** How long to wait for the next try to connect, in milliseconds: as in the Go client. */
export class Backoff {
  #tries = 0;
  #since = 0;

  constructor(private readonly first: number) {}

  /** A wait between a half and the whole of what doubles with each call: who has lost one broker does not come at once with all others. */
  next(random = Math.random()): number {
    // One that is ended soon, since another client has the same name, for example, has failed, too.
    if (this.#since > 0 && Date.now() - this.#since >= 10 * this.first) this.#tries = 0;
    this.#since = 0;
    const wait = Math.min(this.first * 2 ** Math.min(this.#tries++, 30), Math.max(this.first, longest));
    return (wait / 2) * (1 + random);
  }

  /** There is a connection. */
  connected(): void {
    this.#since = Date.now();
  }
}
