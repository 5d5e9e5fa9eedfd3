import type { Connection } from "./connection.js";
import type { Document, Filter, Search, Source } from "./types.js";

/** What every write may have. */
export interface WriteOptions {
  /** An object that goes into notifications. */
  volatile?: Source;
}

export interface SourceOption {
  /** Whether the answer has the whole document. */
  source?: boolean;
}

export interface StrictOption {
  /** Makes it an error if one document is at fault; the others are written all the same. */
  strict?: boolean;
}

export interface PageOptions {
  /** Of a page; 10 by default. */
  size?: number;
  from?: number;
  cursor?: string;
  /** Whether the page says up to which change it is. */
  seq?: boolean;
}

/** Documents of a search, which are what was there at that moment. */
export interface Page<T extends object = Source> {
  hits: Document<T>[];
  total?: number;
  /** Asks for the next page, if there is one. */
  cursor?: string;
  scanned: number;
  /** Whether there are documents at which it has not looked. */
  partial: boolean;
  /** Of the last change that the page knows: a room with that as since tells what comes after it. */
  seq?: number;
}

export interface Counted {
  count: number;
  scanned: number;
  partial: boolean;
}

export interface Written<T extends object = Source> extends Document<T> {
  created?: boolean;
  status?: number;
}

export interface Failure {
  _id?: string;
  document?: unknown;
  reason: string;
  status: number;
}

export interface Many<S, E = Failure> {
  successes: S[];
  errors: E[];
}

/** Every action of the controller document: see API.md. */
export class DocumentController {
  constructor(private readonly connection: Connection) {}

  #ask<R>(action: string, index: string, collection: string, args: object): Promise<R> {
    return this.connection.request<R>({ controller: "document", action, index, collection, ...args });
  }

  /** Makes a document, which must not be there. Without an id it gets one. */
  create<T extends object = Source>(index: string, collection: string, body: T, _id?: string, options: WriteOptions = {}): Promise<Document<T>> {
    return this.#ask("create", index, collection, { body, _id, ...options });
  }

  createOrReplace<T extends object = Source>(index: string, collection: string, _id: string, body: T, options: WriteOptions = {}): Promise<Written<T>> {
    return this.#ask("createOrReplace", index, collection, { _id, body, ...options });
  }

  /** Replaces a document, which must be there. */
  replace<T extends object = Source>(index: string, collection: string, _id: string, body: T, options: WriteOptions = {}): Promise<Document<T>> {
    return this.#ask("replace", index, collection, { _id, body, ...options });
  }

  /** Changes members of a document, however deep. */
  update<T extends object = Source>(index: string, collection: string, _id: string, body: object, options: WriteOptions & SourceOption = {}): Promise<Document<T>> {
    return this.#ask("update", index, collection, { _id, body, ...options });
  }

  /** Updates a document, or makes it out of what is to be changed and the default. */
  upsert<T extends object = Source>(
    index: string,
    collection: string,
    _id: string,
    changes: object,
    options: WriteOptions & SourceOption & { default?: object } = {},
  ): Promise<Written<T>> {
    const { default: initial, ...rest } = options;
    return this.#ask("upsert", index, collection, { _id, body: { changes, default: initial }, ...rest });
  }

  /** Removes fields, named by their paths, from a document. */
  deleteFields<T extends object = Source>(index: string, collection: string, _id: string, fields: string[], options: WriteOptions & SourceOption = {}): Promise<Document<T>> {
    return this.#ask("deleteFields", index, collection, { _id, body: { fields }, ...options });
  }

  get<T extends object = Source>(index: string, collection: string, _id: string): Promise<Document<T>> {
    return this.#ask("get", index, collection, { _id });
  }

  exists(index: string, collection: string, _id: string): Promise<boolean> {
    return this.#ask("exists", index, collection, { _id });
  }

  delete<T extends object = Source>(index: string, collection: string, _id: string, options: WriteOptions & SourceOption = {}): Promise<{ _id: string } & Partial<Document<T>>> {
    return this.#ask("delete", index, collection, { _id, ...options });
  }

  mGet<T extends object = Source>(index: string, collection: string, ids: string[], options: StrictOption = {}): Promise<Many<Document<T>, string>> {
    return this.#ask("mGet", index, collection, { body: { ids }, ...options });
  }

  mExists(index: string, collection: string, ids: string[], options: StrictOption = {}): Promise<Many<string, string>> {
    return this.#ask("mExists", index, collection, { body: { ids }, ...options });
  }

  mDelete(index: string, collection: string, ids: string[], options: WriteOptions & StrictOption = {}): Promise<Many<string>> {
    return this.#ask("mDelete", index, collection, { body: { ids }, ...options });
  }

  mCreate<T extends object = Source>(index: string, collection: string, documents: { _id?: string; body: T }[], options: WriteOptions & StrictOption = {}): Promise<Many<Written<T>>> {
    return this.#ask("mCreate", index, collection, { body: { documents }, ...options });
  }

  mCreateOrReplace<T extends object = Source>(index: string, collection: string, documents: { _id: string; body: T }[], options: WriteOptions & StrictOption = {}): Promise<Many<Written<T>>> {
    return this.#ask("mCreateOrReplace", index, collection, { body: { documents }, ...options });
  }

  mReplace<T extends object = Source>(index: string, collection: string, documents: { _id: string; body: T }[], options: WriteOptions & StrictOption = {}): Promise<Many<Written<T>>> {
    return this.#ask("mReplace", index, collection, { body: { documents }, ...options });
  }

  mUpdate<T extends object = Source>(index: string, collection: string, documents: { _id: string; body: object }[], options: WriteOptions & StrictOption & SourceOption = {}): Promise<Many<Written<T>>> {
    return this.#ask("mUpdate", index, collection, { body: { documents }, ...options });
  }

  mUpsert<T extends object = Source>(
    index: string,
    collection: string,
    documents: { _id: string; changes: object; default?: object }[],
    options: WriteOptions & StrictOption & SourceOption = {},
  ): Promise<Many<Written<T>>> {
    return this.#ask("mUpsert", index, collection, { body: { documents }, ...options });
  }

  /** One page of what a search finds. The same search with its cursor finds the next one. */
  search<T extends object = Source>(index: string, collection: string, search: Search = {}, options: PageOptions = {}): Promise<Page<T>> {
    return this.#ask("search", index, collection, { body: search, ...options });
  }

  count(index: string, collection: string, query: Filter = {}): Promise<Counted> {
    return this.#ask("count", index, collection, { body: { query } });
  }

  updateByQuery<T extends object = Source>(
    index: string,
    collection: string,
    query: Filter,
    changes: object,
    options: WriteOptions & SourceOption = {},
  ): Promise<Many<Written<T>> & { scanned: number; partial: boolean }> {
    return this.#ask("updateByQuery", index, collection, { body: { query, changes }, ...options });
  }

  deleteByQuery<T extends object = Source>(
    index: string,
    collection: string,
    query: Filter,
    options: WriteOptions & SourceOption = {},
  ): Promise<{ ids: string[]; documents: Partial<Document<T>>[]; scanned: number; partial: boolean }> {
    return this.#ask("deleteByQuery", index, collection, { body: { query }, ...options });
  }

  /** Says whether a document could be stored. */
  validate(index: string, collection: string, body: unknown): Promise<{ valid: boolean; errorMessages?: string[] }> {
    return this.#ask("validate", index, collection, { body });
  }
}
