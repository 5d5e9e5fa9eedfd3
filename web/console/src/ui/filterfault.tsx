// What is wrong with a filter, and where in its text.
import { Icon } from "./icon.js";
import "./split.css";

/** A part of a text, by the numbers of its characters. */
export interface Place {
  from: number;
  to: number;
}

/** Finds what a message is about: a position that it names, or the last name in quotes that stands in the text. */
export function placeOf(text: string, message: string): Place | undefined {
  const at = /position (\d+)/.exec(message);
  if (at) return { from: Number(at[1]), to: Number(at[1]) + 1 };
  if (/end of JSON|unterminated/i.test(message)) return { from: text.length, to: text.length + 1 };
  const names = [...message.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((m) => m[1]!);
  // "range.speed": "above" … is about above, in speed, in range.
  let from = 0;
  let found: Place | undefined;
  for (const name of names.flatMap((n) => (text.includes(`"${n}"`) ? [n] : n.split(".")))) {
    const i = text.indexOf(`"${name}"`, from);
    if (i < 0) continue;
    found = { from: i, to: i + name.length + 2 };
    from = i;
  }
  return found;
}

export function FilterFault({ id, text, message, place }: { id: string; text: string; message: string; place?: Place | undefined }) {
  return (
    <div class="fault" role="alert" id={id}>
      <Icon name="warning" size={16} />
      <div class="fault-where">
        <p>{message}</p>
        {place && <Excerpt text={text} place={place} />}
      </div>
    </div>
  );
}

const around = 36; // characters

/** The line where it is, with the place marked. */
function Excerpt({ text, place: { from, to } }: { text: string; place: Place }) {
  const before = text.slice(0, from);
  const line = before.split("\n").length;
  const start = before.lastIndexOf("\n") + 1;
  const end = text.indexOf("\n", from) < 0 ? text.length : text.indexOf("\n", from);
  const left = Math.max(start, from - around);
  const right = Math.min(end, to + around);
  return (
    <p class="excerpt">
      <span>
        Line {line}, column {from - start + 1}:
      </span>{" "}
      <code>
        {left > start ? "…" : ""}
        {text.slice(left, from)}
        <mark>{text.slice(from, Math.min(to, end)) || " "}</mark>
        {text.slice(Math.min(to, end), right)}
        {right < end ? "…" : ""}
      </code>
    </p>
  );
}
