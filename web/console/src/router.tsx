// Where we are is the address: /<screen>/<rest>?<query>.
import type { ComponentChildren } from "preact";

import { Store, useStore } from "./store.js";

export interface Route {
  screen: string;
  /** What is behind the screen in the path, decoded. */
  rest: string[];
  query: URLSearchParams;
}

function read(): Route {
  const [screen = "", ...rest] = location.pathname.split("/").filter(Boolean).map(decode);
  return { screen, rest, query: new URLSearchParams(location.search) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // it was written by hand
  }
}

export const route = new Store<Route>(read());
addEventListener("popstate", () => route.set(read()));

export const useRoute = () => useStore(route);

/** The address of a screen: hrefTo("documents", "fleet", "trucks", { id: "42" }). */
export function hrefTo(screen: string, ...rest: (string | Record<string, string | undefined>)[]): string {
  const query = new URLSearchParams();
  let path = "/" + encodeURIComponent(screen);
  for (const part of rest) {
    if (typeof part === "string") path += "/" + encodeURIComponent(part);
    else for (const [name, value] of Object.entries(part)) if (value !== undefined) query.set(name, value);
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

export function navigate(href: string, replace = false): void {
  if (href === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", href);
  route.set(read());
}

/** A link that stays in this page. */
export function Link(props: { href: string; class?: string; children: ComponentChildren; "aria-current"?: "page" | undefined; title?: string }) {
  const follow = (e: MouseEvent) => {
    if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    e.preventDefault();
    navigate(props.href);
  };
  return <a {...props} onClick={follow} />;
}
