import type { Ambit, Source } from "@ambit/client";
import { useEffect, useState } from "preact/hooks";

import { Link, hrefTo } from "../../router.js";
import { Badge, Fault, Field, Json, Time, say } from "../../ui/index.js";
import { FilterFault, placeOf } from "../../ui/filterfault.js";
import { Facts, Panel, Sure } from "../../ui/split.js";
import { History } from "./history.js";

interface Known {
  source: Source;
  version: number;
  info: { author: string; createdAt: number; updater: string | null; updatedAt: number | null } | undefined;
}

interface Props {
  ambit: Ambit;
  index: string;
  collection: string;
  /** Undefined is a new one. */
  id: string | undefined;
  onClose: () => void;
  onMade: (id: string) => void;
}

/** One document, as it is now: to read, and to change by hand. */
export function DocumentPanel(props: Props) {
  const { ambit, index, collection, id, onClose } = props;
  const { known, error } = useDocument(ambit, index, collection, id);
  const [editing, setEditing] = useState<{ text: string; version: number }>();
  const [failed, setFailed] = useState<unknown>();
  const edit = (source: Source) => setEditing({ text: JSON.stringify(source, null, 2), version: known?.version ?? 0 });
  const remove = () => ambit.document.delete(index, collection, id!).then(() => (say(`${id} is deleted`), onClose()), setFailed);
  if (id === undefined) {
    return (
      <Panel title={`${index}/${collection}`} kind="New document in" onClose={onClose}>
        <Maker {...props} />
      </Panel>
    );
  }
  const isGone = known === null;
  return (
    <Panel
      title={id}
      kind="Document"
      onClose={onClose}
      actions={
        !editing && (
          <>
            {known && (
              <button type="button" class="btn primary" onClick={() => edit(known.source)}>
                Edit
              </button>
            )}
            {known && <Sure label="Delete" question={`Delete ${id}?`} onSure={() => void remove()} />}
          </>
        )
      }
    >
      <Fault error={error ?? failed} />
      {isGone && !editing && <p>There is no such document, or it is not shown to you.</p>}
      {editing ? (
        <Editor {...props} id={id} start={editing} now={known} onDone={() => setEditing(undefined)} />
      ) : (
        known && (
          <>
            <Json value={known.source} label="Document" />
            <Facts
              rows={[
                ["Topic", <Link href={hrefTo("notifications", { topic: `${index}/${collection}/?${JSON.stringify({ ids: { values: [id] } })}` })} title="Follow it in notifications"><span class="mono">{`${index}/${collection}/${id}`}</span></Link>],
                ["Version", String(known.version)],
                ...(known.info ? ([["Created", <When at={known.info.createdAt} by={known.info.author} />]] as [string, preact.ComponentChildren][]) : []),
                ...(known.info?.updatedAt ? ([["Changed", <When at={known.info.updatedAt} by={known.info.updater} />]] as [string, preact.ComponentChildren][]) : []),
              ]}
            />
          </>
        )
      )}
      <History ambit={ambit} index={index} collection={collection} id={id} onRestore={edit} />
    </Panel>
  );
}

function When({ at, by }: { at: number; by: string | null }) {
  return (
    <>
      <Time at={at} /> <span class="muted">by {by === null || by === "-1" ? "nobody in particular" : by}</span>
    </>
  );
}

/** A document that keeps itself in sync: null when there is none. */
function useDocument(ambit: Ambit, index: string, collection: string, id: string | undefined): { known: Known | null | undefined; error: Error | undefined } {
  const [state, set] = useState<{ known: Known | null | undefined; error: Error | undefined }>({ known: undefined, error: undefined });
  useEffect(() => {
    if (id === undefined) return;
    const observed = ambit.observe.get(index, collection, id);
    let over = false;
    const read = () => {
      if (over) return;
      if (observed.error) return set((s) => ({ ...s, error: observed.error }));
      if (observed._source === undefined) return set({ known: null, error: undefined });
      const { _kuzzle_info: info, ...source } = observed._source;
      set({ known: { source, version: observed._version!, info }, error: undefined });
    };
    observed.on("update", read);
    observed.start().then(read, (error: Error) => over || set({ known: undefined, error }));
    return () => {
      over = true;
      void observed.stop();
    };
  }, [ambit, index, collection, id]);
  return state;
}

/** Reads an object, or says what is wrong with the text. */
function parsed(text: string): { source: Source } | { message: string } {
  try {
    const source: unknown = JSON.parse(text);
    if (typeof source !== "object" || source === null || Array.isArray(source)) return { message: "A document is a JSON object." };
    return { source: source as Source };
  } catch (e) {
    return { message: `This is not JSON: ${(e as Error).message}` };
  }
}

function Editor({ ambit, index, collection, id, start, now, onDone }: Props & { id: string; start: { text: string; version: number }; now: Known | null | undefined; onDone: () => void }) {
  const [text, setText] = useState(start.text);
  const [base, setBase] = useState(start.version);
  const [fault, setFault] = useState<string>();
  const [busy, setBusy] = useState(false);
  const isGone = now === null;
  const isOther = now ? now.version !== base : isGone && base > 0;
  const save = async (e: SubmitEvent) => {
    e.preventDefault();
    const p = parsed(text);
    if ("message" in p) return setFault(p.message);
    setBusy(true);
    setFault(undefined);
    try {
      await (isGone ? ambit.document.create(index, collection, p.source, id) : ambit.document.replace(index, collection, id, p.source));
      say(`${id} is saved`);
      onDone();
    } catch (e) {
      setFault((e as Error).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="form" onSubmit={(e) => void save(e)} aria-label={`Edit ${id}`}>
      <Area text={text} onInput={setText} fault={fault} />
      {isOther && (
        <div class="conflict" role="alert">
          <p>
            {now ? (
              <>
                It has changed since you began: it is version {now.version} now{now.info?.updater && now.info.updater !== "-1" ? `, by ${now.info.updater}` : ""}. Saving replaces that.
              </>
            ) : (
              "It was deleted since you began. Saving makes it again."
            )}
          </p>
          {now && (
            <>
              <details>
                <summary>As it is now</summary>
                <Json value={now.source} label="As it is now" />
              </details>
              <button type="button" class="btn" onClick={() => (setText(JSON.stringify(now.source, null, 2)), setBase(now.version))}>
                Take that instead
              </button>
            </>
          )}
        </div>
      )}
      <div class="row">
        <button class={isOther ? "btn danger" : "btn primary"} disabled={busy}>
          {isOther ? (now ? "Replace it anyway" : "Make it again") : "Save"}
        </button>
        <button type="button" class="btn quiet" onClick={onDone}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function Area({ text, onInput, fault }: { text: string; onInput: (text: string) => void; fault: string | undefined }) {
  return (
    <>
      <Field label="JSON">
        <textarea class="mono" rows={Math.min(24, Math.max(8, text.split("\n").length + 1))} value={text} spellcheck={false} aria-invalid={fault !== undefined} onInput={(e) => onInput(e.currentTarget.value)} />
      </Field>
      {fault && <FilterFault id="json-fault" text={text} message={fault} place={placeOf(text, fault)} />}
    </>
  );
}

function Maker({ ambit, index, collection, onMade, onClose }: Props) {
  const [id, setId] = useState("");
  const [text, setText] = useState('{\n  "speed": 60\n}');
  const [fault, setFault] = useState<string>();
  const make = async (e: SubmitEvent) => {
    e.preventDefault();
    const p = parsed(text);
    if ("message" in p) return setFault(p.message);
    setFault(undefined);
    try {
      const { _id } = await ambit.document.create(index, collection, p.source, id.trim() || undefined);
      say(`${_id} is made`);
      onMade(_id);
    } catch (e) {
      setFault((e as Error).message);
    }
  };
  return (
    <form class="form" onSubmit={(e) => void make(e)} aria-label="New document">
      <Field label="Id" hint="Without one, the broker makes one.">
        <input class="mono" value={id} spellcheck={false} onInput={(e) => setId(e.currentTarget.value)} />
      </Field>
      <Area text={text} onInput={setText} fault={fault} />
      <div class="row">
        <button class="btn primary">Create</button>
        <button type="button" class="btn quiet" onClick={onClose}>
          Cancel
        </button>
      </div>
      <p class="muted">
        It is stored as it is when somebody publishes it on <Badge>{`${index}/${collection}/${id || "…"}`}</Badge>, and rooms are told.
      </p>
    </form>
  );
}
