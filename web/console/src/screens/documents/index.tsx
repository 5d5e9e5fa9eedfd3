import { useEffect, useState } from "preact/hooks";

import { type CollectionName, collections, useAnswer } from "../../data.js";
import { Link, hrefTo, navigate } from "../../router.js";
import type { ScreenProps } from "../../screens.js";
import { ChooseCollection } from "../../ui/choose.js";
import { Empty, Head, Icon } from "../../ui/index.js";
import { PublishLine } from "../../ui/shellline.js";
import { Split, useEvery } from "../../ui/split.js";
import { DocumentPanel } from "./panel.js";
import { Query } from "./query.js";
import { Rows } from "./rows.js";
import { useSearch } from "./search.js";
import "./documents.css";

/** What is stored: found by a filter, live, and changed by hand. */
export default function Documents(props: ScreenProps) {
  const { ambit, route, session } = props;
  const known = useAnswer(() => collections(ambit), [ambit]);
  useEvery(5000, known.again);
  const [index, collection] = route.rest;
  const list = known.value;
  const first = list?.[0];
  useEffect(() => {
    if (collection === undefined && first) navigate(hrefTo("documents", first.index, first.collection), true);
  }, [collection, first?.index, first?.collection]);
  if (known.error && !list && collection === undefined) {
    return (
      <div class="screen">
        <Head title="Documents" />
        <ChooseCollection screen="documents" icon="documents" error={known.error} />
      </div>
    );
  }
  if (list?.length === 0 && collection === undefined) {
    return (
      <div class="screen">
        <Head title="Documents" />
        <Empty icon="documents" title="There are no documents yet">
          <p>
            What is published on <code>index/collection/id</code> as a JSON object is stored as a document. Publish one:
          </p>
          <PublishLine topic="fleet/trucks/42" message='{"speed":60,"position":{"lat":48.1,"lon":11.5}}' user={session.who.user} />
          <p>It appears here by itself.</p>
        </Empty>
      </div>
    );
  }
  if (index === undefined || collection === undefined) return <div class="screen" />;
  return <Collection key={`${index}/${collection}`} {...props} index={index} collection={collection} names={list ?? [{ index, collection }]} />;
}

function Collection({ ambit, route, index, collection, names }: ScreenProps & CollectionName & { names: CollectionName[] }) {
  const filter = route.query.get("filter") ?? "";
  const sort = route.query.get("sort") ?? "";
  const id = route.query.get("id") ?? undefined;
  const [making, setMaking] = useState(false);
  const search = useSearch(ambit, index, collection, filter, sort);
  const to = (change: Record<string, string | undefined>) => hrefTo("documents", index, collection, { filter: filter || undefined, sort: sort || undefined, id, ...change });
  const open = (id: string) => (setMaking(false), navigate(to({ id })));
  const close = () => (setMaking(false), navigate(to({ id: undefined })));
  return (
    <div class="screen fixed">
      <Head title="Documents" note={search.total === undefined ? undefined : `${search.total.toLocaleString("en-US")} ${filter ? "match" : search.total === 1 ? "document" : "documents"}`}>
        <button type="button" class="btn" onClick={() => (navigate(to({ id: undefined })), setMaking(true))}>
          <Icon name="plus" size={16} /> New document
        </button>
      </Head>
      <div class="docs">
        <Tree names={names} index={index} collection={collection} />
        <Split
          panel={
            (id !== undefined || making) && (
              <DocumentPanel key={making ? "" : id} ambit={ambit} index={index} collection={collection} id={making ? undefined : id} onClose={close} onMade={(id) => (setMaking(false), navigate(to({ id }), true))} />
            )
          }
        >
          <Query ambit={ambit} index={index} collection={collection} filter={filter} sort={sort} fields={search.fields} onChange={(change) => navigate(to(change))} refused={search.error} />
          <Rows search={search} selected={id} sort={sort} onOpen={open} hrefOf={(id) => to({ id })} onSort={(sort) => navigate(to({ sort: sort || undefined }))} isFiltered={filter !== ""} onClear={() => navigate(to({ filter: undefined }))} />
        </Split>
      </div>
    </div>
  );
}

function Tree({ names, index, collection }: CollectionName & { names: CollectionName[] }) {
  const indexes = [...new Set([...names.map((n) => n.index), index])].sort();
  const of = (index: string) => [...new Set(names.filter((n) => n.index === index).map((n) => n.collection))].sort();
  const current = `${index}/${collection}`;
  const options = names.some((n) => `${n.index}/${n.collection}` === current) ? names : [...names, { index, collection }];
  return (
    <>
      <nav class="tree" aria-label="Collections">
        {indexes.map((name) => (
          <section key={name}>
            <h2>{name}</h2>
            <ul>
              {[...new Set([...of(name), ...(name === index ? [collection] : [])])].map((c) => (
                <li key={c}>
                  <Link href={hrefTo("documents", name, c)} aria-current={name === index && c === collection ? "page" : undefined}>
                    {c}
                  </Link>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </nav>
      <select
        class="tree-select"
        aria-label="Collection"
        value={current}
        onChange={(e) => {
          const [i, c] = e.currentTarget.value.split("/") as [string, string];
          navigate(hrefTo("documents", i, c));
        }}
      >
        {options.map((n) => (
          <option key={`${n.index}/${n.collection}`} value={`${n.index}/${n.collection}`}>
            {n.index}/{n.collection}
          </option>
        ))}
      </select>
    </>
  );
}
