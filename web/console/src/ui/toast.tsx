import { Store, useStore } from "../store.js";

interface Said {
  text: string;
  at: number;
}

const said = new Store<Said | undefined>(undefined);
let timer: ReturnType<typeof setTimeout> | undefined;

/** Says something for a moment, also to who does not see it. */
export function say(text: string): void {
  said.set({ text, at: Date.now() });
  clearTimeout(timer);
  timer = setTimeout(() => said.set(undefined), 2500);
}

export function Toast() {
  const now = useStore(said);
  return (
    <div class="toast-place" role="status" aria-live="polite">
      {now && (
        <div class="toast" key={now.at}>
          {now.text}
        </div>
      )}
    </div>
  );
}
