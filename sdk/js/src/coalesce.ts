import type { Observed } from "./observe.js";

/** Calls back after updates, once a frame where there are frames. It returns what ends that. */
export function coalesced(observed: Observed<any>, callback: () => void): () => void {
  const later = globalThis.requestAnimationFrame ?? ((f: () => void) => setTimeout(f, 0));
  let due = false;
  let over = false;
  const off = observed.on("update", () => {
    if (due) return;
    due = true;
    later(() => {
      due = false;
      if (!over) callback();
    });
  });
  return () => {
    over = true;
    off();
  };
}
