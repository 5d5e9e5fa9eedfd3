// Light or dark: as the system has it, or as was chosen here.
import { Store } from "./store.js";

export type Theme = "system" | "light" | "dark";

const key = "ambit.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

export const theme = new Store<Theme>(read());

function read(): Theme {
  const kept = localStorage.getItem(key);
  return kept === "light" || kept === "dark" ? kept : "system";
}

export const isDark = () => (theme.value === "system" ? system.matches : theme.value === "dark");

/** Has the page follow the choice, from now on. */
export function applyTheme(): void {
  const apply = () => {
    document.documentElement.dataset.theme = isDark() ? "dark" : "light";
    shown.set(isDark());
  };
  theme.subscribe(() => {
    theme.value === "system" ? localStorage.removeItem(key) : localStorage.setItem(key, theme.value);
    apply();
  });
  system.addEventListener("change", apply);
  apply();
}

/** Whether the page is dark, for who draws with colours of their own. */
export const shown = new Store(false);

/** The colour that a custom property of the style has now. */
export const color = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function nextTheme(): Theme {
  const order: Theme[] = ["system", "light", "dark"];
  const next = order[(order.indexOf(theme.value) + 1) % order.length]!;
  theme.set(next);
  return next;
}
