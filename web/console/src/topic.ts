// Topic filters of rooms, and the lines that subscribe to them in a shell.
import type { Filter } from "@ambit/client";

/** A filter as it stands in a topic filter: it may have no + and no #. */
export const inTopic = (filter: Filter) => JSON.stringify(filter).replace(/[+#]/g, (c) => (c === "+" ? "\\u002b" : "\\u0023"));

export const roomTopic = (index: string, collection: string, filter: Filter) => `${index}/${collection}/?${inTopic(filter)}`;

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

const portKey = "ambit.mqtt-port";

/** The port of MQTT: the page came by that of HTTP, and does not know the other. */
export const mqttPort = () => localStorage.getItem(portKey) ?? "1883";
export const setMQTTPort = (port: string) => localStorage.setItem(portKey, port);

export function mosquittoSub(topic: string, user: string | undefined): string {
  const port = mqttPort();
  const login = user === undefined ? "" : ` -u ${quoted(user)} -P "$PASSWORD"`;
  return `mosquitto_sub -h ${location.hostname.replace(/^\[|\]$/g, "")}${port === "1883" ? "" : ` -p ${port}`}${login} -t ${quoted(topic)}`;
}

export function mosquittoPub(topic: string, message: string, user: string | undefined): string {
  return mosquittoSub(topic, user).replace("mosquitto_sub", "mosquitto_pub -q 1") + ` -m ${quoted(message)}`;
}
