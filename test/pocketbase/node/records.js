// Records: read, found, written, and what is refused.
import { match, members, refused } from "./world.js";

export const settings = { "ambit.yaml": "pocketbase: {index: fleet}\n" };

const time = (text) => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z$/.test(text);

export const records = {
  async "a record is made, read, changed and deleted"(world) {
    const trucks = world.records();
    const made = await trucks.create({ speed: 60, driver: { name: "Ada" } });
    match(made, { id: (id) => /^[a-z0-9]{15}$/.test(id), collectionName: world.collection, speed: 60, created: time, updated: (t) => t === made.created });
    members(made, "id", "collectionId", "collectionName", "created", "updated", "speed", "driver");
    match(await trucks.getOne(made.id), made);
    const changed = await trucks.update(made.id, { speed: 70 });
    match(changed, { id: made.id, speed: 70, driver: { name: "Ada" }, created: made.created, updated: time });
    match(await trucks.update(made.id, { ...changed, speed: 80 }), { speed: 80 });
    match(await trucks.delete(made.id), true);
    await refused(trucks.getOne(made.id), 404, "wasn't found");
  },

  async "a record has the id that it is given, once"(world) {
    const trucks = world.records();
    match(await trucks.create({ id: "42", speed: 60 }), { id: "42" });
    await refused(trucks.create({ id: "42", speed: 60 }), 400, "already exists");
    await refused(trucks.update("43", { speed: 1 }), 404);
    await refused(trucks.delete("43"), 404);
    await refused(trucks.update("42", { "speed+": 1 }), 400);
  },

  async "a device and a client share a document"(world) {
    await world.publish("7", { speed: 60 });
    const trucks = world.records();
    match(await trucks.getOne("7"), { id: "7", speed: 60 });
    match(await world.client().collection(`fleet.${world.collection}`).getOne("7"), { id: "7", collectionName: world.collection });
    await trucks.update("7", { speed: 10 });
    const { result } = await world.outside.ask("document", "get", { index: "fleet", collection: world.collection, _id: "7" });
    match(result._source, { speed: 10 });
    members(result._source, "speed", "_kuzzle_info");
  },

  async "records are listed by pages, sorted, with some fields"(world) {
    const trucks = world.records();
    for (let n = 1; n <= 5; n++) await trucks.create({ id: `t${n}`, n, at: { lat: n, lon: -n } });
    const page = await trucks.getList(2, 2, { sort: "-n" });
    match(page, { page: 2, perPage: 2, totalItems: 5, totalPages: 3, items: [{ id: "t3" }, { id: "t2" }] });
    match((await trucks.getFullList({ sort: "n", batch: 2 })).map((r) => r.n), [1, 2, 3, 4, 5]);
    const few = await trucks.getList(1, 1, { fields: "id,at.lat", sort: "+id" });
    match(JSON.stringify(few.items), '[{"id":"t1","at":{"lat":1}}]');
    match(await trucks.getList(9, 2), { items: [], totalItems: 5 });
    match(await trucks.getList(1, 2, { skipTotal: true }), { totalItems: -1, totalPages: -1, items: (i) => i.length === 2 });
  },

  async "records are found by a filter"(world) {
    const pb = world.client();
    const trucks = world.records(pb);
    await trucks.create({ id: "a", speed: 60, plate: "M-AM 1", tags: ["x"] });
    await trucks.create({ id: "b", speed: 40, plate: "m-xy 2" });
    const ids = async (filter) => (await trucks.getFullList({ filter })).map((r) => r.id).join();
    for (const [filter, want] of [
      ["speed > 50", "a"], ["speed >= 40 && plate ~ 'M-'", "a,b"], ["plate !~ 'am'", "b"], ["id = 'b' || tags ?= 'x'", "a,b"], ["tags = null", "b"],
      ["created > '2020-01-01'", "a,b"], ["updated < '2020-01-01 00:00:00.000Z'", ""], ["(speed = 60 || speed = 40) && id != 'a'", "b"],
      [pb.filter("plate = {:plate} && speed < {:speed}", { plate: "M-AM 1", speed: 100 }), "a"],
    ]) match(await ids(filter), want, filter);
    match(await trucks.getFirstListItem("speed < 50"), { id: "b" });
    await refused(trucks.getFirstListItem("speed < 5"), 404);
  },

  async "what has no meaning is refused with its position"(world) {
    const trucks = world.records();
    await refused(trucks.getList(1, 1, { filter: "speed >" }), 400, "at position 7");
    await refused(trucks.getList(1, 1, { filter: "speed > @now" }), 400, '"@now" has no meaning here (at position 8)');
    await refused(trucks.getList(1, 1, { filter: "a = b" }), 400, "two fields");
    await refused(trucks.getList(1, 1, { sort: "@random" }), 400, "sort");
    await refused(trucks.getList(1, 1, { fields: "a:excerpt(3)" }), 400, "fields");
    await refused(trucks.getList(1, 1, { expand: "driver" }), 400, "no relations");
    await refused(trucks.getList(20_000, 1), 400, "10000");
    await refused(world.client().collection("a+b.c").getList(1, 1), 400, "a+b");
  },
};
