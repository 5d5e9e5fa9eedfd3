// What screens are made of. Styles are in style/ui.css; what is not here is plain HTML, which base.css makes look right.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";

import { Icon, type IconName } from "./icon.js";
import { say } from "./toast.js";

export { Icon, type IconName } from "./icon.js";
export { Json } from "./json.js";
export { say } from "./toast.js";

/** The head of a screen: its title, what there is to know at a glance, and its tools. */
export function Head({ title, note, children }: { title: string; note?: ComponentChildren; children?: ComponentChildren }) {
  return (
    <header class="head">
      <h1>{title}</h1>
      {note !== undefined && <p class="head-note">{note}</p>}
      {children && <div class="head-tools">{children}</div>}
    </header>
  );
}

/** A screen, or a part of it, in which there is nothing yet: it says what to do first. */
export function Empty({ icon, title, children }: { icon?: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      {icon && <Icon name={icon} size={32} />}
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** A command, a topic or a filter that is to be copied. */
export function Copyable({ text, label }: { text: string; label?: string }) {
  const [done, setDone] = useState(false);
  const id = useId();
  const copy = async () => {
    await copyText(text);
    setDone(true);
    say("Copied");
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <div class="copyable">
      {label && (
        <span class="copyable-label" id={id}>
          {label}
        </span>
      )}
      <div class="copyable-box">
        <pre tabIndex={0} {...(label ? { role: "group", "aria-labelledby": id } : { role: "group", "aria-label": "Command" })}>
          <code>{text}</code>
        </pre>
        <button type="button" class="btn quiet icon-only" onClick={copy} aria-label={`Copy ${label ?? "the command"}`} title="Copy">
          <Icon name={done ? "check" : "copy"} size={16} />
        </button>
      </div>
    </div>
  );
}

/** Copies, also on pages that came over plain HTTP from another machine, where there is no clipboard. */
async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

/** A control with its label above it. */
export function Field({ label, hint, children }: { label: string; hint?: ComponentChildren; children: ComponentChildren }) {
  return (
    <label class="field">
      <span class="field-label">{label}</span>
      {children}
      {hint !== undefined && <span class="field-hint">{hint}</span>}
    </label>
  );
}

export type Tone = "enter" | "stay" | "exit" | "info" | "warn" | "danger" | "plain";

export function Badge({ tone = "plain", children }: { tone?: Tone; children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

/** What went wrong, where it went wrong. */
export function Fault({ error, children }: { error: unknown; children?: ComponentChildren }) {
  if (error === undefined || error === null || error === "") return null;
  const text = error instanceof Error ? error.message : String(error);
  return (
    <div class="fault" role="alert">
      <Icon name="warning" size={16} />
      <div>
        {children && !/[.!?…]$/.test(text) ? `${text}.` : text}
        {children}
      </div>
    </div>
  );
}

/** A dialog over the page. Escape, and a click beside it, close it. */
export function Dialog({ title, onClose, children, wide }: { title: string; onClose: () => void; children: ComponentChildren; wide?: boolean }) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current!;
    dialog.showModal();
    return () => dialog.close();
  }, []);
  return (
    <dialog ref={ref} class={wide ? "dialog wide" : "dialog"} aria-labelledby={id} onClose={onClose} onClick={(e) => e.target === ref.current && onClose()}>
      <div class="dialog-inner">
        <header class="dialog-head">
          <h2 id={id}>{title}</h2>
          <button type="button" class="btn quiet icon-only" onClick={onClose} aria-label="Close">
            <Icon name="close" size={16} />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** A moment in milliseconds, as a time of day; its title has the date. */
export function Time({ at, millis }: { at: number; millis?: boolean }) {
  const date = new Date(at);
  const text = date.toLocaleTimeString([], { hour12: false, hour: "2-digit", minute: "2-digit", second: "2-digit", ...(millis && { fractionalSecondDigits: 3 }) });
  return (
    <time dateTime={date.toISOString()} title={date.toLocaleString()} class="num">
      {text}
    </time>
  );
}

/** One line of which one choice counts. */
export function Choice<T extends string>({ label, value, options, onChange }: { label: string; value: T; options: { value: T; label: string; icon?: IconName }[]; onChange: (value: T) => void }) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend class="hidden">{label}</legend>
      {options.map((option) => (
        <label key={option.value} class={option.value === value ? "on" : ""} title={option.icon ? option.label : undefined}>
          <input type="radio" name={name} value={option.value} checked={option.value === value} onChange={() => onChange(option.value)} />
          {option.icon ? <Icon name={option.icon} size={16} /> : null}
          <span class={option.icon ? "hidden" : ""}>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
