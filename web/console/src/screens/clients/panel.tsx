import { useState } from "preact/hooks";

import { useAnswer } from "../../data.js";
import { ago, bytes, count, plural, reasonCode } from "../../format.js";
import { Link, hrefTo } from "../../router.js";
import type { ScreenProps } from "../../screens.js";
import { Badge, Fault, Field, Json, Time, say } from "../../ui/index.js";
import { Facts, Panel, Sure, useEvery, useNow } from "../../ui/split.js";
import { BanForm } from "./bans.js";
import { type Client, protocolName } from "./client.js";

interface Presence {
  online: boolean;
  since: number;
  why?: string;
  user: string | null;
  metadata: Record<string, unknown> | null;
}

/** What there is of one client. */
export function ClientPanel({ ambit, id, onClose }: Pick<ScreenProps, "ambit"> & { id: string; onClose: () => void }) {
  const client = useAnswer(() => ambit.connection.request<Client>({ controller: "client", action: "get", _id: id }), [ambit, id]);
  const presence = useAnswer<Presence>(() => ambit.presence.get(id), [ambit, id]);
  useEvery(2000, () => (client.again(), presence.again()));
  const [banning, setBanning] = useState(false);
  const isGone = client.error !== undefined && "status" in client.error && client.error.status === 404;
  const c = isGone ? undefined : client.value;
  return (
    <Panel
      title={id}
      kind="Client"
      onClose={onClose}
      actions={
        <>
          {c?.connected && <Disconnect ambit={ambit} id={id} onDone={client.again} />}
          {!banning && (
            <button type="button" class="btn danger" onClick={() => setBanning(true)}>
              Ban …
            </button>
          )}
        </>
      }
    >
      {!isGone && <Fault error={client.error} />}
      {banning && <BanForm ambit={ambit} of={{ client: id, user: c?.user, network: c?.address }} onDone={() => (setBanning(false), client.again())} />}
      {c && <Session client={c} />}
      {isGone && <Gone presence={presence.value} />}
      {presence.value?.metadata && (
        <section class="section">
          <h3 class="section-title">What it says of itself</h3>
          <Json value={presence.value.metadata} label="Metadata" />
        </section>
      )}
    </Panel>
  );
}

function Session({ client: c }: { client: Client }) {
  const now = useNow();
  return (
    <>
      <Facts
        rows={[
          ["State", c.connected ? <Badge tone="enter">connected</Badge> : <Badge>absent, session kept</Badge>],
          [c.connected ? "Connected for" : "Absent for", ago(c.since, now)],
          ...(c.why ? ([["Why it went", c.why]] as [string, string][]) : []),
          ["User", c.user ?? <span class="muted">did not sign in</span>],
          ["Protocol", `${protocolName(c.protocol)}${c.listener ? `, listener ${c.listener}` : ""}`],
          ...(c.address ? ([["Address", <span class="mono">{c.address}</span>]] as [string, preact.ComponentChildren][]) : []),
        ]}
      />
      {c.error && (
        <section class="section">
          <h3 class="section-title">Last fault</h3>
          <div class="fault">
            <div>
              <p>{c.error.text}</p>
              <p>
                {reasonCode(c.error.code)}, <Time at={c.error.at} />
                {c.error.topic && (
                  <>
                    , on <code>{c.error.topic}</code>
                  </>
                )}
              </p>
            </div>
          </div>
        </section>
      )}
      <section class="section">
        <h3 class="section-title">Queue</h3>
        <Facts
          rows={[
            ["Waiting", `${plural(c.queuedMessages, "message")}, ${bytes(c.queuedBytes)}`],
            ["In flight", `${count(c.inFlight)}, not acknowledged yet`],
            ...(c.waiting > 1000 ? ([["Took nothing for", `${Math.round(c.waiting / 1000)} s`]] as [string, string][]) : []),
            ["Dropped", c.dropped === 0 ? "none" : plural(c.dropped, "message")],
          ]}
        />
      </section>
      <section class="section">
        <h3 class="section-title">{plural(c.filters?.length ?? 0, "subscription")}</h3>
        {c.filters && c.filters.length > 0 && (
          <ul class="filters">
            {c.filters.slice(0, 200).map((f) => (
              <li key={f.topicFilter}>
                <Link href={hrefTo("notifications", { topic: f.topicFilter })} class="mono" title="Follow it in notifications">
                  {f.topicFilter}
                </Link>
                <Badge>QoS {f.qos}</Badge>
              </li>
            ))}
          </ul>
        )}
      </section>
    </>
  );
}

/** What is known of a client without a session. */
function Gone({ presence }: { presence: Presence | undefined }) {
  const now = useNow();
  if (!presence) return <p>No client of this identifier is known: it was never here, or has been gone for long.</p>;
  return (
    <Facts
      rows={[
        ["State", <Badge>gone</Badge>],
        ["Gone for", ago(presence.since, now)],
        ["Why it went", presence.why ?? "not known"],
        ["User", presence.user ?? <span class="muted">did not sign in</span>],
      ]}
    />
  );
}

function Disconnect({ ambit, id, onDone }: Pick<ScreenProps, "ambit"> & { id: string; onDone: () => void }) {
  const [reason, setReason] = useState("");
  const [error, setError] = useState<unknown>();
  const disconnect = () =>
    ambit.connection.request({ controller: "client", action: "disconnect", _id: id, ...(reason && { reason }) }).then(() => (say(`${id} is disconnected`), onDone()), setError);
  return (
    <details class="reasoned">
      <summary class="btn">Disconnect …</summary>
      <div class="form">
        <Field label="Reason" hint="An MQTT 5 client is told. It may connect again.">
          <input value={reason} onInput={(e) => setReason(e.currentTarget.value)} />
        </Field>
        <Fault error={error} />
        <Sure label="Disconnect" question={`End the connection of ${id}?`} onSure={() => void disconnect()} />
      </div>
    </details>
  );
}
