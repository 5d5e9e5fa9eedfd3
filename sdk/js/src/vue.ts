import { type ShallowRef, onScopeDispose, shallowRef, triggerRef } from "vue";

import { coalesced } from "./coalesce.js";
import type { Observed } from "./observe.js";

/**
 * Starts an object that keeps itself in sync, is reactive with its updates, and stops it with the component:
 *
 *     const trucks = useObserved(ambit.observe.search("fleet", "trucks", { sort: "name" }));
 *
 * If it cannot be started, its error says why.
 */
export function useObserved<O extends Observed<any>>(observed: O): ShallowRef<O> {
  const ref = shallowRef(observed) as ShallowRef<O>;
  const off = coalesced(observed, () => triggerRef(ref));
  observed.start().catch(() => undefined); // it is in observed.error
  onScopeDispose(() => {
    off();
    void observed.stop();
  });
  return ref;
}
