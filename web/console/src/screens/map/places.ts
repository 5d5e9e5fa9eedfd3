// What the map knows of documents: where each one is, by a slot that stands for it. Of a document nothing else is kept,
// and what comes is read at once where it lies: nothing waits, and nothing is to be collected.
import type { Frame } from "./messages.js";
import { mercatorX, mercatorY, pointFields } from "./position.js";
import { Scanner, parsed } from "./scan.js";

const samples = 200; // of documents in which fields are looked for

export class Places {
  messages = 0; // since the last frame
  synced = false;

  readonly #slots = new Map<string, number>();
  readonly #ids: (string | undefined)[] = [];
  readonly #free: number[] = [];
  #x = new Float64Array(1024);
  #y = new Float64Array(1024);
  /** Which slots the next frame tells of, and for each whether it is among them. */
  #changed = new Uint32Array(1024);
  #changes = 0;
  #isChanged = new Uint8Array(1024);
  readonly #gone = new Set<number>();
  readonly #named = new Set<number>();
  /** In which round each was told: a snapshot begins one, and what it did not tell is not there any more. */
  #told = new Uint32Array(1024);
  #round = 1;

  readonly #candidates = new Map<string, number>();
  #sampled = 0;
  #early = new Map<number, Uint8Array>(); // documents that came before the field was known
  field: string | undefined;
  #scanner: Scanner | undefined;

  #watched = -1;
  #source: Uint8Array | undefined;
  #watchedChanged = false;

  /** Whether there is something to tell since the last frame. */
  isChanged = false;

  idOf(slot: number): string | undefined {
    return this.#ids[slot];
  }

  /** Everything is going to be told again. */
  again(): void {
    this.synced = false;
    this.#round++;
  }

  /** Reads another field of what is told from now on. */
  setField(field: string): void {
    this.field = field;
    this.#scanner = new Scanner(field.split("."));
    for (const [slot, source] of this.#early) this.#read(slot, source, 0, source.length);
    this.#early.clear();
  }

  /** Tells from now on what the document of a slot is, when that is told. */
  watch(slot: number): void {
    this.#watched = slot;
    this.#source = undefined;
    this.#watchedChanged = false;
  }

  /** Takes a document that is in scope: its text, which is others' after the call. */
  put(id: string, bytes: Uint8Array, from: number, end: number): void {
    this.messages++;
    this.isChanged = true;
    let slot = this.#slots.get(id);
    if (slot === undefined) {
      slot = this.#free.pop() ?? this.#ids.length;
      this.#grow(slot);
      this.#ids[slot] = id;
      this.#slots.set(id, slot);
      this.#named.add(slot);
      this.#x[slot] = NaN;
    }
    this.#told[slot] = this.#round;
    if (slot === this.#watched) {
      this.#source = bytes.slice(from, end);
      this.#watchedChanged = true;
    }
    if (this.#sampled < samples) this.#sample(parsed(bytes, from, end));
    if (this.#scanner) this.#read(slot, bytes, from, end);
    else if (this.#early.size < samples || this.#early.has(slot)) this.#early.set(slot, bytes.slice(from, end));
  }

  #read(slot: number, bytes: Uint8Array, from: number, end: number): void {
    const at = this.#scanner!.read(bytes, from, end);
    this.#x[slot] = at ? mercatorX(at.lon) : NaN;
    this.#y[slot] = at ? mercatorY(at.lat) : NaN;
    this.#change(slot);
  }

  #change(slot: number): void {
    if (this.#isChanged[slot]) return;
    this.#isChanged[slot] = 1;
    this.#changed[this.#changes++] = slot;
  }

  /** Takes that a document is not in scope. */
  remove(id: string): void {
    this.messages++;
    const slot = this.#slots.get(id);
    if (slot !== undefined) this.#forget(id, slot);
  }

  #forget(id: string, slot: number): void {
    this.isChanged = true;
    this.#slots.delete(id);
    this.#ids[slot] = undefined;
    this.#early.delete(slot);
    this.#named.delete(slot);
    this.#gone.add(slot);
    if (slot === this.#watched) [this.#source, this.#watchedChanged] = [undefined, true];
  }

  /** Takes that everything was told. */
  sync(): void {
    if (this.synced) return;
    for (const [id, slot] of [...this.#slots]) if (this.#told[slot] !== this.#round) this.#forget(id, slot);
    this.synced = this.isChanged = true;
  }

  #sample(document: unknown): void {
    this.#sampled++;
    for (const name of pointFields(document)) this.#candidates.set(name, (this.#candidates.get(name) ?? 0) + 1);
  }

  #grow(slot: number): void {
    if (slot < this.#x.length) return;
    const size = 2 * slot;
    this.#x = longer(this.#x, new Float64Array(size));
    this.#y = longer(this.#y, new Float64Array(size));
    this.#changed = longer(this.#changed, new Uint32Array(size));
    this.#told = longer(this.#told, new Uint32Array(size));
    this.#isChanged = longer(this.#isChanged, new Uint8Array(size));
  }

  /** Returns what has changed since the last frame, in an array that the page has given back, if it is long enough. */
  frame(spare: Float64Array<ArrayBuffer> | undefined): Frame {
    const fields = [...this.#candidates].sort((a, b) => b[1] - a[1]).map(([name]) => name);
    if (this.field === undefined && fields[0] !== undefined) this.setField(fields[0]);
    const places = spare && spare.length >= 3 * this.#changes ? spare : new Float64Array(4 * this.#changes);
    let n = 0;
    for (let i = 0; i < this.#changes; i++) {
      const slot = this.#changed[i]!;
      this.#isChanged[slot] = 0;
      if (this.#ids[slot] === undefined) continue;
      places[n++] = slot;
      places[n++] = this.#x[slot]!;
      places[n++] = this.#y[slot]!;
    }
    const frame: Frame = {
      named: [...this.#named].map((slot) => ({ slot, id: this.#ids[slot]! })),
      places,
      moved: n / 3,
      gone: [...this.#gone],
      documents: this.#slots.size,
      messages: this.messages,
      synced: this.synced,
      fields,
      field: this.field,
      watched: this.#watchedChanged ? { slot: this.#watched, source: this.#source && parsed(this.#source) } : undefined,
    };
    for (const slot of this.#gone) this.#free.push(slot);
    this.#gone.clear();
    this.#named.clear();
    this.#changes = this.messages = 0;
    this.isChanged = this.#watchedChanged = false;
    return frame;
  }
}

function longer<T extends Float64Array | Uint32Array | Uint8Array>(before: T, after: T): T {
  after.set(before);
  return after;
}
