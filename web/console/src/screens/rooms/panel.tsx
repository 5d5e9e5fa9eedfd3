import type { Ambit, Document, Member, Notification, ObservedSearch, Transition } from "@ambit/client";
import { useEffect, useState } from "preact/hooks";

import { ago, count, plural } from "../../format.js";
import { Link, hrefTo } from "../../router.js";
import type { ScreenProps } from "../../screens.js";
import { Badge, Fault, Icon, Json, Time, say } from "../../ui/index.js";
import { SubscribeLine } from "../../ui/shellline.js";
import { Panel, Sure, useNow } from "../../ui/split.js";
import { RoomForm } from "./form.js";
import { type Named, type Room, channelOf, titleOf } from "./room.js";

interface PanelProps extends ScreenProps {
  room: Room;
  onClose: () => void;
  onChanged: () => void;
  /** Is told how many members there are but this page. */
  onMembers: (count: number) => void;
}

/** What there is of one room. This page is a member of it as long as it is looked at, which is not counted. */
export function RoomPanel({ ambit, session, room, onClose, onChanged, onMembers }: PanelProps) {
  const [editing, setEditing] = useState<Named | "new">();
  const { index, collection, filter } = room;
  const mapHref = hrefTo("map", index, collection, { filter: filter ? JSON.stringify(filter) : undefined });
  return (
    <Panel
      title={titleOf(room)}
      kind={`Room of ${index}/${collection}`}
      onClose={onClose}
      actions={
        <>
          <Link class="btn" href={mapHref}>
            <Icon name="map" size={16} /> On the map
          </Link>
          <Link class="btn" href={hrefTo("notifications", { topic: channelOf(room) })}>
            <Icon name="notifications" size={16} /> Follow
          </Link>
          {room.names.length === 0 && filter && (
            <button type="button" class="btn" onClick={() => setEditing("new")}>
              Name it …
            </button>
          )}
        </>
      }
    >
      {editing ? (
        <RoomForm
          ambit={ambit}
          {...(editing === "new" ? { from: { index, collection, filter: filter! } } : { room: editing })}
          onDone={() => (setEditing(undefined), onChanged())}
          onCancel={() => setEditing(undefined)}
        />
      ) : (
        <section class="section">
          {filter ? <Json value={filter} label="Filter" /> : <p class="muted">Its filter is not shown to you: you may not see all documents of {index}/{collection}.</p>}
          <SubscribeLine topic={channelOf(room)} user={session.who.user} label="Subscribe to it" />
        </section>
      )}
      {room.names.map((n) => (
        <Name key={n.name} ambit={ambit} named={n} onEdit={() => setEditing(n)} onChanged={onChanged} />
      ))}
      <Members ambit={ambit} room={room} onCount={onMembers} />
      {filter && <Scope ambit={ambit} room={room} />}
      {filter && <Events ambit={ambit} room={room} />}
    </Panel>
  );
}

function Name({ ambit, named: n, onEdit, onChanged }: { ambit: Ambit; named: Named; onEdit: () => void; onChanged: () => void }) {
  const [error, setError] = useState<unknown>();
  const remove = () => ambit.connection.request({ controller: "room", action: "delete", index: n.index, collection: n.collection, name: n.name }).then(() => (say(`@${n.name} is deleted`), onChanged()), setError);
  return (
    <div class="named">
      <span class="mono">@{n.name}</span>
      {n.configured ? (
        <span class="muted">is a setting of the broker, and changed there.</span>
      ) : (
        <>
          <span class="muted">
            {n.updatedAt !== null && (
              <>
                since <Time at={n.updatedAt} />
              </>
            )}
            {n.author !== null && ` by ${n.author}`}
          </span>
          <button type="button" class="btn small" onClick={onEdit}>
            <Icon name="edit" size={14} /> Edit
          </button>
          <Sure label="Delete" question={`Delete the name @${n.name}?`} onSure={() => void remove()} />
        </>
      )}
      <Fault error={error} />
    </div>
  );
}

const membersShown = 100;

function Members({ ambit, room, onCount }: { ambit: Ambit; room: Room; onCount: (count: number) => void }) {
  const [state, set] = useState<{ count: number; members: Member[]; truncated?: boolean }>();
  const [error, setError] = useState<Error>();
  const now = useNow();
  useEffect(() => {
    let over = false;
    const following = ambit.presence.room(room.index, room.collection, room.roomId, (told) => {
      if (over) return;
      const members = told.members.filter((m) => m.clientId !== ambit.connection.clientId);
      const others = { ...told, members, count: told.count - (told.members.length - members.length) };
      set(others);
      onCount(others.count);
    });
    following.catch((e: Error) => over || setError(e));
    return () => {
      over = true;
      void following.then((leave) => leave()).catch(() => undefined); // it was told above
    };
  }, [ambit, room.index, room.collection, room.roomId]);
  return (
    <section class="section">
      <h3 class="section-title">{state ? plural(state.count, "member") : "Members"}</h3>
      <Fault error={error} />
      {state?.count === 0 && <p class="muted">Nobody but this page.</p>}
      {state && state.members.length > 0 && (
        <table class="rows compact">
          <thead class="hidden">
            <tr>
              <th scope="col">Client</th>
              <th scope="col">User</th>
              <th scope="col">For</th>
            </tr>
          </thead>
          <tbody>
            {state.members.slice(0, membersShown).map((m) => (
              <tr key={m.clientId}>
                <td class="name">
                  <Link href={hrefTo("clients", m.clientId)} class="mono" title={m.clientId}>
                    {m.clientId}
                  </Link>
                </td>
                <td class="nowrap">{m.user ?? ""}</td>
                <td class="right num nowrap">{ago(m.since, now)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {state && (state.members.length > membersShown || state.truncated) && <p class="muted">and {count(state.count - Math.min(state.members.length, membersShown))} more</p>}
    </section>
  );
}

const documentsShown = 12;

/** The documents in scope, live. */
function Scope({ ambit, room }: { ambit: Ambit; room: Room }) {
  const [state, set] = useState<{ hits: readonly Document[]; total: number }>();
  const [error, setError] = useState<Error>();
  const query = JSON.stringify(room.filter);
  useEffect(() => {
    const search: ObservedSearch = ambit.observe.search(room.index, room.collection, { query: JSON.parse(query) }, { size: documentsShown });
    let over = false;
    let frame = 0;
    const draw = () => {
      frame = 0;
      if (!over) set({ hits: [...search.hits], total: search.total });
    };
    search.on("update", () => (search.error ? setError(search.error) : (frame ||= requestAnimationFrame(draw))));
    search.start().then(draw, (e: Error) => over || setError(e));
    return () => {
      over = true;
      cancelAnimationFrame(frame);
      void search.stop();
    };
  }, [ambit, room.index, room.collection, query]);
  return (
    <section class="section">
      <h3 class="section-title">{state ? `${plural(state.total, "document")} in scope` : "Documents in scope"}</h3>
      <Fault error={error} />
      <div class="ids">
        {state?.hits.slice(0, documentsShown).map((doc) => (
          <Link key={doc._id} href={hrefTo("documents", room.index, room.collection, { id: doc._id })} class="mono">
            {doc._id}
          </Link>
        ))}
        {state && state.total > documentsShown && (
          <Link href={hrefTo("documents", room.index, room.collection, { filter: query })}>all {count(state.total)}</Link>
        )}
      </div>
    </section>
  );
}

interface Event {
  key: number;
  at: number;
  transition: Transition | "message" | "gap";
  id: string;
  source: unknown;
}

const eventsShown = 20;

/** What the room tells, the last first. */
function Events({ ambit, room }: { ambit: Ambit; room: Room }) {
  const [events, setEvents] = useState<Event[]>([]);
  const [error, setError] = useState<Error>();
  const query = JSON.stringify(room.filter);
  useEffect(() => {
    let over = false;
    let frame = 0;
    let n = 0;
    let list: Event[] = [];
    const told = (x: Notification) => {
      if (x.type === "user" || over) return;
      const event: Event =
        x.type === "gap"
          ? { key: ++n, at: Date.now(), transition: "gap", id: "", source: undefined }
          : { key: ++n, at: x.timestamp, transition: x.transition ?? "message", id: x.result._id ?? "", source: withoutInfo(x.result._source) };
      list = [event, ...list].slice(0, eventsShown);
      frame ||= requestAnimationFrame(() => ((frame = 0), over || setEvents(list)));
    };
    const following = ambit.realtime.subscribe(room.index, room.collection, JSON.parse(query), told, { onError: (e) => over || setError(e) });
    following.catch((e: Error) => over || setError(e));
    return () => {
      over = true;
      cancelAnimationFrame(frame);
      void following.then((s) => s.unsubscribe()).catch(() => undefined); // it was told above
    };
  }, [ambit, room.index, room.collection, query]);
  return (
    <section class="section">
      <h3 class="section-title">Last events</h3>
      <Fault error={error} />
      {events.length === 0 && !error && <p class="muted">None since this was opened.</p>}
      <ol class="events">
        {events.map((e) => (
          <li key={e.key}>
            <Time at={e.at} />
            <Badge tone={e.transition === "message" ? "info" : e.transition === "gap" ? "warn" : e.transition}>{e.transition}</Badge>
            <span class="mono event-id">{e.id}</span>
            <span class="mono muted cut-line">{e.source === undefined ? "" : JSON.stringify(e.source)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function withoutInfo({ _kuzzle_info: _, ...source }: { _kuzzle_info?: unknown }): unknown {
  return source;
}
