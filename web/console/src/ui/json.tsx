import type { ComponentChild } from "preact";

/** A JSON value, for reading: short arrays and objects on one line. */
export function Json({ value, label }: { value: unknown; label?: string }) {
  return (
    <pre class="json" tabIndex={0} role="group" aria-label={label ?? "JSON"}>
      <code>{show(value, "")}</code>
    </pre>
  );
}

const width = 72;

function show(value: unknown, indent: string): ComponentChild {
  if (typeof value !== "object" || value === null) return <span class={`json-${value === null ? "null" : typeof value}`}>{JSON.stringify(value)}</span>;
  const isArray = Array.isArray(value);
  const entries = Object.entries(value);
  const [open, close] = isArray ? "[]" : "{}";
  if (entries.length === 0) return `${open}${close}`;
  const short = JSON.stringify(value).length + indent.length < width && entries.every(([, v]) => typeof v !== "object" || v === null || isArray);
  const inner = indent + "  ";
  const parts: ComponentChild[] = [open];
  entries.forEach(([name, v], i) => {
    parts.push(short ? (i > 0 || !isArray ? " " : "") : `\n${inner}`);
    if (!isArray) parts.push(<span class="json-key">{JSON.stringify(name)}</span>, ": ");
    parts.push(show(v, inner), i < entries.length - 1 ? "," : "");
  });
  parts.push(short ? (isArray ? "" : " ") : `\n${indent}`, close);
  return parts;
}
