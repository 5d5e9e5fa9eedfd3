// The rooms of a broker: those that have a name, and those that somebody is in.
import { type Ambit, AmbitError, type Filter } from "@ambit/client";
import { useEffect, useRef, useState } from "preact/hooks";

export interface Named {
  index: string;
  collection: string;
  name: string;
  channel: string;
  roomId: string;
  filter: Filter;
  members: number;
  /** It is a setting, and cannot be changed here. */
  configured: boolean;
  author: string | null;
  updatedAt: number | null;
}

interface Open {
  index: string;
  collection: string;
  roomId: string;
  filter: Filter | null;
  members: number;
  notifications: number;
}

export interface Room {
  index: string;
  collection: string;
  roomId: string;
  /** Null is one that is not told to us. */
  filter: Filter | null;
  members: number;
  names: Named[];
  /** Notifications per second, undefined before it was looked at twice. */
  rate: number | undefined;
}

/** The id of a room is that of its filter: two collections may have the same. */
export const keyOf = (r: { index: string; collection: string; roomId: string }) => `${r.index}/${r.collection}/${r.roomId}`;

export const titleOf = (r: Room) => (r.names.length > 0 ? r.names.map((n) => `@${n.name}`).join(", ") : `~${r.roomId.slice(0, 12)}…`);

export const channelOf = (r: Room) => r.names[0]?.channel ?? `${r.index}/${r.collection}/~${r.roomId}`;

const most = 1000;

interface Rooms {
  named: Named[];
  open: Open[];
  total: number;
  /** What of it we may not know, and the broker's word for that. */
  missing: { what: string; error: Error } | undefined;
}

async function read(ambit: Ambit): Promise<Rooms> {
  const refused = (e: unknown) => {
    if (e instanceof AmbitError && (e.status === 401 || e.status === 403)) return e;
    throw e;
  };
  const [named, open] = await Promise.all([
    ambit.connection.request<{ rooms: Named[] }>({ controller: "room", action: "list", size: most }).catch(refused),
    ambit.connection.request<{ hits: Open[]; total: number }>({ controller: "room", action: "listOpen", size: most }).catch(refused),
  ]);
  if (named instanceof Error && open instanceof Error) throw named;
  return {
    named: named instanceof Error ? [] : named.rooms,
    open: open instanceof Error ? [] : open.hits,
    total: open instanceof Error ? 0 : open.total,
    missing: named instanceof Error ? { what: "The names of rooms", error: named } : open instanceof Error ? { what: "Rooms without a name", error: open } : undefined,
  };
}

const every = 2000; // milliseconds
const over = 10_000; // milliseconds of which a rate is

interface Sample {
  at: number;
  told: Map<string, number>;
}

interface Found extends Pick<Rooms, "total" | "missing"> {
  rooms: Room[] | undefined;
  error: Error | undefined;
}

/** The rooms, read again and again. */
export function useRooms(ambit: Ambit): Found & { again(): void } {
  const [state, set] = useState<Found>({ rooms: undefined, total: 0, error: undefined, missing: undefined });
  const samples = useRef<Sample[]>([]);
  const again = useRef<() => void>(() => undefined);
  useEffect(() => {
    let gone = false;
    let timer: ReturnType<typeof setTimeout>;
    const look = async () => {
      clearTimeout(timer);
      try {
        if (document.visibilityState === "visible") {
          const { named, open, total, missing } = await read(ambit);
          if (gone) return;
          const sample = { at: Date.now(), told: new Map(open.map((o) => [keyOf(o), o.notifications])) };
          samples.current = [...samples.current.filter((s) => sample.at - s.at <= over), sample];
          set({ rooms: merge(named, open, samples.current), total, missing, error: undefined });
        }
      } catch (e) {
        if (!gone) set((s) => ({ ...s, error: e as Error }));
      }
      if (!gone) timer = setTimeout(() => void look(), every);
    };
    again.current = () => void look();
    void look();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [ambit]);
  return { ...state, again: () => again.current() };
}

function merge(named: Named[], open: Open[], samples: Sample[]): Room[] {
  const rooms = new Map<string, Room>();
  for (const n of named) {
    const known = rooms.get(keyOf(n));
    if (known) known.names.push(n);
    else rooms.set(keyOf(n), { index: n.index, collection: n.collection, roomId: n.roomId, filter: n.filter, members: n.members, names: [n], rate: undefined });
  }
  for (const o of open) {
    const key = keyOf(o);
    const room = rooms.get(key) ?? { ...o, names: [], rate: undefined };
    rooms.set(key, { ...room, filter: room.filter ?? o.filter, members: o.members });
  }
  for (const [key, room] of rooms) room.rate = rateOf(key, samples);
  return [...rooms.values()].sort((a, b) => Number(b.names.length > 0) - Number(a.names.length > 0) || titleOf(a).localeCompare(titleOf(b)) || keyOf(a).localeCompare(keyOf(b)));
}

function rateOf(key: string, samples: Sample[]): number | undefined {
  const last = samples.at(-1)!;
  const first = samples.find((s) => s.told.has(key)) ?? last;
  const now = last.told.get(key);
  if (now === undefined) return samples.length > 1 ? 0 : undefined;
  const seconds = (last.at - first.at) / 1000;
  return seconds < 1 ? undefined : Math.max(0, now - first.told.get(key)!) / seconds;
}

const counted = 100; // rooms of which the documents are counted

/** How many documents are in scope, by room, counted one room after the other. */
export function useScopes(ambit: Ambit, rooms: Room[] | undefined): ReadonlyMap<string, number> {
  const [counts, set] = useState<ReadonlyMap<string, number>>(new Map());
  const latest = useRef(rooms);
  latest.current = rooms;
  const isThere = rooms !== undefined;
  useEffect(() => {
    let gone = false;
    let timer: ReturnType<typeof setTimeout>;
    const look = async () => {
      for (const room of (latest.current ?? []).slice(0, counted)) {
        if (gone || document.visibilityState !== "visible") break;
        if (room.filter === null) continue;
        try {
          const { count } = await ambit.connection.request<{ count: number }>({ controller: "document", action: "count", index: room.index, collection: room.collection, body: { query: room.filter } });
          if (!gone) set((known) => new Map(known).set(keyOf(room), count));
        } catch {
          continue; // of filters about changes, nothing is in scope
        }
      }
      if (!gone) timer = setTimeout(() => void look(), 5000);
    };
    if (isThere) void look();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [ambit, isThere, rooms?.length]);
  return counts;
}
