/** A JSON object. */
export type Source = Record<string, unknown>;

/** A filter in the Koncorde language: see FILTERS.md. */
export type Filter = Record<string, unknown>;

/** What Ambit adds to every document. Times are in milliseconds. */
export interface Metadata {
  author: string;
  createdAt: number;
  updatedAt: number | null;
  updater: string | null;
}

/** A document as the API gives it. */
export interface Document<T extends object = Source> {
  _id: string;
  _source: T & { _kuzzle_info?: Metadata };
  _version: number;
}

export type Sort = string | Record<string, "asc" | "desc" | { order: "asc" | "desc" }>;

/** What a search looks for, and in which order: by default everything, by id. */
export interface Search {
  query?: Filter;
  sort?: Sort | Sort[];
}

export type Transition = "enter" | "stay" | "exit";

interface Told {
  index: string;
  collection: string;
  room: string;
  node: string;
  requestId: string | null;
  timestamp: number;
  volatile: Source | null;
  protocol: string | null;
}

/** What became of a document, or a message that is stored nowhere (action "publish", without id, transition and seq). */
export interface DocumentNotification<T extends object = Source> extends Told {
  type: "document";
  status: number;
  controller: "document" | "realtime";
  action: "create" | "replace" | "update" | "delete" | "publish";
  event: "write" | "delete" | "publish";
  scope: "in" | "out";
  result: { _id?: string; _source: T & { _kuzzle_info?: Metadata }; _version?: number; _updatedFields?: string[] };
  transition?: Transition;
  seq?: number;
}

/** A client, and what it says of itself. */
export interface Member {
  clientId: string;
  user: string | null;
  /** In milliseconds. */
  since: number;
  metadata: Source | null;
}

/** Somebody has come to the room, has left it, or says something else of itself. */
export interface UserNotification extends Omit<Told, "requestId"> {
  type: "user";
  user: "in" | "out" | "update";
  result: { count: number };
  member: Member;
  /** Why a member has left. */
  why?: string;
}

/** The changes after `from` and up to `to` cannot be told: the documents in scope follow, each as an enter. */
export interface GapNotification {
  type: "gap";
  from: number;
  to: number;
  index: string;
  collection: string;
  room: string;
}

export type Notification<T extends object = Source> = DocumentNotification<T> | UserNotification | GapNotification;
