/** Is given messages, and their topics. */
export type Receiver = (payload: Uint8Array, topic: string) => void;

/** One subscription to a topic filter, for all who follow it. */
export class Followed {
  readonly receivers = new Set<{ to: Receiver }>();
  readonly matches: (topic: string) => boolean;

  constructor(
    readonly topicFilter: string,
    readonly qos: 0 | 1,
  ) {
    this.matches = matcher(topicFilter);
  }
}

/** What says whether a topic filter matches a topic: that of a prefix and `+`, which many messages have, at once. */
function matcher(topicFilter: string): (topic: string) => boolean {
  const levels = topicFilter.split("/");
  const prefix = topicFilter.slice(0, -1);
  if (prefix === "" || levels[0] === "$share" || levels.pop() !== "+" || levels.some((level) => level === "+")) {
    return (topic) => matches(topicFilter, topic);
  }
  return (topic) => topic.startsWith(prefix) && !topic.includes("/", prefix.length);
}

/** Whether a topic filter with wildcards matches a topic. */
export function matches(topicFilter: string, topic: string): boolean {
  const filters = topicFilter.replace(/^\$share\/[^/]+\//, "").split("/");
  const levels = topic.split("/");
  if (topic.startsWith("$") && !filters[0]!.startsWith("$")) return false;
  for (const [i, filter] of filters.entries()) {
    if (filter === "#") return true;
    if (i >= levels.length || (filter !== "+" && filter !== levels[i])) return false;
  }
  return filters.length === levels.length;
}
