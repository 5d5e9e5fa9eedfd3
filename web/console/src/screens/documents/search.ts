// A search that keeps itself in sync, as a component shows it.
import type { Ambit, Document, Filter, ObservedSearch, Sort } from "@ambit/client";
import { useEffect, useRef, useState } from "preact/hooks";

const pageSize = 50;
const flashes = 900; // milliseconds that a change is shown
const columnsAtMost = 6;

export interface SearchState {
  hits: readonly Document[];
  /** Undefined while nothing was found yet. */
  total: number | undefined;
  hasNext: boolean;
  error: Error | undefined;
  /** Top-level fields of what was found, values before objects, the usual ones first. */
  fields: string[];
  columns: string[];
  /** When documents have changed, by id. */
  changed: ReadonlyMap<string, number>;
  next(): void;
}

const nothing = { hits: [], total: undefined, hasNext: false, error: undefined } as const;

/** "speed" or "-speed", separated by commas, as the API takes it. */
export const sortOf = (text: string): Sort[] => text.split(",").filter(Boolean).map((f) => (f.startsWith("-") ? { [f.slice(1)]: "desc" } : { [f]: "asc" }));

export function useSearch(ambit: Ambit, index: string, collection: string, filter: string, sort: string): SearchState {
  const [state, set] = useState<Pick<SearchState, "hits" | "total" | "hasNext" | "error">>(nothing);
  const current = useRef<ObservedSearch | undefined>(undefined);
  const changed = useRef(new Map<string, number>());
  useEffect(() => {
    set((s) => ({ ...s, error: undefined }));
    let query: Filter;
    try {
      query = filter === "" ? {} : (JSON.parse(filter) as Filter);
    } catch (e) {
      set({ ...nothing, error: e as Error });
      return;
    }
    changed.current.clear();
    const search = ambit.observe.search(index, collection, { query, ...(sort !== "" && { sort: sortOf(sort) }) }, { size: pageSize });
    current.current = search;
    let over = false;
    let frame = 0;
    let started = false;
    const draw = () => {
      frame = 0;
      const now = Date.now();
      for (const [id, at] of changed.current) if (now - at > flashes) changed.current.delete(id);
      if (!over) set({ hits: [...search.hits], total: search.total, hasNext: search.hasNext, error: search.error });
      if (changed.current.size > 0 && !over) timer = setTimeout(draw, flashes);
    };
    let timer: ReturnType<typeof setTimeout> | undefined;
    search.on("change", (id) => started && changed.current.set(id, Date.now()));
    search.on("update", () => {
      if (started) frame ||= requestAnimationFrame(() => (clearTimeout(timer), draw()));
    });
    search.start().then(
      () => ((started = true), draw()),
      (error: Error) => over || set({ ...nothing, error }),
    );
    return () => {
      over = true;
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      void search.stop();
    };
  }, [ambit, index, collection, filter, sort]);
  const fields = fieldsOf(state.hits);
  const next = () => current.current?.next().catch((error: Error) => set((s) => ({ ...s, error })));
  return { ...state, fields, columns: fields.slice(0, columnsAtMost), changed: changed.current, next: () => void next() };
}

function fieldsOf(hits: readonly Document[]): string[] {
  const seen = new Map<string, number>();
  const plain = new Set<string>();
  for (const { _source } of hits.slice(0, pageSize)) {
    for (const [name, value] of Object.entries(_source)) {
      if (name === "_kuzzle_info") continue;
      seen.set(name, (seen.get(name) ?? 0) + 1);
      if (typeof value !== "object") plain.add(name);
    }
  }
  const weight = (name: string) => seen.get(name)! + (plain.has(name) ? 1000 : 0);
  return [...seen.keys()].sort((a, b) => weight(b) - weight(a) || a.localeCompare(b));
}
