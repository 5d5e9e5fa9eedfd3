import { useState } from "preact/hooks";

import { hrefTo, navigate } from "../router.js";
import { Empty, type IconName } from "./index.js";

/** Asks for a collection: who may not ask which ones there are may know of one. */
export function ChooseCollection({ screen, icon, error }: { screen: string; icon: IconName; error: Error }) {
  const [name, setName] = useState("");
  const go = (e: SubmitEvent) => {
    e.preventDefault();
    navigate(hrefTo(screen, ...name.split("/")));
  };
  return (
    <Empty icon={icon} title="Which collection?">
      <p>The broker does not say which ones there are: {error.message}</p>
      <form class="row" onSubmit={go}>
        <input aria-label="Collection" class="mono grow" placeholder="fleet/trucks" required pattern="[^\/]+\/[^\/]+" value={name} onInput={(e) => setName(e.currentTarget.value)} />
        <button class="btn primary">Show</button>
      </form>
    </Empty>
  );
}
