import { ChannelController } from "./channel.js";
import { Connection } from "./connection.js";
import { DocumentController } from "./document.js";
import { ObserveController } from "./observe.js";
import type { Options } from "./options.js";
import { PresenceController } from "./presence.js";
import { RealtimeController } from "./realtime.js";

export * from "./channel.js";
export { Connection } from "./connection.js";
export * from "./document.js";
export { AmbitError } from "./error.js";
export * from "./observe.js";
export type * from "./options.js";
export * from "./presence.js";
export type { PublishOptions } from "./publish.js";
export * from "./realtime.js";
export type * from "./types.js";

/** A connection with everything that can be done on it. Who needs less of it makes controllers of a Connection. */
export class Ambit {
  readonly document: DocumentController;
  readonly realtime: RealtimeController;
  readonly observe: ObserveController;
  readonly presence: PresenceController;
  readonly channel: ChannelController;

  constructor(readonly connection: Connection) {
    this.document = new DocumentController(connection);
    this.realtime = new RealtimeController(connection);
    this.observe = new ObserveController(connection);
    this.presence = new PresenceController(connection);
    this.channel = new ChannelController(connection);
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}

/** Connects to `mqtt://host:1883` or `ws://host:8080/mqtt`, or their secure forms. */
export async function connect(url: string, options: Options = {}): Promise<Ambit> {
  return new Ambit(await Connection.open(url, options));
}
