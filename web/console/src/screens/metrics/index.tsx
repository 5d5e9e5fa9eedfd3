import { useState } from "preact/hooks";

import { plural } from "../../format.js";
import type { ScreenProps } from "../../screens.js";
import { useStore } from "../../store.js";
import { Choice, Copyable, Fault, Head, Icon } from "../../ui/index.js";
import { charts } from "./charts.js";
import { Plot } from "./plot.js";
import { Refused, samplesOf } from "./sampler.js";
import "./metrics.css";

const spans = { "120000": "2 min", "300000": "5 min", "900000": "15 min" };

/** What the broker does, over time. */
export default function Metrics({ session }: ScreenProps) {
  const { samples, error } = useStore(samplesOf(session));
  const [span, setSpan] = useState<keyof typeof spans>("300000");
  if (error instanceof Refused) return <NotTold why={error} user={session.who.user} />;
  const last = samples.at(-1)?.scrape;
  return (
    <div class="screen">
      <Head title="Metrics" note={last && uptime(last.get("process_start_time_seconds"))}>
        <Choice label="How far back" value={span} options={Object.entries(spans).map(([value, label]) => ({ value: value as keyof typeof spans, label }))} onChange={setSpan} />
      </Head>
      <div class="body">
        <Fault error={error} />
        {samples.length === 0 && !error && (
          <p class="loading" role="status">
            Reading …
          </p>
        )}
        {samples.length > 0 && (
          <>
            <div class="charts">
              {charts.map((chart) => (
                <Plot key={chart.title} chart={chart} samples={samples} span={Number(span)} />
              ))}
            </div>
            <p class="muted metrics-foot">
              Read from <code>/metrics</code> every two seconds since this screen was first opened in this tab. For longer, have Prometheus read it:
            </p>
            <Copyable text={`curl ${session.credentials.secret === undefined ? "" : '-H "Authorization: Bearer $KEY" '}${location.origin}/metrics`} />
          </>
        )}
      </div>
    </div>
  );
}

function uptime(start: number | undefined): string | undefined {
  if (start === undefined) return undefined;
  const minutes = Math.floor((Date.now() / 1000 - start) / 60);
  if (minutes < 1) return "just started";
  if (minutes < 60) return `up for ${plural(minutes, "minute")}`;
  return minutes < 2880 ? `up for ${plural(Math.floor(minutes / 60), "hour")}` : `up for ${plural(Math.floor(minutes / 1440), "day")}`;
}

/** The figures are for those whose rules allow server:metrics. */
function NotTold({ why, user }: { why: Error; user: string | undefined }) {
  return (
    <div class="screen">
      <Head title="Metrics" />
      <div class="body">
        <div class="notice" role="alert">
          <Icon name="warning" size={16} />
          <div>
            <p>
              {user ?? "Who has not signed in"} may not read the figures of this broker. It says: <q>{why.message}</q>
            </p>
            <p>A role that may has this in the policy:</p>
            <Copyable text={"roles:\n  watcher:\n    api: [\"server:metrics\"]"} label="Policy" />
          </div>
        </div>
      </div>
    </div>
  );
}
