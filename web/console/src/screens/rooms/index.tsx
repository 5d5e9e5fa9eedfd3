import { useEffect, useState } from "preact/hooks";

import { count, plural, rate } from "../../format.js";
import { Link, hrefTo, navigate } from "../../router.js";
import type { ScreenProps } from "../../screens.js";
import { Badge, Dialog, Empty, Fault, Head, Icon } from "../../ui/index.js";
import { SubscribeLine } from "../../ui/shellline.js";
import { Split } from "../../ui/split.js";
import { RoomForm } from "./form.js";
import { RoomPanel } from "./panel.js";
import { type Room, keyOf, useRooms, useScopes } from "./room.js";
import "./rooms.css";

/** Who is told of what. */
export default function Rooms(props: ScreenProps) {
  const { ambit, route, session } = props;
  const { rooms, total, missing, error, again } = useRooms(ambit);
  const scopes = useScopes(ambit, rooms);
  const [making, setMaking] = useState(false);
  const [looked, setLooked] = useState<{ key: string; members: number }>(); // at a room, of which this page is a member meanwhile
  const membersOf = (r: Room) => (looked?.key === keyOf(r) ? looked.members : r.members);
  const text = route.query.get("text") ?? "";
  const found = (rooms ?? []).filter((r) => text === "" || textOf(r).includes(text.toLowerCase()));
  const key = route.rest.join("/");
  const [, , name] = route.rest;
  const selected = (rooms ?? []).find((r) => keyOf(r) === key || (name?.startsWith("@") && r.names.some((n) => n.channel === key)));
  const lookedKey = selected && keyOf(selected);
  useEffect(() => {
    if (lookedKey === undefined) setLooked(undefined);
  }, [rooms, lookedKey === undefined]);
  const to = (r?: Room) => hrefTo("rooms", ...(r ? [r.index, r.collection, r.names[0] ? `@${r.names[0].name}` : r.roomId] : []), { text: text || undefined });
  return (
    <div class="screen fixed">
      <Head title="Rooms" note={rooms && `${plural(rooms.length, "room")}, ${count(rooms.filter((r) => membersOf(r) > 0).length)} with members`}>
        <input
          type="search"
          class="search"
          data-search
          aria-label="Find by name, collection or filter"
          placeholder="Name, collection or filter"
          value={text}
          spellcheck={false}
          onInput={(e) => navigate(hrefTo("rooms", ...route.rest, { text: e.currentTarget.value || undefined }), true)}
        />
        <button type="button" class="btn primary" onClick={() => setMaking(true)}>
          <Icon name="plus" size={16} /> Name a room
        </button>
      </Head>
      {error && (
        <div class="pad">
          <Fault error={error}> It is about listing rooms.</Fault>
        </div>
      )}
      {missing && (
        <p class="pad muted" role="note">
          {missing.what} are not shown to you: {missing.error.message}
        </p>
      )}
      {rooms?.length === 0 ? (
        <Empty icon="rooms" title="There are no rooms yet">
          <p>A room is a filter that somebody subscribed to: its members are told which documents enter, stay and exit. Subscribe to one:</p>
          <SubscribeLine topic={'fleet/trucks/?{"range":{"speed":{"gt":50}}}'} user={session.who.user} />
          <p>Or give a filter a name, to which others then subscribe.</p>
          <button type="button" class="btn" onClick={() => setMaking(true)}>
            <Icon name="plus" size={16} /> Name a room
          </button>
        </Empty>
      ) : (
        <Split panel={selected && <RoomPanel key={keyOf(selected)} {...props} room={selected} onClose={() => navigate(to())} onChanged={again} onMembers={(members) => setLooked({ key: keyOf(selected), members })} />}>
          {rooms && found.length === 0 && <Empty icon="rooms" title="No room is found by that" />}
          {found.length > 0 && <Rows rooms={found} scopes={scopes} membersOf={membersOf} selected={selected && keyOf(selected)} to={to} />}
          {total > 1000 && <p class="more muted">Of {count(total)} rooms with members, these are the first 1,000.</p>}
        </Split>
      )}
      {making && (
        <Dialog title="Name a room" onClose={() => setMaking(false)}>
          <RoomForm
            ambit={ambit}
            onDone={(made) => {
              setMaking(false);
              again();
              navigate(hrefTo("rooms", made.index, made.collection, `@${made.name}`));
            }}
            onCancel={() => setMaking(false)}
          />
        </Dialog>
      )}
    </div>
  );
}

const textOf = (r: Room) => `${r.index}/${r.collection} ${r.names.map((n) => `@${n.name}`).join(" ")} ${JSON.stringify(r.filter)} ${r.roomId}`.toLowerCase();

function Rows({ rooms, scopes, membersOf, selected, to }: { rooms: Room[]; membersOf: (r: Room) => number; scopes: ReadonlyMap<string, number>; selected: string | undefined; to: (r: Room) => string }) {
  return (
    <table class="rows cards">
      <thead>
        <tr>
          <th scope="col">Room</th>
          <th scope="col" class="minor">
            Collection
          </th>
          <th scope="col" class="filter-col minor">
            Filter
          </th>
          <th scope="col" class="right">
            Members
          </th>
          <th scope="col" class="right">
            In scope
          </th>
          <th scope="col" class="right">
            Notifications/s
          </th>
        </tr>
      </thead>
      <tbody>
        {rooms.map((r) => {
          const key = keyOf(r);
          return (
            <tr key={key} class={key === selected ? "can selected" : "can"} onClick={() => navigate(to(r))}>
              <td class="name">
                <Link href={to(r)} class="mono">
                  {r.names.length > 0 ? r.names.map((n) => `@${n.name}`).join(" ") : `~${r.roomId.slice(0, 8)}…`}
                </Link>{" "}
                {r.names.some((n) => n.configured) && <Badge>setting</Badge>}
              </td>
              <td class="mono minor" data-label="of">
                {r.index}/{r.collection}
              </td>
              <td class="mono filter-col minor">
                <span class="cut">{r.filter ? JSON.stringify(r.filter) : "not shown to you"}</span>
              </td>
              <td class="right num" data-label="Members">
                {count(membersOf(r))}
              </td>
              <td class="right num" data-label="In scope">
                {scopes.has(key) ? count(scopes.get(key)!) : "–"}
              </td>
              <td class="right num" data-label="Per second">
                {r.rate === undefined ? "–" : rate(r.rate)}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
