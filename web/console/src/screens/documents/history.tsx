import type { Ambit, DocumentNotification, GapNotification, Notification, Source } from "@ambit/client";
import { useEffect, useState } from "preact/hooks";

import { Fault, Json, Time } from "../../ui/index.js";

const back = 20_000; // changes of all documents that are looked at
const most = 50; // changes that are shown

interface Entry {
  seq: number;
  at: number;
  what: string;
  by: string | null;
  version: number | undefined;
  source: Source;
  changes: { name: string; before: unknown; after: unknown }[] | undefined;
}

/** The last changes of a document, as far as the broker's change log goes back. */
export function History({ ambit, index, collection, id, onRestore }: { ambit: Ambit; index: string; collection: string; id: string; onRestore: (source: Source) => void }) {
  const [entries, setEntries] = useState<Entry[]>([]);
  const [trimmed, setTrimmed] = useState(false);
  const [error, setError] = useState<Error>();
  useEffect(() => {
    let over = false;
    let frame = 0;
    let list: Entry[] = [];
    const told = (n: Notification) => {
      if (over) return;
      if (n.type === "gap") setTrimmed(isTrimmed(n));
      if (n.type === "document" && n.seq !== undefined) {
        list = [entryOf(n, list[0]), ...list].slice(0, most);
        frame ||= requestAnimationFrame(() => ((frame = 0), over || setEntries(list)));
      }
    };
    const following = follow(ambit, index, collection, id, told);
    following.catch((e: Error) => over || setError(e));
    return () => {
      over = true;
      cancelAnimationFrame(frame);
      void following.then((s) => s.unsubscribe()).catch(() => undefined); // it was told above
    };
  }, [ambit, index, collection, id]);
  return (
    <section class="section">
      <h3 class="section-title">Last changes</h3>
      <Fault error={error} />
      {entries.length === 0 && !error && <p class="muted">{trimmed ? "The change log does not go back to its last change." : "None among the last changes."}</p>}
      <ol class="history">
        {entries.map((e) => (
          <li key={e.seq}>
            <details>
              <summary>
                <Time at={e.at} /> <b>{e.what}</b>
                {e.version !== undefined && <span class="muted"> version {e.version}</span>}
                {e.by !== null && e.by !== "-1" && <span class="muted"> by {e.by}</span>}
                {e.changes && <Changes changes={e.changes} />}
              </summary>
              <Json value={e.source} label={`Version ${e.version ?? ""}`} />
              <button type="button" class="btn small" onClick={() => onRestore(e.source)}>
                Edit from this version
              </button>
            </details>
          </li>
        ))}
      </ol>
    </section>
  );
}

const isTrimmed = (n: GapNotification) => n.to > n.from;

/** Follows a document from some changes ago. */
async function follow(ambit: Ambit, index: string, collection: string, id: string, told: (n: Notification) => void) {
  const filter = { ids: { values: [id] } };
  const { seq } = await ambit.connection.request<{ seq: number }>({ controller: "realtime", action: "subscribe", index, collection, body: filter, seq: true });
  return ambit.realtime.subscribe(index, collection, filter, told, { since: Math.max(0, seq - back) });
}

function entryOf(n: DocumentNotification, last: Entry | undefined): Entry {
  const { _kuzzle_info: info, ...source } = n.result._source;
  const isGone = n.event === "delete";
  const names: Record<string, string> = { create: "created", replace: "replaced", update: "updated", delete: "deleted", publish: "published" };
  return {
    seq: n.seq!,
    at: n.timestamp,
    what: names[n.action] ?? n.action,
    by: info ? (info.updater ?? info.author) : null,
    version: n.result._version,
    source,
    changes: last && !isGone ? difference(last.source, source) : undefined,
  };
}

function difference(before: Source, after: Source): Entry["changes"] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((k) => JSON.stringify(before[k]) !== JSON.stringify(after[k])).map((name) => ({ name, before: before[name], after: after[name] }));
}

function Changes({ changes }: { changes: NonNullable<Entry["changes"]> }) {
  if (changes.length === 0) return <span class="changes muted">nothing in it is other</span>;
  return (
    <span class="changes mono">
      {changes.slice(0, 3).map(({ name, before, after }) => (
        <span key={name}>
          {name} <del>{short(before)}</del> → <ins>{short(after)}</ins>
        </span>
      ))}
      {changes.length > 3 && <span class="muted">and {changes.length - 3} more</span>}
    </span>
  );
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 30 ? `${text.slice(0, 29)}…` : text;
}
