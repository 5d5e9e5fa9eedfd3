// Why a filter holds for a document, or does not: clause by clause.
import type { Ambit, Explanation, Filter } from "@ambit/client";

import { useAnswer } from "../data.js";
import { Icon } from "./icon.js";
import { Badge, Fault } from "./index.js";

/** Asks the broker, and shows its answer. The document is an id of a stored one, or an object. */
export function Explain({ ambit, index, collection, filter, document }: { ambit: Ambit; index: string; collection: string; filter: Filter; document: string | object }) {
  const answer = useAnswer(() => ambit.realtime.explain(index, collection, filter, document), [ambit, index, collection, JSON.stringify(filter), JSON.stringify(document)]);
  if (answer.error) return <Fault error={answer.error} />;
  if (!answer.value) return <p class="muted">Asking …</p>;
  return (
    <div class="explain">
      <p>
        <Badge tone={answer.value.matches ? "enter" : "exit"}>{answer.value.matches ? "in scope" : "not in scope"}</Badge>
      </p>
      <ul>
        <Clause part={answer.value.explain} />
      </ul>
    </div>
  );
}

function Clause({ part }: { part: Explanation }) {
  const combination = ["and", "or", "not", "nor"].find((name) => part[name] !== undefined);
  const inner = combination === undefined ? [] : [part[combination]].flat();
  return (
    <li class={part.holds ? "holds" : "fails"}>
      <Icon name={part.holds ? "check" : "close"} size={14} />
      <div>
        <span class="hidden">{part.holds ? "holds: " : "does not hold: "}</span>
        {combination ?? <code>{JSON.stringify(part.clause)}</code>}
        {combination === undefined && <div class="muted">the document has {part.value === undefined ? "nothing there" : <code>{JSON.stringify(part.value)}</code>}</div>}
        {inner.length > 0 && (
          <ul>
            {inner.map((p, i) => (
              <Clause key={i} part={p as Explanation} />
            ))}
          </ul>
        )}
      </div>
    </li>
  );
}
