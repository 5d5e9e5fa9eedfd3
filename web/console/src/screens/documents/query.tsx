import type { Ambit } from "@ambit/client";
import { useEffect, useId, useState } from "preact/hooks";

import { Link, hrefTo } from "../../router.js";
import { Icon } from "../../ui/index.js";
import { FilterFault, type Place, placeOf } from "../../ui/filterfault.js";

interface Props {
  ambit: Ambit;
  index: string;
  collection: string;
  filter: string;
  sort: string;
  fields: string[];
  onChange: (change: { filter?: string | undefined; sort?: string | undefined }) => void;
  /** Why the search could not be done. */
  refused: Error | undefined;
}

/** What is looked for, and in which order. */
export function Query({ ambit, index, collection, filter, sort, fields, onChange, refused }: Props) {
  const [text, setText] = useState(filter);
  const [fault, setFault] = useState<{ message: string; place?: Place | undefined }>();
  const id = useId();
  useEffect(() => (setText(filter), setFault(undefined)), [filter]);
  const apply = async () => {
    const wanted = text.trim();
    setFault(undefined);
    if (wanted === "") return onChange({ filter: undefined });
    const wrong = await check(ambit, index, collection, wanted);
    if (wrong) setFault(wrong);
    else onChange({ filter: wanted });
  };
  const said = fault ?? (refused && { message: refused.message, place: placeOf(text, refused.message) });
  const field = sort.replace(/^-/, "");
  return (
    <form class="query" onSubmit={(e) => (e.preventDefault(), void apply())}>
      <div class="query-row">
        <textarea
          class="mono"
          data-search
          rows={Math.min(10, text.split("\n").length)}
          aria-label="Filter"
          aria-invalid={said !== undefined}
          aria-describedby={said ? id : undefined}
          placeholder='{"range":{"speed":{"gt":50}}}'
          value={text}
          spellcheck={false}
          onInput={(e) => setText(e.currentTarget.value)}
          onKeyDown={(e) => {
            if (e.key !== "Enter" || e.shiftKey) return;
            e.preventDefault();
            void apply();
          }}
        />
        <button class="btn primary" title="Enter; Shift and Enter is a new line">
          Find
        </button>
        {filter !== "" && (
          <button type="button" class="btn quiet" onClick={() => onChange({ filter: undefined })}>
            Clear
          </button>
        )}
      </div>
      <div class="query-row">
        <label class="query-sort">
          <span class="muted">Sort by</span>
          <select value={field} onChange={(e) => onChange({ sort: e.currentTarget.value || undefined })}>
            <option value="">id</option>
            {[...new Set([...fields, "_kuzzle_info.createdAt", "_kuzzle_info.updatedAt", ...(field ? [field] : [])])].map((f) => (
              <option key={f} value={f}>
                {f}
              </option>
            ))}
          </select>
        </label>
        {field !== "" && (
          <button type="button" class="btn" onClick={() => onChange({ sort: sort.startsWith("-") ? field : `-${field}` })}>
            {sort.startsWith("-") ? "descending" : "ascending"}
          </button>
        )}
        <Link class="btn quiet" href={hrefTo("map", index, collection, { filter: filter || undefined })}>
          <Icon name="map" size={16} /> On the map
        </Link>
        <Link class="btn quiet" href={hrefTo("notifications", { topic: `${index}/${collection}/?${filter || "{}"}` })}>
          <Icon name="notifications" size={16} /> Follow
        </Link>
      </div>
      {said && <FilterFault id={id} text={text} {...said} />}
    </form>
  );
}

/** Says what is wrong with a filter, if anything is. */
async function check(ambit: Ambit, index: string, collection: string, text: string): Promise<{ message: string; place?: Place | undefined } | undefined> {
  let filter: unknown;
  try {
    filter = JSON.parse(text);
  } catch (e) {
    const message = (e as Error).message;
    return { message: `This is not JSON: ${message}`, place: placeOf(text, message) };
  }
  try {
    const { valid, errorMessages } = await ambit.realtime.validate(index, collection, filter as Record<string, unknown>);
    const message = valid ? undefined : (errorMessages ?? []).join(" ");
    return message === undefined ? undefined : { message, place: placeOf(text, message) };
  } catch (e) {
    return { message: (e as Error).message, place: undefined };
  }
}

export { check as checkFilter };
