import { useEffect, useMemo, useState } from "preact/hooks";

import { collections, useAnswer } from "../../data.js";
import { hrefTo, navigate } from "../../router.js";
import type { ScreenProps } from "../../screens.js";
import { useStore } from "../../store.js";
import { Badge, Choice, Empty, Fault, Head, Icon, Time, type Tone } from "../../ui/index.js";
import { PublishLine } from "../../ui/shellline.js";
import { Details } from "./details.js";
import { type Follower, followerOf } from "./follow.js";
import { type Entry, type Kind, mostEntries } from "./log.js";
import "./notifications.css";

const rows = 200; // that are drawn; the others are found by a search

type Show = "all" | "enter" | "stay" | "exit";

/** Messages as they come: of rooms, and of any other topic. */
export default function Notifications({ ambit, session, route }: ScreenProps) {
  const follower = followerOf(ambit);
  const followed = useStore(follower.followed);
  const known = useAnswer(() => collections(ambit), [ambit]);
  const named = useAnswer(() => namedRooms(ambit).then((all) => all.slice(0, 4)), [ambit]);
  const wanted = route.query.get("topic");
  useEffect(() => {
    if (wanted === null) return;
    void follower.add(wanted);
    navigate(hrefTo("notifications"), true);
  }, [wanted]);
  return (
    <div class="screen fixed notes-screen">
      <Head title="Notifications">
        <FollowForm ambit={ambit} follower={follower} />
      </Head>
      {followed.length > 0 && <FollowedTopics follower={follower} />}
      {followed.length === 0 && follower.log.size === 0 ? (
        <Empty icon="notifications" title="Follow a room, or any topic">
          <p>
            <code>fleet/trucks/?</code> with a filter behind it is a room: it tells of documents that enter, stay and exit. <code>home/#</code> is an ordinary topic filter.
          </p>
          <div class="row">
            {(known.value?.length ? known.value.slice(0, 3) : [{ index: "fleet", collection: "trucks" }]).map(({ index, collection }) => (
              <button key={`${index}/${collection}`} type="button" class="btn" onClick={() => void follower.add(`${index}/${collection}/?{}`)}>
                <Icon name="plus" size={16} /> All of {index}/{collection}
              </button>
            ))}
            {named.value?.map((channel) => (
              <button key={channel} type="button" class="btn" onClick={() => void follower.add(channel)}>
                <Icon name="plus" size={16} /> {channel}
              </button>
            ))}
          </div>
          {known.value?.length === 0 && (
            <>
              <p>Then publish something there:</p>
              <PublishLine topic="fleet/trucks/42" message='{"speed":60}' user={session.who.user} />
            </>
          )}
        </Empty>
      ) : (
        <Messages ambit={ambit} follower={follower} />
      )}
    </div>
  );
}

function FollowForm({ ambit, follower }: { ambit: ScreenProps["ambit"]; follower: Follower }) {
  const [topic, setTopic] = useState("");
  const known = useAnswer(() => suggestions(ambit), [ambit]);
  const follow = (e: SubmitEvent) => {
    e.preventDefault();
    if (topic.trim() === "") return;
    void follower.add(topic.trim());
    setTopic("");
  };
  return (
    <form class="follow" onSubmit={follow}>
      <input aria-label="Topic" class="mono" list="known-topics" placeholder="fleet/trucks/?{} or home/#" value={topic} spellcheck={false} onInput={(e) => setTopic(e.currentTarget.value)} />
      <datalist id="known-topics">
        {known.value?.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <button class="btn primary">Follow</button>
    </form>
  );
}

/** The topic filters of the rooms that have a name, as far as we may know of them. */
async function namedRooms(ambit: ScreenProps["ambit"]): Promise<string[]> {
  const { rooms } = await ambit.connection.request<{ rooms: { channel: string }[] }>({ controller: "room", action: "list" }).catch(() => ({ rooms: [] }));
  return rooms.map((r) => r.channel);
}

async function suggestions(ambit: ScreenProps["ambit"]): Promise<string[]> {
  const [known, named] = await Promise.all([collections(ambit).catch(() => []), namedRooms(ambit)]);
  return [...named, ...known.map((c) => `${c.index}/${c.collection}/?{}`), "#"];
}

function FollowedTopics({ follower }: { follower: Follower }) {
  const followed = useStore(follower.followed);
  return (
    <ul class="followed" aria-label="What is followed">
      {followed.map(({ topic, error }) => (
        <li key={topic}>
          <span class={error ? "chip bad" : "chip"}>
            <code>{topic}</code>
            <button type="button" aria-label={`Stop following ${topic}`} title="Stop following" onClick={() => void follower.remove(topic)}>
              <Icon name="close" size={13} />
            </button>
          </span>
          {error && <Fault error={error} />}
        </li>
      ))}
    </ul>
  );
}

function Messages({ ambit, follower }: { ambit: ScreenProps["ambit"]; follower: Follower }) {
  const version = useStore(follower.version);
  const [search, setSearch] = useState("");
  const [show, setShow] = useState<Show>("all");
  const [pausedAt, setPausedAt] = useState<number>();
  const [chosen, setChosen] = useState<Entry>();
  const { shown, found } = useMemo(() => {
    const words = search.toLowerCase();
    const passes = (e: Entry) => (show === "all" || e.kind === show) && (words === "" || e.topic.toLowerCase().includes(words) || e.text.toLowerCase().includes(words));
    return follower.log.find(passes, rows, pausedAt);
  }, [version, search, show, pausedAt]);
  const { log } = follower;
  return (
    <>
      <div class="notes-tools">
        <button type="button" class="btn" aria-pressed={pausedAt !== undefined} onClick={() => setPausedAt(pausedAt === undefined ? log.received : undefined)}>
          <Icon name={pausedAt === undefined ? "pause" : "play"} size={16} />
          {pausedAt === undefined ? "Pause" : `Go on (${(log.received - pausedAt).toLocaleString()} new)`}
        </button>
        <Choice
          label="Which"
          value={show}
          onChange={setShow}
          options={[
            { value: "all", label: "All" },
            { value: "enter", label: "Enter" },
            { value: "stay", label: "Stay" },
            { value: "exit", label: "Exit" },
          ]}
        />
        <input class="notes-search" data-search type="search" aria-label="Search" placeholder="Search (/)" value={search} onInput={(e) => setSearch(e.currentTarget.value)} />
        <p class="muted num notes-count" role="status">
          {log.received.toLocaleString()} came, {found.toLocaleString()} of {log.size.toLocaleString()} kept match
        </p>
        <button type="button" class="btn quiet" onClick={() => (follower.clear(), setChosen(undefined))}>
          Clear
        </button>
      </div>
      <div class={chosen ? "notes-parts chosen" : "notes-parts"}>
        <div class="notes-list" tabIndex={0} role="region" aria-label="Messages">
          {shown.length === 0 ? (
            <Empty title={log.size === 0 ? "Nothing has come so far" : "Nothing matches"}>
              <p>{log.size === 0 ? "What is told from now on appears here, the newest on top." : `Of each ${mostEntries.toLocaleString()} messages, the newest are kept.`}</p>
            </Empty>
          ) : (
            <table class="rows">
              <thead>
                <tr>
                  <th scope="col">Time</th>
                  <th scope="col">What</th>
                  <th scope="col">Of</th>
                  <th scope="col" class="notes-payload">
                    Payload
                  </th>
                </tr>
              </thead>
              <tbody>
                {shown.map((e) => (
                  <Row key={e.n} entry={e} chosen={e.n === chosen?.n} onChoose={setChosen} />
                ))}
              </tbody>
            </table>
          )}
        </div>
        {chosen && <Details ambit={ambit} entry={chosen} onClose={() => setChosen(undefined)} />}
      </div>
    </>
  );
}

const tones: Record<Kind, Tone> = { enter: "enter", stay: "stay", exit: "exit", user: "info", gap: "danger", publish: "info", message: "plain" };

function Row({ entry, chosen, onChoose }: { entry: Entry; chosen: boolean; onChoose: (e: Entry) => void }) {
  const n = entry.notification;
  const what = n?.type === "user" ? `user ${n.user}` : entry.kind;
  return (
    <tr class={chosen ? "selected" : ""} onClick={() => onChoose(entry)}>
      <td>
        <Time at={entry.at} />
      </td>
      <td>
        <Badge tone={tones[entry.kind]}>{what}</Badge>
      </td>
      <td>
        <button type="button" class="link" onClick={() => onChoose(entry)}>
          {(n?.type === "document" && n.result._id) || (n?.type === "user" && n.member.clientId) || entry.topic}
        </button>
      </td>
      <td class="mono notes-payload">
        <span>{summary(entry)}</span>
      </td>
    </tr>
  );
}

/** What a message says, in a line. */
function summary({ notification: n, text, bytes }: Entry): string {
  if (bytes === 0) return "(empty)";
  if (n?.type === "document") {
    const { _kuzzle_info: _, ...source } = n.result._source ?? {};
    return JSON.stringify(source).slice(0, 300);
  }
  if (n?.type === "gap") return `what happened from ${n.from} to ${n.to} cannot be told`;
  if (n?.type === "user") return `${n.result.count} in the room${n.why ? `, ${n.why}` : ""}`;
  return text.slice(0, 300);
}
