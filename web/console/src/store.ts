import { useEffect, useState } from "preact/hooks";

/** A value that components follow. */
export class Store<T> {
  readonly #listeners = new Set<() => void>();

  constructor(public value: T) {}

  set(value: T): void {
    if (Object.is(value, this.value)) return;
    this.value = value;
    for (const listener of [...this.#listeners]) listener();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

/** The value of a store, which renders the component again when it is another one. */
export function useStore<T>(store: Store<T>): T {
  const [value, set] = useState(store.value);
  useEffect(() => {
    const read = () => set(() => store.value);
    read(); // it may have changed before the effect
    return store.subscribe(read);
  }, [store]);
  return value;
}
