import { useState } from "preact/hooks";

import { useAnswer } from "../../data.js";
import { ago, bytes, count, plural } from "../../format.js";
import { Link, hrefTo, navigate } from "../../router.js";
import type { ScreenProps } from "../../screens.js";
import { Badge, Choice, Empty, Fault, Head } from "../../ui/index.js";
import { SubscribeLine } from "../../ui/shellline.js";
import { Split, useEvery, useNow } from "../../ui/split.js";
import { Bans } from "./bans.js";
import { type Client, type Page, isRefused, protocolName } from "./client.js";
import { ClientPanel } from "./panel.js";
import { Presences } from "./presences.js";

const pageSize = 100;
const every = 2000; // milliseconds

type Show = "connected" | "all" | "bans";

/** Who is connected, and who is kept: what waits for them, and what went wrong. */
export default function Clients(props: ScreenProps) {
  const { ambit, route } = props;
  const show = (["all", "bans"].includes(route.query.get("show") ?? "") ? route.query.get("show") : "connected") as Show;
  const text = route.query.get("text") ?? "";
  const [size, setSize] = useState(pageSize);
  const page = useAnswer(
    () => ambit.connection.request<Page<Client>>({ controller: "client", action: "list", absent: show === "all", ...(text !== "" && { text }), size }),
    [ambit, show, text, size],
  );
  useEvery(every, page.again);
  const to = (change: Record<string, string | undefined>, id = route.rest[0]) => hrefTo("clients", ...(id === undefined ? [] : [id]), { show: show === "connected" ? undefined : show, text: text || undefined, ...change });
  const list = page.value;
  if (page.error && isRefused(page.error)) return <Presences {...props} why={page.error} />;
  const id = route.rest[0];
  return (
    <div class="screen fixed">
      <Head title="Clients" note={list && show !== "bans" ? `${plural(list.total, show === "all" ? "session" : "connection")}${text ? " found" : ""}` : undefined}>
        {show !== "bans" && (
          <input
            type="search"
            class="search"
            data-search
            aria-label="Find by identifier, user or address"
            placeholder="Identifier, user or address"
            value={text}
            spellcheck={false}
            onInput={(e) => navigate(to({ text: e.currentTarget.value || undefined }), true)}
          />
        )}
        <Choice
          label="What is shown"
          value={show}
          options={[
            { value: "connected", label: "Connected" },
            { value: "all", label: "With absent" },
            { value: "bans", label: "Bans" },
          ]}
          onChange={(value) => navigate(hrefTo("clients", { show: value === "connected" ? undefined : value, text: text || undefined }))}
        />
      </Head>
      {page.error && show !== "bans" && (
        <div class="pad">
          <Fault error={page.error} />
        </div>
      )}
      {show === "bans" ? (
        <Bans {...props} />
      ) : (
        <Split panel={id !== undefined && <ClientPanel key={id} {...props} id={id} onClose={() => navigate(hrefTo("clients", { show: show === "connected" ? undefined : show, text: text || undefined }))} />}>
          {list && <Rows list={list} selected={id} hrefOf={(id) => to({}, id)} {...props} found={text !== ""} />}
          {list && list.total > list.hits.length && (
            <div class="more">
              <button type="button" class="btn" onClick={() => setSize(size + pageSize)}>
                Show {count(Math.min(pageSize, list.total - list.hits.length))} more
              </button>
              <span class="muted">of {count(list.total)}</span>
            </div>
          )}
        </Split>
      )}
    </div>
  );
}

function Rows({ list, selected, hrefOf, ambit, session, found }: { list: Page<Client>; selected: string | undefined; hrefOf: (id: string) => string; found: boolean } & Pick<ScreenProps, "ambit" | "session">) {
  const now = useNow();
  const mine = ambit.connection.clientId;
  if (list.hits.length === 0) return <Empty icon="clients" title={found ? "Nobody is found by that" : "Nobody is here"} />;
  return (
    <>
      <table class="rows cards">
        <thead>
          <tr>
            <th scope="col">Client</th>
            <th scope="col">User</th>
            <th scope="col" class="minor">Protocol</th>
            <th scope="col" class="minor">Address</th>
            <th scope="col" class="right">
              Since
            </th>
            <th scope="col" class="right minor">
              Subscriptions
            </th>
            <th scope="col" class="right">
              Queue
            </th>
            <th scope="col" class="right minor">
              In flight
            </th>
            <th scope="col" class="minor">Last fault</th>
          </tr>
        </thead>
        <tbody>
          {list.hits.map((c) => (
            <tr key={c._id} class={c._id === selected ? "can selected" : "can"} onClick={() => navigate(hrefOf(c._id))}>
              <td class="name">
                <span class={c.connected ? "dot" : "dot off"} title={c.connected ? "connected" : "absent"} />
                <Link href={hrefOf(c._id)} class="mono">
                  {c._id}
                </Link>
                {c._id === mine && (
                  <>
                    {" "}
                    <Badge tone="info">this page</Badge>
                  </>
                )}
              </td>
              <td data-label="User">{c.user ?? <span class="muted">none</span>}</td>
              <td class="minor nowrap">{protocolName(c.protocol)}</td>
              <td class="mono minor">{c.address ?? ""}</td>
              <td class="right num nowrap" data-label={c.connected ? "Since" : undefined}>
                {c.connected ? "" : <span class="muted">absent </span>}
                {ago(c.since, now)}
              </td>
              <td class="right num minor" data-label="Subscriptions">
                {count(c.subscriptions)}
              </td>
              <td class="right num nowrap" data-label="Queue">
                {c.queuedMessages === 0 ? <span class="muted">0</span> : `${count(c.queuedMessages)} · ${bytes(c.queuedBytes)}`}
                {c.slow && (
                  <>
                    {" "}
                    <Badge tone="warn">slow</Badge>
                  </>
                )}
              </td>
              <td class="right num minor" data-label="In flight">
                {c.inFlight === 0 ? <span class="muted">0</span> : count(c.inFlight)}
              </td>
              <td class="minor">{c.error ? <span class="cut fault-text">{c.error.text}</span> : c.why ? <span class="cut muted">{c.why}</span> : null}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {list.total === 1 && list.hits[0]!._id === mine && !found && (
        <Empty icon="clients" title="Only this page is connected">
          <p>Connect something else, and it appears here within two seconds:</p>
          <SubscribeLine topic="fleet/trucks/+" user={session.who.user} />
        </Empty>
      )}
    </>
  );
}
