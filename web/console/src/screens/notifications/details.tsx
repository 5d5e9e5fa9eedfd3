import type { Ambit, Filter } from "@ambit/client";
import { useState } from "preact/hooks";

import { Link, hrefTo } from "../../router.js";
import { Explain } from "../../ui/explain.js";
import { Fault, Field, Icon, Json, Time } from "../../ui/index.js";
import type { Entry } from "./log.js";

/** One message: what it says, and why a filter holds for its document. */
export function Details({ ambit, entry, onClose }: { ambit: Ambit; entry: Entry; onClose: () => void }) {
  const value = parsed(entry.text);
  const n = entry.notification;
  const id = n?.type === "document" ? n.result._id : undefined;
  return (
    <section class="note-details" aria-label={`Message ${entry.n}`}>
      <header class="details-head">
        <h2 class="grow mono">{id ?? entry.topic}</h2>
        <button type="button" class="btn quiet icon-only" aria-label="Close" onClick={onClose}>
          <Icon name="close" size={16} />
        </button>
      </header>
      <dl class="facts">
        <dt>Topic</dt>
        <dd class="mono">{entry.topic}</dd>
        <dt>Came</dt>
        <dd>
          <Time at={entry.at} millis />
        </dd>
        <dt>Length</dt>
        <dd class="num">{entry.bytes.toLocaleString()} bytes</dd>
      </dl>
      {entry.bytes === 0 ? <p class="muted">It is empty.</p> : value === undefined ? <pre class="json">{entry.text}</pre> : <Json value={value} label="Payload" />}
      {n?.type === "document" && id !== undefined && (
        <div class="row">
          <Link class="btn" href={hrefTo("documents", n.index, n.collection, { id })}>
            <Icon name="documents" size={16} /> Open the document
          </Link>
        </div>
      )}
      <ExplainEntry key={entry.n} ambit={ambit} entry={entry} value={value} />
    </section>
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a message may be anything
  }
}

interface Subject {
  index: string;
  collection: string;
  document: object;
  filter: string;
}

/** What there is to explain: the document of a notification, or a message that could be one. */
function subjectOf(entry: Entry, value: unknown): Subject | undefined {
  const n = entry.notification;
  const [index = "", collection = "", id, ...more] = entry.topic.split("/");
  const filter = /^[^/]+\/[^/]+\/\?(\{.*\})/s.exec(entry.by)?.[1] ?? "{}";
  if (n?.type === "document") return { index: n.index, collection: n.collection, document: { ...(n.result._id !== undefined && { _id: n.result._id }), ...n.result._source }, filter };
  if (n || typeof value !== "object" || value === null || Array.isArray(value) || index.startsWith("$") || more.length > 0 || id === undefined) return undefined;
  return { index, collection, document: { _id: id, ...value }, filter };
}

function ExplainEntry({ ambit, entry, value }: { ambit: Ambit; entry: Entry; value: unknown }) {
  const subject = subjectOf(entry, value);
  const [text, setText] = useState(subject?.filter ?? "{}");
  const [asked, setAsked] = useState<Filter>();
  const [error, setError] = useState<string>();
  if (!subject) return null;
  const ask = (e: SubmitEvent) => {
    e.preventDefault();
    try {
      setAsked(JSON.parse(text) as Filter);
      setError(undefined);
    } catch (e) {
      setError((e as Error).message);
    }
  };
  return (
    <form class="explain-form" onSubmit={ask}>
      <Field label="Explain by the filter">
        <textarea class="mono" rows={3} value={text} spellcheck={false} onInput={(e) => setText(e.currentTarget.value)} />
      </Field>
      <div class="row">
        <button class="btn">Explain</button>
      </div>
      <Fault error={error} />
      {asked && <Explain ambit={ambit} index={subject.index} collection={subject.collection} filter={asked} document={subject.document} />}
    </form>
  );
}
