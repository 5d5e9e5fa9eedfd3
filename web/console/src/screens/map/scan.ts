// Reads a position out of the text of a document, without making objects of the rest: a map does so up to 100,000 times a
// second. What is written in an unusual way is left to JSON.parse.
import { type Point, readPoint, valueAt } from "./position.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const comma = 0x2c;
const open = 0x7b;
const close = 0x7d;

const latKey = encoder.encode("lat");
const lonKey = encoder.encode("lon");

/** Reads the position at a path of documents. A document is JSON as the broker has it: it was checked, and names are unique. */
export class Scanner {
  readonly #keys: Uint8Array[];
  #bytes: Uint8Array = new Uint8Array();
  #end = 0;
  #at = 0;
  readonly #point: Point = { lat: NaN, lon: NaN };

  constructor(private readonly path: string[]) {
    this.#keys = path.map((name) => encoder.encode(name));
  }

  /** Returns the position in the document from one place to another, or undefined. What it returns changes with the next call. */
  read(bytes: Uint8Array, from: number, end: number): Point | undefined {
    this.#bytes = bytes;
    this.#end = end;
    this.#at = from;
    for (const key of this.#keys) {
      const found = this.#enter(key);
      if (found === undefined) return readPoint(valueAt(parsed(bytes, from, end), this.path));
      if (!found) return undefined;
    }
    this.#space();
    const value = this.#at;
    if (this.#latLon()) return this.#point;
    this.#at = value;
    this.#skip();
    return readPoint(parsed(bytes, value, this.#at));
  }

  /**
   * Goes into the object that is here, to the value of a name, and returns whether it has one. Undefined is an object with a
   * name that has escapes.
   */
  #enter(key: Uint8Array): boolean | undefined {
    this.#space();
    if (this.#bytes[this.#at] !== open) return false;
    this.#at++;
    while (this.#next()) {
      const begin = this.#at + 1;
      this.#string();
      const is = this.#equals(key, begin, this.#at - 1);
      if (is === undefined) return undefined;
      this.#colon();
      if (is) return true;
      this.#skip();
    }
    return false;
  }

  /** Reads an object with a lat and a lon that are plain numbers. */
  #latLon(): boolean {
    if (this.#bytes[this.#at] !== open) return false;
    this.#at++;
    let [lat, lon] = [NaN, NaN];
    while (this.#next()) {
      const begin = this.#at + 1;
      this.#string();
      const isLat = this.#equals(latKey, begin, this.#at - 1);
      const isLon = this.#equals(lonKey, begin, this.#at - 1);
      if (isLat === undefined) return false;
      this.#colon();
      if (isLat) lat = this.#number();
      else if (isLon) lon = this.#number();
      else this.#skip();
    }
    if (!(Math.abs(lat) <= 90 && Math.abs(lon) <= 180)) return false;
    this.#point.lat = lat;
    this.#point.lon = lon;
    return true;
  }

  /** Goes to the next name of an object, and says whether there is one. */
  #next(): boolean {
    this.#space();
    if (this.#bytes[this.#at] === comma) {
      this.#at++;
      this.#space();
    }
    return this.#at < this.#end && this.#bytes[this.#at] === quote;
  }

  #colon(): void {
    this.#space();
    if (this.#bytes[this.#at] === colon) this.#at++;
    this.#space();
  }

  #space(): void {
    while (this.#at < this.#end && this.#bytes[this.#at]! <= 0x20) this.#at++;
  }

  /** Goes behind the string that is here. */
  #string(): void {
    for (this.#at++; this.#at < this.#end && this.#bytes[this.#at] !== quote; this.#at++) if (this.#bytes[this.#at] === backslash) this.#at++;
    this.#at++;
  }

  /** Goes behind the value that is here. */
  #skip(): void {
    let depth = 0;
    do {
      const c = this.#bytes[this.#at]!;
      if (c === quote) this.#string();
      else if (c === open || c === 0x5b) depth++, this.#at++;
      else if (c === close || c === 0x5d) depth--, this.#at++;
      else if (depth > 0) this.#at++;
      else while (this.#at < this.#end && !isEndOfPlain(this.#bytes[this.#at]!)) this.#at++;
    } while (depth > 0 && this.#at < this.#end);
  }

  /** Whether a name is this one; undefined is one with escapes. */
  #equals(key: Uint8Array, begin: number, end: number): boolean | undefined {
    const bytes = this.#bytes;
    let same = end - begin === key.length;
    for (let i = begin; i < end; i++) {
      if (bytes[i] === backslash) return undefined;
      if (same && bytes[i] !== key[i - begin]) same = false;
    }
    return same;
  }

  /**
   * Reads a number, exactly as JSON.parse does: up to 15 digits, divided by a power of ten, are rounded once. NaN is what is
   * no number, or has an exponent or more digits.
   */
  #number(): number {
    const bytes = this.#bytes;
    let i = this.#at;
    const negative = bytes[i] === 0x2d;
    if (negative) i++;
    const first = i;
    let digits = 0;
    let point = -1;
    for (; i < this.#end; i++) {
      const c = bytes[i]!;
      if (c >= 0x30 && c <= 0x39) digits = digits * 10 + (c - 0x30);
      else if (c === 0x2e && point < 0) point = i;
      else break;
    }
    const length = i - first - (point < 0 ? 0 : 1);
    const isPlain = length > 0 && length <= 15 && (i >= this.#end || isEndOfPlain(bytes[i]!));
    if (!isPlain) {
      this.#skip();
      return NaN;
    }
    this.#at = i;
    const value = point < 0 ? digits : digits / powers[i - point - 1]!;
    return negative ? -value : value;
  }
}

const powers = Array.from({ length: 16 }, (_, i) => 10 ** i);

const isEndOfPlain = (c: number) => c === comma || c === close || c === 0x5d || c <= 0x20;

export function parsed(bytes: Uint8Array, from = 0, end = bytes.length): unknown {
  try {
    return JSON.parse(decoder.decode(bytes.subarray(from, end)));
  } catch {
    return undefined; // what a scope tells is a document
  }
}
