// What several screens ask the broker.
import type { Ambit } from "@ambit/client";
import { useEffect, useState } from "preact/hooks";

export interface CollectionName {
  index: string;
  collection: string;
}

/** A question to the broker that a component has: undefined while there is no answer. */
export interface Answer<T> {
  value: T | undefined;
  error: Error | undefined;
  again(): void;
}

/** Asks when the component appears, when deps change, and again when told so. */
export function useAnswer<T>(question: () => Promise<T>, deps: readonly unknown[]): Answer<T> {
  const [state, set] = useState<{ value: T | undefined; error: Error | undefined }>({ value: undefined, error: undefined });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let over = false;
    question().then(
      (value) => over || set({ value, error: undefined }),
      (e: unknown) => over || set((before) => ({ value: before.value, error: e instanceof Error ? e : new Error(String(e)) })),
    );
    return () => {
      over = true;
    };
  }, [...deps, turn]);
  return { ...state, again: () => setTurn((n) => n + 1) };
}

/** The collections that have documents or are declared, as far as we may know of them. */
export async function collections(ambit: Ambit): Promise<CollectionName[]> {
  const { indexes } = await ambit.connection.request<{ indexes: string[] }>({ controller: "index", action: "list" });
  const lists = await Promise.all(
    indexes.map(async (index) => {
      const answer = await ambit.connection.request<{ collections: { name: string }[] }>({ controller: "collection", action: "list", index, type: "stored" });
      return answer.collections.map(({ name }) => ({ index, collection: name }));
    }),
  );
  return lists.flat();
}
