// A list beside what there is of one of its rows. On a phone the one lies over the other.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { Icon } from "./icon.js";
import "./split.css";

export function Split({ children, panel }: { children: ComponentChildren; panel?: ComponentChildren }) {
  return (
    <div class={panel ? "split open" : "split"}>
      <div class="split-list">{children}</div>
      {panel}
    </div>
  );
}

/** What there is of one row. Escape closes it. */
export function Panel({ title, kind, onClose, children, actions }: { title: string; kind: string; onClose: () => void; children: ComponentChildren; actions?: ComponentChildren }) {
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const press = (e: KeyboardEvent) => {
      if (e.key === "Escape" && !document.querySelector("dialog[open]")) onClose();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  });
  return (
    <aside class="panel" aria-label={`${kind} ${title}`}>
      <header class="panel-head">
        <div class="panel-title">
          <p class="panel-kind">{kind}</p>
          <h2 ref={head}>{title}</h2>
        </div>
        <button type="button" class="btn quiet icon-only" onClick={onClose} aria-label="Close">
          <Icon name="close" size={16} />
        </button>
      </header>
      <div class="panel-body">{children}</div>
      {actions && <footer class="panel-foot">{actions}</footer>}
    </aside>
  );
}

/** Names with their values. */
export function Facts({ rows }: { rows: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A button that asks once more before it does it. */
export function Sure({ label, question, onSure, danger = true }: { label: ComponentChildren; question: string; onSure: () => void; danger?: boolean }) {
  const [asked, setAsked] = useState(false);
  const yes = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (asked) yes.current?.focus();
  }, [asked]);
  if (!asked) {
    return (
      <button type="button" class={danger ? "btn danger" : "btn"} onClick={() => setAsked(true)}>
        {label}
      </button>
    );
  }
  return (
    <span class="sure" role="group" aria-label={question}>
      <span>{question}</span>
      <button type="button" class="btn danger" ref={yes} onClick={() => (setAsked(false), onSure())}>
        Yes
      </button>
      <button type="button" class="btn quiet" onClick={() => setAsked(false)}>
        No
      </button>
    </span>
  );
}

/** The time in milliseconds, every so often. */
export function useNow(every = 1000): number {
  const [now, set] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => set(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

/** Calls again and again while the page is looked at. */
export function useEvery(milliseconds: number, call: () => void): void {
  const latest = useRef(call);
  latest.current = call;
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && latest.current(), milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds]);
}
