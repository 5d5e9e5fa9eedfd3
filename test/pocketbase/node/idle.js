// A stream on which nothing is told, and collections with their index in their names.
import { Inbox, match, refused, until } from "./world.js";

export const settings = { "ambit.yaml": "pocketbase: {idle: 1s}\n" };

export const idle = {
  async "a stream on which nothing is told ends, and the client is back by itself"(world) {
    const inbox = new Inbox();
    const pb = world.client();
    const trucks = pb.collection(`fleet.${world.collection}`);
    const since = Date.now();
    await trucks.subscribe("*", inbox.add);
    const { clientId } = pb.realtime;
    await until(() => pb.realtime.isConnected && pb.realtime.clientId !== clientId, "the stream to end and the client to be back");
    match(Date.now() - since, (ms) => ms >= 1000);
    await until(async () => {
      await world.publish("1", { speed: Date.now() });
      return inbox.told.length > 0;
    }, "an event");
    await inbox.expect({ record: { id: "1", collectionName: `fleet.${world.collection}` } });
  },

  async "a collection has its index in its name"(world) {
    const pb = world.client();
    await refused(world.records(pb).getList(1, 1), 404, "Missing collection context");
    await refused(world.records(pb).subscribe("*", () => {}), 400, "validation_invalid_collection");
    const trucks = pb.collection(`fleet.${world.collection}`);
    match(await trucks.create({ id: "1" }), { collectionName: `fleet.${world.collection}` });
    match(await trucks.getList(1, 1), { totalItems: 1 });
  },
};
