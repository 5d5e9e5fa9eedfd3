/** Calls functions by the name of an event. */
export class Emitter<Events extends { [name in keyof Events]: unknown[] }> {
  readonly #handlers: { [Name in keyof Events]?: Set<(...args: Events[Name]) => void> } = {};

  /** Has a function called with every event of a name, until the one that is returned is called. */
  on<Name extends keyof Events>(name: Name, handler: (...args: Events[Name]) => void): () => void {
    const handlers = (this.#handlers[name] ??= new Set());
    handlers.add(handler);
    return () => void handlers.delete(handler);
  }

  protected emit<Name extends keyof Events>(name: Name, ...args: Events[Name]): void {
    for (const handler of [...(this.#handlers[name] ?? [])]) guarded(() => handler(...args));
  }
}

/** Calls a function of the user's. What it throws is no business of who tells it. */
export function guarded(call: () => void): void {
  try {
    call();
  } catch (e) {
    queueMicrotask(() => {
      throw e;
    });
  }
}
