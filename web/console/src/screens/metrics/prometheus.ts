// What /metrics says, in the text format of Prometheus.

/** The sums and counts of one moment. */
export class Scrape {
  readonly #values = new Map<string, number>();

  constructor(
    /** In milliseconds. */
    readonly at: number,
    text: string,
  ) {
    for (const line of text.split("\n")) {
      if (line === "" || line.startsWith("#")) continue;
      const end = line.lastIndexOf(" ");
      this.#values.set(line.slice(0, end), Number(line.slice(end + 1)));
    }
  }

  /** The value of a metric without labels, or with these: `{reason="slow"}`. */
  get(name: string, labels = ""): number | undefined {
    return this.#values.get(name + labels);
  }

  /** The sum over all labels, undefined if there is no such metric. */
  sum(name: string): number | undefined {
    let sum: number | undefined;
    for (const [key, value] of this.#values) if (key === name || key.startsWith(`${name}{`)) sum = (sum ?? 0) + value;
    return sum;
  }

  /** The buckets of a histogram, each with how many values were not above its bound. */
  buckets(name: string): { bound: number; count: number }[] {
    const found: { bound: number; count: number }[] = [];
    const prefix = `${name}_bucket{le="`;
    for (const [key, count] of this.#values) if (key.startsWith(prefix)) found.push({ bound: Number(key.slice(prefix.length, -2).replace("+Inf", "Infinity")), count });
    return found.sort((a, b) => a.bound - b.bound);
  }
}

/** The value below which a part of what came between two moments is, undefined if nothing came. */
export function quantile(before: Scrape, after: Scrape, name: string, part: number): number | undefined {
  const was = new Map(before.buckets(name).map(({ bound, count }) => [bound, count]));
  const between = after.buckets(name).map(({ bound, count }) => ({ bound, count: count - (was.get(bound) ?? 0) }));
  const all = between.at(-1)?.count ?? 0;
  if (all <= 0) return undefined;
  const wanted = part * all;
  let low = 0;
  let below = 0;
  for (const { bound, count } of between) {
    if (count >= wanted) return bound === Infinity ? low : low + ((bound - low) * (wanted - below)) / (count - below);
    low = bound;
    below = count;
  }
  return low;
}
