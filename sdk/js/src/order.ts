import type { Sort, Source } from "./types.js";

/** Where a document is in the order of a search: the values of the sort fields, and the id. */
export interface Position {
  values: unknown[];
  id: string;
}

interface Field {
  path: string;
  descending: boolean;
}

const keyBytes = 256; // of a string that count, as in the broker

/** The order of a search, as the broker sorts. */
export class Order {
  readonly #fields: Field[];

  constructor(sort: Sort | Sort[] = []) {
    this.#fields = [sort].flat().flatMap((part) => {
      if (typeof part === "string") return [{ path: part, descending: false }];
      return Object.entries(part).map(([path, o]) => ({ path, descending: (typeof o === "string" ? o : o.order) === "desc" }));
    });
  }

  get byId(): boolean {
    return this.#fields.length === 0;
  }

  position(id: string, source: Source): Position {
    return { id, values: this.#fields.map((f) => scalar(f.path === "_id" ? id : lookUp(source, f.path))) };
  }

  compare(a: Position, b: Position): number {
    for (const [i, f] of this.#fields.entries()) {
      const c = compareValues(a.values[i], b.values[i], f.descending);
      if (c !== 0) return c;
    }
    return compareTexts(a.id, b.id);
  }
}

/** The value of a path: the last member that can be named so, as for a filter. */
function lookUp(source: Source, path: string): unknown {
  let found: unknown;
  for (const [name, value] of Object.entries(source)) {
    if (name === path) found = value;
    else if (path.startsWith(`${name}.`) && typeof value === "object" && value !== null && !Array.isArray(value)) {
      found = lookUp(value as Source, path.slice(name.length + 1)) ?? found;
    }
  }
  return found;
}

function scalar(v: unknown): unknown {
  if (typeof v !== "string" || v.length * 3 <= keyBytes) return typeof v === "object" ? undefined : v;
  return new TextDecoder().decode(new TextEncoder().encode(v).subarray(0, keyBytes)).replace(/\ufffd$/, "");
}

// Numbers come before strings, these before booleans, and what has no value last in either direction.
const rank = (v: unknown) => ["number", "string", "boolean"].indexOf(typeof v) >>> 0;

function compareValues(a: unknown, b: unknown, descending: boolean): number {
  if (a === undefined || b === undefined || a === null || b === null) return rank(a) - rank(b);
  let c = rank(a) - rank(b);
  if (c === 0) c = typeof a === "string" ? compareTexts(a, b as string) : Number(a) - Number(b);
  return descending ? -c : c;
}

/** The order of the UTF-8 texts: surrogates stand for characters behind all others. */
export function compareTexts(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return codePointOrder(x) - codePointOrder(y);
  }
  return a.length - b.length;
}

const codePointOrder = (unit: number) => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800);
