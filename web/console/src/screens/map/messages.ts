// What the page and the worker that follows the documents tell each other.

export interface Source {
  index: string;
  collection: string;
  /** The text of the filter. */
  filter: string;
}

export type ToWorker =
  | { type: "open"; url: string; user: string | undefined; secret: string | undefined }
  | { type: "secret"; secret: string | undefined }
  | { type: "follow"; source: Source }
  /** Which field is the position. */
  | { type: "field"; field: string }
  /** The last frame was drawn: the next one may come. */
  | { type: "next" }
  /** What the document of a slot is, now and when it changes; -1 is none. */
  | { type: "watch"; slot: number };

export type FromWorker =
  | { type: "state"; online: boolean }
  | { type: "refused"; why: string }
  /** What has changed since the last frame. A slot stands for a document; those of gone ones are used again. */
  | {
      type: "frame";
      named: { slot: number; id: string }[];
      slots: Uint32Array<ArrayBuffer>;
      /** x and y of each slot in Web Mercator from 0 to 1, NaN where there is no position. */
      places: Float64Array<ArrayBuffer>;
      gone: Uint32Array<ArrayBuffer>;
      documents: number;
      /** Messages since the last frame. */
      messages: number;
      synced: boolean;
      /** The fields that are positions in some documents, the most frequent one first. */
      fields: string[];
      field: string | undefined;
      watched: { slot: number; source: unknown } | undefined;
    };
