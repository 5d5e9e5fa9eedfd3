import { useState } from "preact/hooks";

import { useAnswer } from "../../data.js";
import type { ScreenProps } from "../../screens.js";
import { Empty, Fault, Field, Icon, say } from "../../ui/index.js";
import { Sure, useEvery } from "../../ui/split.js";
import type { Ban, Page } from "./client.js";
import "./clients.css";

type Kind = "client" | "user" | "network";

const kinds: Record<Kind, string> = { client: "Client identifier", user: "User", network: "Network or address" };

const durations = [
  ["1h", "an hour"],
  ["1d", "a day"],
  ["7d", "a week"],
  ["30d", "30 days"],
  ["", "ever"],
] as const;

/** Who is not let in. */
export function Bans({ ambit }: Pick<ScreenProps, "ambit">) {
  const bans = useAnswer(() => ambit.connection.request<Page<Ban>>({ controller: "ban", action: "list", size: 1000 }), [ambit]);
  useEvery(3000, bans.again);
  const [adding, setAdding] = useState(false);
  const [error, setError] = useState<unknown>();
  const lift = (id: string) => ambit.connection.request({ controller: "ban", action: "delete", _id: id }).then(() => (say("The ban is lifted"), bans.again()), setError);
  const list = bans.value?.hits ?? [];
  return (
    <div class="body">
      <Fault error={error ?? bans.error} />
      <div class="bans-tools">
        {adding ? (
          <div class="card bans-new">
            <BanForm ambit={ambit} of={{}} onDone={() => (setAdding(false), bans.again())} />
          </div>
        ) : (
          <button type="button" class="btn" onClick={() => setAdding(true)}>
            <Icon name="plus" size={16} /> Ban somebody
          </button>
        )}
      </div>
      {bans.value && list.length === 0 && (
        <Empty icon="clients" title="Nobody is banned">
          <p>Who is banned is disconnected within a second, and not let in again. A ban is of a client identifier, a user, or a network such as 203.0.113.0/24.</p>
        </Empty>
      )}
      {list.length > 0 && (
        <div class="card">
          <table class="rows cards">
            <thead>
              <tr>
                <th scope="col">Who</th>
                <th scope="col">Reason</th>
                <th scope="col">By</th>
                <th scope="col">Since</th>
                <th scope="col">Until</th>
                <th scope="col">
                  <span class="hidden">Lift it</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {list.map((b) => (
                <tr key={b._id}>
                  <td class="name">
                    <span class="muted">{b.client !== undefined ? "client " : b.user !== undefined ? "user " : "network "}</span>
                    <span class="mono">{b.client ?? b.user ?? b.network}</span>
                  </td>
                  <td>{b.reason ?? ""}</td>
                  <td data-label="By">{b.by ?? <span class="muted">the operator</span>}</td>
                  <td data-label="Since" class="num">
                    {moment(b.createdAt)}
                  </td>
                  <td data-label="Until" class="num">
                    {b.expiresAt < 0 ? "for ever" : moment(b.expiresAt)}
                  </td>
                  <td class="right">
                    <Sure label="Lift" danger={false} question={`Let ${b.client ?? b.user ?? b.network} in again?`} onSure={() => void lift(b._id)} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}

/** A new ban: of one of those that are known, or of whoever is typed. */
export function BanForm({ ambit, of, onDone }: Pick<ScreenProps, "ambit"> & { of: { client?: string | undefined; user?: string | undefined; network?: string | undefined }; onDone: () => void }) {
  const [kind, setKind] = useState<Kind>("client");
  const [who, setWho] = useState<Record<Kind, string>>({ client: of.client ?? "", user: of.user ?? "", network: hostOf(of.network) });
  const [reason, setReason] = useState("");
  const [expiresIn, setExpiresIn] = useState("1h");
  const [error, setError] = useState<unknown>();
  const ban = (e: SubmitEvent) => {
    e.preventDefault();
    setError(undefined);
    ambit.connection
      .request({ controller: "ban", action: "create", [kind]: who[kind].trim(), ...(reason && { reason }), ...(expiresIn && { expiresIn }) })
      .then(() => (say(`${who[kind]} is banned`), onDone()), setError);
  };
  return (
    <form class="form" onSubmit={ban} aria-label="Ban">
      <div class="form-row">
        <Field label="Ban by">
          <select value={kind} onChange={(e) => setKind(e.currentTarget.value as Kind)}>
            {Object.entries(kinds).map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </Field>
        <Field label={kinds[kind]}>
          <input class="mono" required value={who[kind]} spellcheck={false} onInput={(e) => setWho({ ...who, [kind]: e.currentTarget.value })} />
        </Field>
      </div>
      <div class="form-row">
        <Field label="Reason">
          <input value={reason} onInput={(e) => setReason(e.currentTarget.value)} />
        </Field>
        <Field label="For">
          <select value={expiresIn} onChange={(e) => setExpiresIn(e.currentTarget.value)}>
            {durations.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </Field>
      </div>
      <Fault error={error} />
      <div class="row">
        <button class="btn danger">Ban</button>
        <button type="button" class="btn quiet" onClick={onDone}>
          Cancel
        </button>
      </div>
    </form>
  );
}

/** The address without its port. */
const hostOf = (address = "") => address.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");

const moment = (at: number) => new Date(at).toLocaleString([], { dateStyle: "medium", timeStyle: "short", hour12: false });
