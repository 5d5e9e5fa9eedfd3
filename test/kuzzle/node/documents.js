// Every action of Kuzzle's on documents, indexes and collections, with its refusals.
import { Inbox, match, members, refused } from "./world.js";

const info = { author: "-1", createdAt: (at) => at > 1.6e12, updatedAt: null, updater: null };

export const documents = {
  async "the server says what it is"(w) {
    const k = await w.connect();
    match(await k.server.now(), (now) => Math.abs(now - Date.now()) < 60_000);
    match(await k.server.info(), { serverInfo: { ambit: { node: (n) => n.startsWith("ambit-") } } });
    match(await k.server.adminExists(), true);
    match(await k.query({ controller: "server", action: "healthCheck" }), { result: { status: "green" } });
    await refused(k.server.getConfig(), { id: "api.process.not_supported", status: 501 });
    await refused(k.ms.get("key"), { id: "api.process.controller_not_found", code: 0x02020004, status: 404, message: 'API controller "ms" not found.', props: ["ms"] });
    await refused(k.security.getRole("admin"), { id: "api.process.action_not_found", status: 404, props: ["security", "getRole"] });
    await refused(k.query({ controller: "document" }), { id: "api.assert.missing_argument", status: 400, props: ["action"] });
  },

  async "a response has Kuzzle's fields"(w) {
    const k = await w.connect();
    const told = await k.query({ controller: "document", action: "exists", index: "fleet", collection: "trucks", _id: "none", requestId: "r1", volatile: { by: "me" } });
    members(told, ["requestId", "status", "error", "controller", "action", "index", "collection", "volatile", "headers", "result", "node", "room"]);
    match(told, { requestId: "r1", room: "r1", status: 200, error: null, controller: "document", action: "exists", index: "fleet", collection: "trucks", volatile: { by: "me", sdkName: (n) => n.startsWith("js@7") }, headers: {}, result: false });
  },

  async "one document"(w) {
    const { document } = await w.connect();
    const at = ["fleet", "trucks"];
    match(await document.create(...at, { speed: 1 }, "1"), { _id: "1", _version: 1, _source: { speed: 1, _kuzzle_info: info } });
    match(await document.create(...at, { speed: 1 }), { _id: (id) => id.length > 10, _version: 1 });
    await refused(document.create(...at, {}, "1"), { id: "services.storage.document_already_exists", code: 0x01010011, status: 400, message: "Document already exists." });
    match(await document.createOrReplace(...at, "1", { speed: 2 }), { _id: "1", _version: 2, created: false, _source: { speed: 2 } });
    match(await document.createOrReplace(...at, "2", { speed: 2 }), { created: true, _version: 1 });
    match(await document.get(...at, "1"), { _id: "1", _version: 2, _source: { speed: 2 } });
    await refused(document.get(...at, "9"), { id: "services.storage.not_found", status: 404, message: 'Document "9" not found in "fleet":"trucks".', props: ["9", "fleet", "trucks"] });
    match(await document.exists(...at, "1"), true);
    match(await document.exists(...at, "9"), false);
    match(await document.update(...at, "1", { load: { kg: 5 } }), { _id: "1", _version: 3, _source: { load: { kg: 5 }, speed: (s) => s === undefined } });
    match(await document.update(...at, "1", { load: { parts: 2 } }, { source: true }), { _source: { speed: 2, load: { kg: 5, parts: 2 } } });
    await refused(document.update(...at, "9", {}), { status: 404 });
    match(await document.upsert(...at, "1", { speed: 3 }), { _id: "1", created: false, _version: 5 });
    match(await document.upsert(...at, "3", { speed: 3 }, { default: { type: "van" }, source: true }), { created: true, _source: { speed: 3, type: "van" } });
    match(await document.deleteFields(...at, "1", ["load.kg"], { source: true }), { _id: "1", _source: { load: { parts: 2 } } });
    match(await document.replace(...at, "1", { speed: 4 }), { _id: "1", _source: { speed: 4, load: (l) => l === undefined } });
    await refused(document.replace(...at, "9", {}), { status: 404 });
    match(await document.validate(...at, { speed: 1 }), { valid: true });
    match(await document.delete(...at, "1"), "1");
    await refused(document.delete(...at, "1"), { status: 404 });
    await refused(document.create("fleet", "trucks", [1], "1"), { id: "api.assert.invalid_type", status: 400 });
    await refused(document.create("fle et/", "trucks", {}, "1"), { id: "services.storage.invalid_index_name", status: 400 });
  },

  async "many documents"(w) {
    const { document } = await w.connect();
    const at = ["fleet", "vans"];
    const two = [{ _id: "1", body: { n: 1 } }, { _id: "2", body: { n: 2 } }];
    match(await document.mCreate(...at, two), { successes: [{ _id: "1", status: 201, _version: 1, _source: { n: 1 } }, { _id: "2" }], errors: [] });
    match(await document.mCreate(...at, two), { successes: [], errors: [{ document: two[0], status: 400, reason: "Document already exists." }, {}] });
    await refused(document.mCreate(...at, two, { strict: true }), { id: "api.process.incomplete_multiple_request", status: 400, errors: [{}, {}] });
    match(await document.mCreateOrReplace(...at, two), { successes: [{ created: false, status: 200, _version: 2 }, {}] });
    match(await document.mReplace(...at, [...two, { _id: "9", body: {} }]), { successes: [{}, {}], errors: [{ status: 404 }] });
    match(await document.mUpdate(...at, [{ _id: "1", body: { m: 1 } }]), { successes: [{ _id: "1", status: 200 }], errors: [] });
    match(await document.mUpsert(...at, [{ _id: "3", changes: { n: 3 } }]), { successes: [{ _id: "3", created: true, status: 201 }] });
    match(await document.mGet(...at, ["1", "9"]), { successes: [{ _id: "1", _source: { n: 1, m: 1 } }], errors: ["9"] });
    match(await document.count(...at, { query: { range: { n: { gte: 2 } } } }), 2);
    match(await document.updateByQuery(...at, { exists: "n" }, { seen: true }), { successes: [{}, {}, {}], errors: [] });
    match(await document.deleteByQuery(...at, { query: { equals: { n: 3 } } }), ["3"]);
    match(await document.mDelete(...at, ["1", "2", "9"]), { successes: ["1", "2"], errors: [{ _id: "9", status: 404 }] });
    await refused(document.mGet(...at, Array.from({ length: 10_001 }, String)), { id: "services.storage.get_limit_exceeded", status: 413 });
  },

  async "pages of a search"(w) {
    const { document } = await w.connect();
    const at = ["fleet", "pages"];
    await document.mCreate(...at, Array.from({ length: 7 }, (_, i) => ({ _id: `d${i}`, body: { n: i % 3, i } })));
    const everything = async (body, options) => {
      const found = [];
      let page = await document.search(...at, body, options);
      match(page.total, 7);
      for (; page !== null; page = await page.next()) found.push(...page.hits.map((h) => h._id));
      return found.join();
    };
    match(await everything({}, { size: 3, from: 0 }), "d0,d1,d2,d3,d4,d5,d6");
    match(await everything({}, { size: 2, scroll: "1m" }), "d0,d1,d2,d3,d4,d5,d6");
    match(await everything({ sort: [{ n: "desc" }, { _id: "asc" }] }, { size: 2 }), "d2,d5,d1,d4,d0,d3,d6");
    match(await document.search(...at, { query: { equals: { n: 2 } } }, { lang: "koncorde" }), { total: 2, hits: [{ _id: "d2", index: "fleet", collection: "pages", _source: { i: 2 } }, {}] });
    await refused(document.search(...at, { query: { match_all: {} } }), { id: "api.assert.koncorde_dsl_error", status: 400 });
    await refused(document.search(...at, { aggregations: {} }), { id: "services.storage.invalid_search_query", status: 400 });
  },

  async "indexes and collections"(w) {
    const { collection, index, document, ...k } = await w.connect().then((c) => ({ collection: c.collection, index: c.index, document: c.document, query: (q) => c.query(q) }));
    await index.create("zoo");
    await refused(index.create("zoo"), { id: "services.storage.index_already_exists", status: 412 });
    match(await index.exists("zoo"), true);
    match(await index.list(), (all) => all.includes("zoo"));
    match(await index.stats(), { indexes: (all) => all.length > 0 });
    await collection.create("zoo", "cats");
    const told = await k.query({ controller: "collection", action: "create", index: "zoo", collection: "dogs", body: { mappings: { properties: { name: { type: "keyword" } } } } });
    match(told, { result: { acknowledged: true }, deprecations: [{ message: (text) => text.includes("has no meaning") }] });
    await refused(collection.create("zoo", "birds", { mappings: { dynamic: "strict" } }), { id: "api.process.not_supported", status: 501 });
    match(await collection.exists("zoo", "dogs"), true);
    match(await collection.list("zoo"), { type: "all", collections: [{ name: "cats", type: "stored" }, { name: "dogs" }] });
    match(await collection.getMapping("zoo", "dogs"), { dynamic: "true", properties: {} });
    await refused(collection.updateMapping("zoo", "dogs", {}), { id: "api.process.not_supported", status: 501 });
    await refused(collection.getSpecifications("zoo", "dogs"), { id: "validation.assert.not_found", code: 0x0501000c, status: 404 });
    await refused(collection.updateSpecifications("zoo", "dogs", {}), { id: "api.process.not_supported", status: 501 });
    match(await collection.searchSpecifications(), { total: 0, hits: [] });
    await collection.deleteSpecifications("zoo", "dogs");
    await document.create("zoo", "dogs", {}, "rex");
    await collection.refresh("zoo", "dogs");
    await collection.truncate("zoo", "dogs");
    match(await document.exists("zoo", "dogs", "rex"), false);
    await collection.delete("zoo", "cats");
    await refused(collection.delete("zoo", "cats"), { id: "services.storage.unknown_collection", status: 412 });
    await index.delete("zoo");
    match(await index.mDelete(["zoo", "farm"]), []);
    await refused(index.delete("zoo"), { id: "services.storage.unknown_index", status: 412 });
  },

  async "what bulk and silent writes do is told to nobody"(w) {
    const k = await w.connect();
    const at = ["fleet", "bulk"];
    const inbox = new Inbox();
    await k.realtime.subscribe(...at, {}, inbox.add);
    match(await k.bulk.import(...at, [{ index: { _id: "1" } }, { n: 1 }, { delete: { _id: "9" } }]), {
      successes: [{ index: { _id: "1", status: 201 } }], errors: [{ delete: { _id: "9", status: 404 } }],
    });
    match(await k.bulk.write(...at, { n: 2 }, "2"), { _id: "2", _version: 1, _source: { n: 2 } });
    match(await k.bulk.mWrite(...at, [{ _id: "3", body: { n: 3 } }]), { successes: [{ _id: "3" }], errors: [] });
    match(await k.bulk.updateByQuery(...at, { exists: "n" }, { seen: true }), 3);
    match(await k.bulk.deleteByQuery(...at, { query: { equals: { n: 3 } } }), 1);
    await k.document.create(...at, {}, "4", { silent: true });
    await k.bulk.write(...at, { n: 5 }, "5", { notify: true });
    await inbox.expect({ result: { _id: "5" }, action: "create" });
    await k.document.update(...at, "1", { n: 6 });
    await inbox.expect({ result: { _id: "1" }, action: "update", scope: "in" });
  },
};
