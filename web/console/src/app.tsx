import { useEffect } from "preact/hooks";

import { Door } from "./door.js";
import { phase, open } from "./session.js";
import { Shell } from "./shell.js";
import { useStore } from "./store.js";
import { Logo } from "./ui/icon.js";
import { Toast } from "./ui/toast.js";

export function App() {
  const now = useStore(phase);
  useEffect(() => void open(), []);
  return (
    <>
      {now.at === "in" ? <Shell key={now.session.ambit.connection} session={now.session} /> : now.at === "door" ? <Door why={now.why} /> : <Waiting why={now.at === "away" ? now.why : undefined} />}
      <Toast />
    </>
  );
}

function Waiting({ why }: { why: string | undefined }) {
  return (
    <main class="door" id="content">
      <div class={why ? "waiting" : "waiting early"} role="status">
        <Logo size={44} />
        <p>{why ?? "Connecting …"}</p>
        {why && <p class="muted">Trying again every two seconds.</p>}
      </div>
    </main>
  );
}
