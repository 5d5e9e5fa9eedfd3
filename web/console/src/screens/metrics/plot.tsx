import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { useStore } from "../../store.js";
import { color, shown } from "../../theme.js";
import type { Chart } from "./charts.js";
import type { Sample } from "./sampler.js";

const height = 150;

/** One chart, over the last so many milliseconds. */
export function Plot({ chart, samples, span }: { chart: Chart; samples: readonly Sample[]; span: number }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const isDark = useStore(shown);
  const values = chart.lines.map((line) => samples.map((_, i) => line.value(samples, i) ?? null));
  const now = values.map((of) => of.at(-1) ?? undefined);
  useEffect(() => {
    const place = box.current!;
    const made = new uPlot(options(chart, place.clientWidth), [[], ...chart.lines.map(() => [])], place);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: place.clientWidth, height }));
    observer.observe(place);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [chart, isDark]);
  useEffect(() => {
    const end = (samples.at(-1)?.scrape.at ?? Date.now()) / 1000;
    plot.current?.batch(() => {
      plot.current!.setData([samples.map((s) => s.scrape.at / 1000), ...values] as uPlot.AlignedData, false);
      plot.current!.setScale("x", { min: Math.max(end - span / 1000, Math.min(samples[0]!.scrape.at / 1000, end - 30)), max: end });
    });
  }, [samples, span, isDark]);
  const said = chart.lines.map((line, i) => `${line.name} ${now[i] === undefined ? "nothing" : chart.show(now[i])}`).join(", ");
  return (
    <section class="card chart">
      <h2 title={chart.note}>{chart.title}</h2>
      <ul class="legend">
        {chart.lines.map((line, i) => (
          <li key={line.name}>
            <span class="key" style={{ background: `var(${line.color})` }} aria-hidden="true" />
            {line.name} <b class="num">{now[i] === undefined ? "–" : chart.show(now[i])}</b>
          </li>
        ))}
      </ul>
      <div ref={box} class="plot" role="img" aria-label={`${chart.title}: ${said}. ${chart.note}`} />
    </section>
  );
}

function options(chart: Chart, width: number): uPlot.Options {
  const axis: uPlot.Axis = { stroke: color("--ink-3"), font: "11px Plex Sans, sans-serif", grid: { stroke: color("--line"), width: 1 }, ticks: { show: false } };
  return {
    width,
    height,
    padding: [8, 26, 0, 0],
    legend: { show: false },
    cursor: { points: { size: 6 }, drag: { x: false, y: false }, y: false },
    scales: { x: { time: true }, y: { range: (_, _low, high) => [0, high ? high * 1.1 : 1] } },
    axes: [
      { ...axis, grid: { show: false }, size: 24, space: 70, values: [[60, "{HH}:{mm}", null, null, null, null, null, null, 1], [1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1]] },
      { ...axis, size: 62, space: 34, values: (_, ticks) => ticks.map((n) => chart.show(n)) },
    ],
    series: [{}, ...chart.lines.map((line) => ({ label: line.name, stroke: color(line.color), width: 1.75, points: { show: false }, spanGaps: false }))],
  };
}
