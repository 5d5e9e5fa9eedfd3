// Lines for a shell: where MQTT is spoken says the broker, if it tells us.
import type { Ambit } from "@ambit/client";

import { Store, useStore } from "../store.js";
import { Copyable } from "./index.js";

/** Where clients of MQTT connect. */
export interface Place {
  host: string;
  port: string;
  secure: boolean;
  /** Whether the broker has said so. Else it is a guess. */
  isTold: boolean;
}

const portKey = "ambit.mqtt-port"; // of who has set another one, as behind a proxy

const pageHost = () => location.hostname.replace(/^\[|\]$/g, "");

export const place = new Store<Place>({ host: pageHost(), port: localStorage.getItem(portKey) ?? "1883", secure: false, isTold: false });

export function setPort(port: string): void {
  localStorage.setItem(portKey, port);
  place.set({ ...place.value, port });
}

interface Info {
  serverInfo: { ambit: { listeners: { type: string; address: string }[] } };
}

/** Asks where MQTT is spoken. Who may not know sees the usual port, and can set another. */
export async function askPlace(ambit: Ambit): Promise<void> {
  const { serverInfo } = await ambit.connection.request<Info>({ controller: "server", action: "info" });
  const { listeners } = serverInfo.ambit;
  const listener = listeners.find((l) => l.type === "tcp") ?? listeners.find((l) => l.type === "tls");
  if (!listener) return;
  const colon = listener.address.lastIndexOf(":");
  const host = listener.address.slice(0, colon).replace(/^\[|\]$/g, "");
  const isAnywhere = ["", "::", "0.0.0.0"].includes(host);
  place.set({ host: isAnywhere ? pageHost() : host, port: localStorage.getItem(portKey) ?? listener.address.slice(colon + 1), secure: listener.type === "tls", isTold: true });
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

function line(command: string, { host, port, secure }: Place, user: string | undefined, topic: string): string {
  const at = `-h ${host}${port === "1883" ? "" : ` -p ${port}`}${secure ? " --tls-use-os-certs" : ""}`;
  return `${command} ${at}${user === undefined ? "" : ` -u ${quoted(user)} -P "$PASSWORD"`} -t ${quoted(topic)}`;
}

interface LineProps {
  topic: string;
  user: string | undefined;
  label?: string;
}

/** The line that subscribes to a topic. */
export function SubscribeLine({ topic, user, label }: LineProps) {
  return <Copyable text={line("mosquitto_sub", useStore(place), user, topic)} {...(label !== undefined && { label })} />;
}

/** The line that publishes a document. */
export function PublishLine({ topic, user, label, message }: LineProps & { message: string }) {
  return <Copyable text={`${line("mosquitto_pub -q 1", useStore(place), user, topic)} -m ${quoted(message)}`} {...(label !== undefined && { label })} />;
}

/** Which port the lines have, for who knows better: behind a proxy or a container it may be another one. */
export function PortField() {
  const { port, isTold } = useStore(place);
  return (
    <label class="port">
      MQTT port
      <input value={port} inputMode="numeric" title={isTold ? "As the broker says; a proxy may have another one" : "The broker does not tell you; this is a guess"} onInput={(e) => setPort(e.currentTarget.value || "1883")} />
    </label>
  );
}
