import type { Connection } from "./connection.js";
import { Emitter } from "./emitter.js";
import { type AmbitError, isLost, isOffline } from "./error.js";
import type { Listener } from "./feed.js";
import { Order, type Position } from "./order.js";
import type { Channel } from "./realtime.js";
import type { Document, DocumentNotification, Filter, GapNotification, Notification, Search, Source } from "./types.js";

/** The members of a document that are new or have another value; those that are gone are undefined. */
export type Changes<T extends object = Source> = Partial<T>;

export interface ObservedEvents<T extends object = Source> {
  /** A document has come, or has changed. */
  change: [id: string, changes: Changes<T>];
  /** A document was deleted, or does not belong here any more. */
  delete: [id: string];
  /** What happened between two changes cannot be told; what is there now follows as changes and deletions. */
  gap: [from: number, to: number];
  /** It is not kept in sync any more. */
  error: [AmbitError];
  /** Something of the above, or a page, has come: for those who show all of it. */
  update: [];
}

interface Known {
  at: Position;
  /** The change as of which the document was read, rather than told. */
  read: number;
}

interface Page<T extends object> {
  hits: Document<T>[];
  total?: number;
  cursor?: string;
  seq: number;
  partial: boolean;
}

/** Of a page that is read again. */
const maxSize = 1000;

/** Documents that are kept in sync: those that match a filter, in an order. */
export abstract class Observed<T extends object = Source> extends Emitter<ObservedEvents<T>> {
  /** Why it is not kept in sync any more. */
  error: AmbitError | undefined;
  /** Counts the updates. */
  revision = 0;

  protected readonly documents: Document<T>[] = [];
  protected matching = 0;
  protected cursor: string | undefined;

  readonly #known = new Map<string, Known>();
  readonly #order: Order;
  #leave: (() => Promise<void>) | undefined;
  #started: Promise<void> | undefined;
  /** Tells one start from the next. */
  #life = 0;
  /** What was told while documents are read: it counts behind these. */
  #held: Notification<T>[] | undefined;
  #work: Promise<unknown> = Promise.resolve();
  /** The change as of which the first page was read. */
  #seq = 0;
  /** Where the first page ended, if it was not the last. */
  #first: Position | undefined;
  /** Where the pages that were read end, if there are more. */
  #end: Position | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly index: string,
    private readonly collection: string,
    private readonly search: Search,
    private readonly size: number,
    /** Whether to read all pages: an answer has only so many bytes. */
    private readonly whole = false,
  ) {
    super();
    this.#order = new Order(search.sort);
  }

  /** Reads the documents, and keeps them in sync until stop. */
  start(): Promise<void> {
    this.#started ??= this.#start(++this.#life);
    return this.#started;
  }

  /** Leaves the documents as they are. */
  async stop(): Promise<void> {
    this.#life++;
    this.#started = undefined;
    this.#held = undefined;
    const leave = this.#leave;
    this.#leave = undefined;
    await leave?.();
  }

  protected async more(): Promise<boolean> {
    const life = this.#life;
    return this.#serially(life, async () => {
      if (life !== this.#life || this.cursor === undefined) return false;
      this.#held ??= [];
      let n = 0;
      do {
        const page: Page<T> = await this.#read(this.size, this.cursor, life);
        if (life !== this.#life) return false;
        for (const doc of page.hits) this.#put(doc, page.seq);
        this.#bound(page);
        n += page.hits.length;
        if (!this.#isCutShort(page)) break;
      } while (this.cursor !== undefined);
      this.#release(life);
      return n > 0;
    });
  }

  async #start(life: number): Promise<void> {
    this.error = undefined;
    this.#held = [];
    try {
      const room = await this.#retried(life, () =>
        this.connection.request<Channel>({
          controller: "realtime",
          action: "subscribe",
          index: this.index,
          collection: this.collection,
          body: this.search.query ?? {},
          seq: true,
        }),
      );
      const listener: Listener = {
        notify: (n) => life === this.#life && this.#told(n, life),
        fail: (e) => life === this.#life && this.#fail(e),
      };
      const leave = await this.#retried(life, () => this.connection.listen(room.channel, room.seq, listener));
      if (life !== this.#life) {
        await leave();
        return;
      }
      this.#leave = leave;
      await this.#serially(life, () => this.#sync(life));
    } catch (e) {
      if (life !== this.#life) return;
      this.error = e as AmbitError;
      await this.stop();
      this.#updated();
      throw e;
    }
  }

  /** Has one piece of work done after the other. */
  #serially<R>(life: number, work: () => Promise<R>): Promise<R> {
    const next = this.#work.then(work);
    this.#work = next.catch(() => life === this.#life && this.#release(life));
    return next;
  }

  /** Reads again what is there, and tells how it differs from what was known. */
  async #sync(life: number): Promise<void> {
    if (life !== this.#life) return;
    this.#held ??= []; // next may have released what was held for this
    const wanted = this.documents.length;
    const size = Math.max(this.size, Math.min(wanted, maxSize));
    let page = await this.#read(size, undefined, life);
    const pages = [page];
    for (let n = page.hits.length; page.cursor !== undefined && (this.whole || n < wanted || this.#isCutShort(page)); n += page.hits.length) {
      page = await this.#read(size, page.cursor, life);
      pages.push(page);
    }
    if (life !== this.#life) return;
    const gone = new Set(this.documents.map((doc) => doc._id));
    this.matching = pages[0]!.total ?? 0;
    this.#seq = pages[0]!.seq;
    this.#first = pages[0]!.cursor === undefined ? undefined : this.#lastOf(pages[0]!);
    for (const page of pages) {
      for (const doc of page.hits) {
        gone.delete(doc._id);
        this.#put(doc, page.seq);
      }
    }
    for (const id of gone) this.#remove(id);
    this.#bound(pages.at(-1)!);
    this.#release(life);
  }

  /** By id, a search ends early when it has looked at enough: what it has not found yet may be anywhere. */
  #isCutShort(page: Page<T>): boolean {
    return this.#order.byId && page.partial;
  }

  #bound(page: Page<T>): void {
    this.cursor = page.cursor;
    this.#end = page.cursor === undefined ? undefined : (this.#lastOf(page) ?? this.#end);
  }

  #lastOf(page: Page<T>): Position | undefined {
    const last = page.hits.at(-1);
    return last && this.#order.position(last._id, last._source as Source);
  }

  #read(size: number, cursor: string | undefined, life: number): Promise<Page<T>> {
    return this.#retried(life, () =>
      this.connection.request<Page<T>>({
        controller: "document",
        action: "search",
        index: this.index,
        collection: this.collection,
        body: { query: this.search.query ?? {}, ...(this.search.sort && { sort: this.search.sort }) },
        size,
        seq: true,
        ...(cursor !== undefined && { cursor }),
      }),
    );
  }

  /** Asks again when the connection was lost meanwhile, however long it takes. */
  async #retried<R>(life: number, ask: () => Promise<R>): Promise<R> {
    for (;;) {
      try {
        return await ask();
      } catch (e) {
        if (!(isLost(e) || isOffline(e)) || life !== this.#life) throw e;
      }
    }
  }

  #told(n: Notification<T>, life: number): void {
    if (this.#held) this.#held.push(n);
    else this.#apply(n, life);
  }

  /** Applies what was told meanwhile, up to a gap that is to be read again. */
  #release(life: number): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const n of held) this.#told(n, life);
    this.#updated();
  }

  #apply(n: Notification<T>, life: number): void {
    if (n.type === "gap") this.#bridge(n, life);
    if (n.type !== "document" || n.seq === undefined || n.result._id === undefined) return;
    if (n.seq > this.#seq) this.matching += n.transition === "enter" ? 1 : n.transition === "exit" ? -1 : 0;
    if (n.seq >= (this.#known.get(n.result._id)?.read ?? this.#seq)) {
      const before = this.#known.size;
      if (n.transition === "exit") this.#remove(n.result._id);
      else this.#place(n);
      if (n.seq === this.#seq && !this.#isCounted(n.result._id)) this.matching += this.#known.size - before;
    }
    this.#updated();
  }

  /**
   * Whether a document that is there was behind the first page: as of that it was counted, though it may be new here.
   * Of others, those that come as of the same change come by a change of rights.
   */
  #isCounted(id: string): boolean {
    const known = this.#known.get(id);
    return known !== undefined && this.#first !== undefined && this.#order.compare(known.at, this.#first) > 0;
  }

  #place(n: DocumentNotification<T>): void {
    const { _id, _source, _version } = n.result as Document<T>;
    const at = this.#order.position(_id, _source as Source);
    if (this.#end && this.#order.compare(at, this.#end) > 0) this.#remove(_id); // it is on a page that was not read
    else this.#put({ _id, _source, _version });
  }

  #bridge(n: GapNotification, life: number): void {
    if (n.to <= this.#seq) return; // what is there was read behind it
    this.emit("gap", n.from, n.to);
    this.#held = [];
    this.#serially(life, () => this.#sync(life)).catch((e: AmbitError) => life === this.#life && this.#fail(e));
  }

  #fail(e: AmbitError): void {
    this.error = e;
    void this.stop();
    this.emit("error", e);
    this.#updated();
  }

  #updated(): void {
    this.revision++;
    this.emit("update");
  }

  /** Puts a document where it belongs. read says as of which change it was read, if it was. */
  #put(doc: Document<T>, read?: number): void {
    const known = this.#known.get(doc._id);
    const at = this.#order.position(doc._id, doc._source as Source);
    let was: Document<T> | undefined;
    if (known) {
      const i = this.#find(known.at);
      was = this.documents[i]!;
      if (this.#order.compare(known.at, at) === 0) this.documents[i] = doc;
      else {
        this.documents.splice(i, 1);
        this.documents.splice(this.#find(at), 0, doc);
      }
    } else this.documents.splice(this.#find(at), 0, doc);
    this.#known.set(doc._id, { at, read: read ?? known?.read ?? this.#seq });
    const changes = difference<T>(was?._source, doc._source);
    if (!was || Object.keys(changes).length > 0) this.emit("change", doc._id, changes);
  }

  #remove(id: string): void {
    const known = this.#known.get(id);
    if (!known) return;
    this.documents.splice(this.#find(known.at), 1);
    this.#known.delete(id);
    this.emit("delete", id);
  }

  /** The place of a position among the documents. */
  #find(at: Position): number {
    let low = 0;
    let high = this.documents.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#order.compare(this.#known.get(this.documents[middle]!._id)!.at, at) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function difference<T extends object>(before: object | undefined, after: object): Changes<T> {
  const changes: Source = {};
  const was = (before ?? {}) as Source;
  const is = after as Source;
  for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) {
    if (name !== "_kuzzle_info" && JSON.stringify(was[name]) !== JSON.stringify(is[name])) changes[name] = is[name];
  }
  return changes as Changes<T>;
}

/** One document. */
export class ObservedDocument<T extends object = Source> extends Observed<T> {
  constructor(connection: Connection, index: string, collection: string, readonly _id: string) {
    super(connection, index, collection, { query: withIds([_id]) }, 1);
  }

  /** Undefined if there is no such document. */
  get _source(): Document<T>["_source"] | undefined {
    return this.documents[0]?._source;
  }

  get _version(): number | undefined {
    return this.documents[0]?._version;
  }
}

/** Some documents, those that are there, by id. */
export class ObservedDocuments<T extends object = Source> extends Observed<T> {
  constructor(connection: Connection, index: string, collection: string, readonly ids: readonly string[]) {
    super(connection, index, collection, { query: withIds(ids) }, maxSize, true);
  }

  get hits(): readonly Document<T>[] {
    return this.documents;
  }
}

/**
 * What a search finds, page by page. Documents that come to match are added where they belong in the pages that were
 * read; others come with next.
 */
export class ObservedSearch<T extends object = Source> extends Observed<T> {
  constructor(connection: Connection, index: string, collection: string, search: Search, options: { size?: number } = {}) {
    super(connection, index, collection, search, options.size ?? 10);
  }

  get hits(): readonly Document<T>[] {
    return this.documents;
  }

  /** How many match. */
  get total(): number {
    return this.matching;
  }

  /** Whether next has something to read. */
  get hasNext(): boolean {
    return this.cursor !== undefined;
  }

  /** Adds the next page to the hits, and says whether there was one. */
  next(): Promise<boolean> {
    return this.more();
  }
}

const withIds = (values: readonly string[]): Filter => ({ ids: { values } });

/** Objects that keep themselves in sync, once they are started. */
export class ObserveController {
  constructor(private readonly connection: Connection) {}

  get<T extends object = Source>(index: string, collection: string, id: string): ObservedDocument<T> {
    return new ObservedDocument<T>(this.connection, index, collection, id);
  }

  mGet<T extends object = Source>(index: string, collection: string, ids: readonly string[]): ObservedDocuments<T> {
    return new ObservedDocuments<T>(this.connection, index, collection, ids);
  }

  search<T extends object = Source>(index: string, collection: string, search: Search = {}, options: { size?: number } = {}): ObservedSearch<T> {
    return new ObservedSearch<T>(this.connection, index, collection, search, options);
  }
}
