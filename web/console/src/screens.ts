// The screens that there are. A screen is a folder in screens/ whose index.tsx exports a component by default; it is
// loaded when it is first looked at. /metrics is what Prometheus reads, so that screen is at /monitor. The broker serves the page at these paths (web/console.go).
import type { Ambit } from "@ambit/client";
import type { ComponentType } from "preact";

import type { Route } from "./router.js";
import type { Session } from "./session.js";
import type { IconName } from "./ui/icon.js";

/** What every screen is given. The connection heals by itself; another session is another instance of the screen. */
export interface ScreenProps {
  ambit: Ambit;
  session: Session;
  /** Where we are: rest and query are the screen's own. */
  route: Route;
}

export interface Screen {
  path: string;
  title: string;
  icon: IconName;
  /** The key that leads here, behind g. */
  key: string;
  load(): Promise<{ default: ComponentType<ScreenProps> }>;
}

export const screens: Screen[] = [
  { path: "map", title: "Map", icon: "map", key: "m", load: () => import("./screens/map/index.js") },
  { path: "rooms", title: "Rooms", icon: "rooms", key: "r", load: () => import("./screens/rooms/index.js") },
  { path: "documents", title: "Documents", icon: "documents", key: "d", load: () => import("./screens/documents/index.js") },
  { path: "notifications", title: "Notifications", icon: "notifications", key: "n", load: () => import("./screens/notifications/index.js") },
  { path: "clients", title: "Clients", icon: "clients", key: "c", load: () => import("./screens/clients/index.js") },
  { path: "monitor", title: "Metrics", icon: "metrics", key: "s", load: () => import("./screens/metrics/index.js") },
];
