import { type DependencyList, useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from "react";

import { coalesced } from "./coalesce.js";
import type { Observed } from "./observe.js";

/**
 * Starts an object that keeps itself in sync, renders with its updates, and stops it in the end:
 *
 *     const trucks = useObserved(() => ambit.observe.search("fleet", "trucks", { sort: "name" }), [ambit]);
 *
 * If it cannot be started, its error says why.
 */
export function useObserved<O extends Observed<any>>(make: () => O, deps: DependencyList): O {
  const observed = useMemo(make, deps);
  const shown = useRef(0);
  const subscribe = useCallback(
    (render: () => void) =>
      coalesced(observed, () => {
        shown.current++;
        render();
      }),
    [observed],
  );
  useSyncExternalStore(
    subscribe,
    () => shown.current,
    () => 0,
  );
  useEffect(() => {
    observed.start().catch(() => undefined); // it is in observed.error
    return () => void observed.stop();
  }, [observed]);
  return observed;
}
