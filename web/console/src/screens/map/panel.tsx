// What is beside the map: the fences, and the fence or document that was chosen.
import type { Ambit } from "@ambit/client";
import { useState } from "preact/hooks";

import { Link, hrefTo } from "../../router.js";
import { roomTopic } from "../../topic.js";
import { Explain } from "../../ui/explain.js";
import { Badge, Copyable, Fault, Field, Icon, Json, Time, say } from "../../ui/index.js";
import { PortField, SubscribeLine } from "../../ui/shellline.js";
import type { FenceState, Fences } from "./fences.js";
import type { Source } from "./messages.js";

export interface Chosen {
  slot: number;
  id: string;
  /** Null is not known yet, and undefined of one that is gone. */
  source: unknown;
}

export function FenceList({ fences, states, selected, onSelect }: { fences: Fences; states: FenceState[]; selected: string | undefined; onSelect: (key: string) => void }) {
  if (states.length === 0) {
    return (
      <p class="muted panel-hint">
        Draw a circle, a box or a polygon: whoever is inside of it is coloured, and told of here when it enters or leaves. Rooms with an area are shown by themselves.
      </p>
    );
  }
  return (
    <ul class="fences">
      {states.map((f) => (
        <li key={f.key} class={f.key === selected ? "fence selected" : "fence"}>
          <input type="checkbox" checked={f.shown} aria-label={`Show ${f.name}`} onChange={(e) => fences.show(f.key, e.currentTarget.checked)} />
          <button type="button" class="fence-name" onClick={() => onSelect(f.key)} aria-pressed={f.key === selected}>
            <span class={`swatch hue-${f.hue + 1}`} aria-hidden="true" />
            <span class="grow">{f.name}</span>
            {f.shown && (
              <span class="num muted" title="Documents in scope">
                {f.members.toLocaleString()}
                {f.partial ? "+" : ""}
              </span>
            )}
          </button>
        </li>
      ))}
    </ul>
  );
}

export function FenceDetails({ ambit, source, fences, fence, user, onClose, onDocument }: { ambit: Ambit; source: Source; fences: Fences; fence: FenceState; user: string | undefined; onClose: () => void; onDocument: (id: string) => void }) {
  return (
    <section class="details" aria-label={fence.name}>
      <header class="details-head">
        <span class={`swatch hue-${fence.hue + 1}`} aria-hidden="true" />
        <h2 class="grow">{fence.name}</h2>
        {fence.kind === "drawn" && (
          <button type="button" class="btn quiet icon-only" aria-label={`Remove ${fence.name}`} title="Remove" onClick={() => (onClose(), fences.remove(fence.key))}>
            <Icon name="trash" size={16} />
          </button>
        )}
        <button type="button" class="btn quiet icon-only" aria-label="Close" onClick={onClose}>
          <Icon name="close" size={16} />
        </button>
      </header>
      <p class="details-sum">
        <b class="num">{fence.members.toLocaleString()}</b>
        {fence.partial ? " and more" : ""} in scope
      </p>
      <Fault error={fence.error} />
      <section aria-label="What happens">
        <h3>What happens</h3>
        <Events events={fence.events} onDocument={onDocument} />
      </section>
      <Copyable label="Filter" text={JSON.stringify(fence.filter)} />
      <Copyable label="Topic" text={fence.topic} />
      <SubscribeLine label="In a shell" topic={fence.topic} user={user} />
      <PortField />
      <div class="row">
        <Link class="btn" href={hrefTo("notifications", { topic: fence.topic })}>
          <Icon name="notifications" size={16} /> Follow
        </Link>
        {fence.kind !== "named" && <SaveAsRoom ambit={ambit} source={source} fence={fence} fences={fences} onSaved={onClose} />}
      </div>
    </section>
  );
}

function Events({ events, onDocument }: { events: FenceState["events"]; onDocument: (id: string) => void }) {
  if (events.length === 0) return <p class="muted">Nothing has entered or left so far.</p>;
  return (
    <ol class="events" aria-live="off">
      {events.slice(0, 40).map((e) => (
        <li key={`${e.at} ${e.id} ${e.transition}`}>
          <Time at={e.at} />
          <Badge tone={e.transition}>{e.transition}</Badge>
          <button type="button" class="link grow" onClick={() => onDocument(e.id)}>
            {e.id}
          </button>
        </li>
      ))}
    </ol>
  );
}

/** Gives the filter of a fence a name, under which others can subscribe to it. */
function SaveAsRoom({ ambit, source, fence, fences, onSaved }: { ambit: Ambit; source: Source; fence: FenceState; fences: Fences; onSaved: () => void }) {
  const [asking, setAsking] = useState(false);
  const [error, setError] = useState<unknown>();
  if (!asking) {
    return (
      <button type="button" class="btn" onClick={() => setAsking(true)}>
        <Icon name="plus" size={16} /> Save as room
      </button>
    );
  }
  const save = async (e: SubmitEvent) => {
    e.preventDefault();
    const name = String(new FormData(e.currentTarget as HTMLFormElement).get("name"));
    try {
      await ambit.connection.request({ controller: "room", action: "create", index: source.index, collection: source.collection, name, body: fence.filter });
      fences.remove(fence.key);
      await fences.readRooms();
      say(`@${name.replace(/^@/, "")} is a room`);
      onSaved();
    } catch (e) {
      setError(e);
    }
  };
  return (
    <form class="save" onSubmit={save}>
      <Field label="Name of the room">
        <input name="name" required autoFocus maxLength={128} placeholder="depot" class="mono" />
      </Field>
      <Fault error={error} />
      <div class="row">
        <button class="btn primary">Save</button>
        <button type="button" class="btn quiet" onClick={() => setAsking(false)}>
          Cancel
        </button>
      </div>
    </form>
  );
}

export function DocumentDetails({ ambit, source, chosen, states, onClose }: { ambit: Ambit; source: Source; chosen: Chosen; states: FenceState[]; onClose: () => void }) {
  const [explained, setExplained] = useState<string>();
  const fence = states.find((f) => f.key === explained);
  return (
    <section class="details" aria-label={`Document ${chosen.id}`}>
      <header class="details-head">
        <Icon name="documents" size={16} />
        <h2 class="grow mono">{chosen.id}</h2>
        <button type="button" class="btn quiet icon-only" aria-label="Close" onClick={onClose}>
          <Icon name="close" size={16} />
        </button>
      </header>
      {chosen.source === null ? <p class="muted">Reading …</p> : chosen.source === undefined ? <p class="muted">It is not there any more.</p> : <Json value={chosen.source} label={`Document ${chosen.id}`} />}
      <div class="row">
        <Link class="btn" href={hrefTo("documents", source.index, source.collection, { id: chosen.id })}>
          <Icon name="documents" size={16} /> Open
        </Link>
        <Link class="btn" href={hrefTo("notifications", { topic: roomTopic(source.index, source.collection, { ids: { values: [chosen.id] } }) })}>
          <Icon name="notifications" size={16} /> Follow
        </Link>
      </div>
      {states.length > 0 && chosen.source !== undefined && (
        <>
          <Field label="Why it is in a fence, or not">
            <select value={explained ?? ""} onChange={(e) => setExplained(e.currentTarget.value || undefined)}>
              <option value="">Choose a fence …</option>
              {states.map((f) => (
                <option key={f.key} value={f.key}>
                  {f.name}
                </option>
              ))}
            </select>
          </Field>
          {fence && <Explain ambit={ambit} index={source.index} collection={source.collection} filter={fence.filter} document={chosen.id} />}
        </>
      )}
    </section>
  );
}
