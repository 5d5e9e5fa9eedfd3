// Topic filters of rooms.
import type { Filter } from "@ambit/client";

/** A filter as it stands in a topic filter: it may have no + and no #. */
export const inTopic = (filter: Filter) => JSON.stringify(filter).replace(/[+#]/g, (c) => (c === "+" ? "\\u002b" : "\\u0023"));

export const roomTopic = (index: string, collection: string, filter: Filter) => `${index}/${collection}/?${inTopic(filter)}`;
