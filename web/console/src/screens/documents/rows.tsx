import { memo } from "preact/compat";

import type { Document } from "@ambit/client";

import { ago } from "../../format.js";
import { Link } from "../../router.js";
import { Empty, Icon } from "../../ui/index.js";
import { useNow } from "../../ui/split.js";
import type { SearchState } from "./search.js";

const beside = 2; // columns that are shown beside a panel

interface Props {
  search: SearchState;
  selected: string | undefined;
  sort: string;
  onOpen: (id: string) => void;
  hrefOf: (id: string) => string;
  onSort: (sort: string) => void;
  isFiltered: boolean;
  onClear: () => void;
}

/** What was found, each document a row that changes with it. */
export function Rows({ search, selected, sort, onOpen, hrefOf, onSort, isFiltered, onClear }: Props) {
  const now = useNow(5000);
  const { hits, columns, changed, hasNext, total, error } = search;
  if (error) return null; // Query says it
  if (total === undefined) return <p class="loading" role="status">Reading …</p>;
  if (hits.length === 0) {
    return (
      <Empty icon="documents" title={isFiltered ? "No document matches" : "The collection is empty"}>
        {isFiltered && (
          <button type="button" class="btn" onClick={onClear}>
            Show all
          </button>
        )}
        <p>Documents appear here as soon as they {isFiltered ? "match" : "are written"}.</p>
      </Empty>
    );
  }
  return (
    <>
      <table class="rows cards doc-rows">
        <thead>
          <tr>
            {["_id", ...columns].map((field, i) => (
              <SortHead key={field} field={field} sort={sort} onSort={onSort} minor={i > beside} />
            ))}
            <SortHead field="_kuzzle_info.updatedAt" label="changed" sort={sort} onSort={onSort} right />
          </tr>
        </thead>
        <tbody>
          {hits.map((doc) => (
            <Row key={doc._id} doc={doc} columns={columns.join("\n")} isSelected={doc._id === selected} flash={changed.has(doc._id)} since={sinceOf(doc, now)} onOpen={onOpen} href={hrefOf(doc._id)} />
          ))}
        </tbody>
      </table>
      <div class="more">
        {hasNext ? (
          <button type="button" class="btn" onClick={search.next}>
            Next page
          </button>
        ) : null}
        <span class="muted num">
          {hits.length.toLocaleString("en-US")} of {total.toLocaleString("en-US")}
        </span>
      </div>
    </>
  );
}

function SortHead({ field, label = field, sort, onSort, right, minor }: { field: string; label?: string; sort: string; onSort: (sort: string) => void; right?: boolean; minor?: boolean }) {
  const direction = sort === field ? "ascending" : sort === `-${field}` ? "descending" : undefined;
  const next = direction === undefined ? field : direction === "ascending" ? `-${field}` : "";
  return (
    <th scope="col" class={right ? "right" : minor ? "minor" : ""} aria-sort={direction ?? "none"}>
      <button type="button" class="sort-head" onClick={() => onSort(next)} title={`Sort by ${field}`}>
        {label === "_id" ? "id" : label}
        {direction && (
          <span class={direction}>
            <Icon name="down" size={12} />
          </span>
        )}
      </button>
    </th>
  );
}

function sinceOf({ _source: { _kuzzle_info: info } }: Document, now: number): string {
  const at = info?.updatedAt ?? info?.createdAt;
  return at === undefined ? "" : ago(at, now);
}

const Row = memo(function Row({ doc, columns, isSelected, flash, since, onOpen, href }: { doc: Document; columns: string; isSelected: boolean; flash: boolean; since: string; onOpen: (id: string) => void; href: string }) {
  return (
    <tr class={`can${isSelected ? " selected" : ""}${flash ? " flash" : ""}`} onClick={() => onOpen(doc._id)} data-id={doc._id}>
      <td class="name">
        <Link href={href} class="mono">
          {doc._id}
        </Link>
      </td>
      {columns.split("\n").map((field, i) => (
        <td key={field} data-label={field} class={i >= beside ? "mono minor" : "mono"}>
          {doc._source[field] === undefined ? null : <span class="cut">{shown(doc._source[field])}</span>}
        </td>
      ))}
      <td class="right num muted" data-label="changed">
        {since}
      </td>
    </tr>
  );
});

function shown(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value, rounded);
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}

/** Numbers with as many digits as a row has room for; the panel has all. */
const rounded = (_: string, value: unknown) => (typeof value === "number" ? Math.round(value * 1e5) / 1e5 : value);
