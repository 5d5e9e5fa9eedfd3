import { type Ambit, AmbitError, type Filter } from "@ambit/client";
import { useState } from "preact/hooks";

import { collections, useAnswer } from "../../data.js";
import { Fault, Field, say } from "../../ui/index.js";
import { FilterFault, type Place, placeOf } from "../../ui/filterfault.js";
import type { Named } from "./room.js";

interface Made {
  index: string;
  collection: string;
  name: string;
}

interface Wrong {
  collection?: string;
  name?: string;
  filter?: { message: string; place?: Place | undefined };
  other?: string;
}

/** Gives a filter a name, or a name another filter. */
export function RoomForm({ ambit, room, from, onDone, onCancel }: { ambit: Ambit; room?: Named; from?: { index: string; collection: string; filter: Filter }; onDone: (made: Made) => void; onCancel: () => void }) {
  const start = room ?? from;
  const known = useAnswer(() => collections(ambit), [ambit]);
  const [collection, setCollection] = useState(start ? `${start.index}/${start.collection}` : "");
  const [name, setName] = useState(room?.name ?? "");
  const [text, setText] = useState(JSON.stringify(start?.filter ?? { range: { speed: { gt: 50 } } }, null, 2));
  const [wrong, setWrong] = useState<Wrong>({});
  const [busy, setBusy] = useState(false);
  const submit = async (e: SubmitEvent) => {
    e.preventDefault();
    const [index = "", of = "", ...rest] = collection.trim().split("/");
    if (index === "" || of === "" || rest.length > 0) return setWrong({ collection: "An index and a collection, such as fleet/trucks." });
    let filter: Filter;
    try {
      filter = JSON.parse(text) as Filter;
    } catch (e) {
      const message = (e as Error).message;
      return setWrong({ filter: { message: `This is not JSON: ${message}`, place: placeOf(text, message) } });
    }
    setBusy(true);
    setWrong({});
    try {
      const made = await ambit.connection.request<Named>({ controller: "room", action: room ? "update" : "create", index, collection: of, name: name.trim(), body: filter });
      say(`@${made.name} is ${room ? "changed" : "made"}`);
      onDone(made);
    } catch (e) {
      setWrong(wrongOf(e as Error, text));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="form" onSubmit={(e) => void submit(e)} aria-label={room ? `Edit @${room.name}` : "Name a room"}>
      {!room && (
        <div class="form-row">
          <Field label="Collection">
            <input class="mono" list="room-collections" placeholder="fleet/trucks" required value={collection} spellcheck={false} aria-invalid={wrong.collection !== undefined} onInput={(e) => setCollection(e.currentTarget.value)} />
            <Said text={wrong.collection} />
          </Field>
          <Field label="Name">
            <input class="mono" placeholder="speeding" required value={name} spellcheck={false} aria-invalid={wrong.name !== undefined} onInput={(e) => setName(e.currentTarget.value)} />
            <Said text={wrong.name} />
          </Field>
          <datalist id="room-collections">
            {known.value?.map((c) => (
              <option key={`${c.index}/${c.collection}`} value={`${c.index}/${c.collection}`} />
            ))}
          </datalist>
        </div>
      )}
      <Field label="Filter">
        <textarea class="mono" rows={Math.min(18, Math.max(6, text.split("\n").length))} value={text} spellcheck={false} aria-invalid={wrong.filter !== undefined} onInput={(e) => setText(e.currentTarget.value)} />
      </Field>
      {wrong.filter && <FilterFault id="room-filter-fault" text={text} {...wrong.filter} />}
      <Fault error={wrong.other} />
      <div class="row">
        <button class="btn primary" disabled={busy}>
          {room ? "Save" : "Make it"}
        </button>
        <button type="button" class="btn quiet" onClick={onCancel}>
          Cancel
        </button>
      </div>
      {room && <p class="muted">Who subscribed by the name is told which documents exit and which enter.</p>}
    </form>
  );
}

const Said = ({ text }: { text: string | undefined }) =>
  text === undefined ? null : (
    <span class="said" role="alert">
      {text}
    </span>
  );

/** Where an error belongs. */
function wrongOf(e: Error, filter: string): Wrong {
  const { message } = e;
  switch (e instanceof AmbitError ? e.id : "") {
    case "api.assert.koncorde_dsl_error":
      return { filter: { message, place: placeOf(filter, message) } };
    case "core.realtime.room_already_exists":
    case "core.realtime.room_configured":
      return { name: message };
    case "services.storage.invalid_index_name":
    case "services.storage.invalid_collection_name":
      return { collection: message };
    case "api.assert.invalid_argument":
      return message.includes('"name"') ? { name: message } : { other: message };
  }
  return { other: message };
}
