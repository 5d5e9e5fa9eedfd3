// What the page and the worker that follows the documents tell each other.

export interface Source {
  index: string;
  collection: string;
  /** The text of the filter. */
  filter: string;
}

export type ToWorker =
  | { type: "open"; url: string; user: string | undefined; secret: string | undefined; source: Source; field: string | undefined }
  | { type: "secret"; secret: string | undefined }
  /** Which field is the position. */
  | { type: "field"; field: string }
  /** The last frame was drawn: the next one may come, in the array in which that did. */
  | { type: "next"; spare: Float64Array<ArrayBuffer> | undefined }
  /** What the document of a slot is, now and when it changes; -1 is none. */
  | { type: "watch"; slot: number };

export type FromWorker = { type: "state"; online: boolean } | { type: "refused"; why: string } | ({ type: "frame" } & Frame);

/** What has changed since the last frame. A slot stands for a document; those of gone ones are used again. */
export interface Frame {
  named: { slot: number; id: string }[];
  /** For each that has moved its slot, and x and y in Web Mercator from 0 to 1, NaN where there is no position. */
  places: Float64Array<ArrayBuffer>;
  moved: number;
  gone: number[];
  documents: number;
  /** Messages since the last frame. */
  messages: number;
  synced: boolean;
  /** The fields that are positions in some documents, the most frequent one first. */
  fields: string[];
  field: string | undefined;
  watched: { slot: number; source: unknown } | undefined;
}
