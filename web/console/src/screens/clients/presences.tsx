import { useEffect, useState } from "preact/hooks";

import { ago, plural } from "../../format.js";
import type { ScreenProps } from "../../screens.js";
import { Badge, Choice, Copyable, Fault, Head, Icon } from "../../ui/index.js";
import { useNow } from "../../ui/split.js";

interface Standing {
  online: boolean;
  since: number;
  user: string | null;
  why?: string;
}

const most = 500; // rows that are drawn

/** Who is there, for those who may not see more of clients. */
export function Presences({ ambit, session, why }: ScreenProps & { why: Error }) {
  const [all, setAll] = useState<ReadonlyMap<string, Standing>>(new Map());
  const [error, setError] = useState<Error>();
  const [withGone, setWithGone] = useState(false);
  const now = useNow();
  useEffect(() => {
    const known = new Map<string, Standing>();
    let frame = 0;
    const following = ambit.presence.watch("+", (id, standing) => {
      known.set(id, standing);
      frame ||= requestAnimationFrame(() => ((frame = 0), setAll(new Map(known))));
    });
    following.catch(setError);
    return () => {
      cancelAnimationFrame(frame);
      void following.then((leave) => leave()).catch(() => undefined); // it was told above
    };
  }, [ambit]);
  const gone = [...all].filter(([, s]) => !s.online).length;
  const rows = [...all].filter(([, s]) => s.online || withGone).sort(([a, x], [b, y]) => Number(y.online) - Number(x.online) || a.localeCompare(b));
  return (
    <div class="screen">
      <Head title="Clients" note={all.size > 0 ? `${plural(rows.filter(([, s]) => s.online).length, "client")} online` : undefined}>
        {gone > 0 && <Choice label="Which clients" value={withGone ? "all" : "online"} options={[{ value: "online", label: "Online" }, { value: "all", label: `With ${gone.toLocaleString("en-US")} gone` }]} onChange={(which) => setWithGone(which === "all")} />}
      </Head>
      <div class="body form">
        <div class="notice" role="note">
          <Icon name="warning" size={16} />
          <div>
            <p>
              {session.who.user === undefined ? "Sign in as an administrator" : `${session.who.user} has not the role admin, which it takes`} to see connections, subscriptions and queues, and to disconnect and ban. The broker says: <q>{why.message}</q>
            </p>
            <Copyable label={session.who.user === undefined ? "Make an administrator, of a broker that is started with --users users.txt" : "Make an administrator"} text="ambit passwd users.txt anna --role admin" />
          </div>
        </div>
        {error ? (
          <Fault error={error}> It is about who is online.</Fault>
        ) : (
          <div class="card">
            <table class="rows cards">
              <thead>
                <tr>
                  <th scope="col">Client</th>
                  <th scope="col">User</th>
                  <th scope="col">State</th>
                  <th scope="col" class="right">
                    For
                  </th>
                  <th scope="col">Why it went</th>
                </tr>
              </thead>
              <tbody>
                {rows.slice(0, most).map(([id, s]) => (
                  <tr key={id}>
                    <td class="name mono">
                      {id} {id === ambit.connection.clientId && <span class="muted">this page</span>}
                    </td>
                    <td data-label="User">{s.user ?? <span class="muted">none</span>}</td>
                    <td>{s.online ? <Badge tone="enter">online</Badge> : <Badge>gone</Badge>}</td>
                    <td class="right num" data-label="For">
                      {ago(s.since, now)}
                    </td>
                    <td>{s.why ?? ""}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            {rows.length > most && <p class="more muted">{rows.length - most} more are not shown.</p>}
          </div>
        )}
      </div>
    </div>
  );
}
