// Who is fast, as it changes: the fastest trucks in a table that keeps itself in sync.
import { connect } from "@ambit/client";

const broker = new URLSearchParams(location.search).get("broker") ?? "ws://127.0.0.1:8080/mqtt";
const $ = (id) => document.getElementById(id);
const fresh = new Map(); // when a row has changed
let trucks;
let drawn = false;

function note(text) {
  const line = document.createElement("li");
  line.textContent = `${new Date().toLocaleTimeString()} ${text}`;
  $("events").prepend(line);
  while ($("events").children.length > 8) $("events").lastChild.remove();
}

function draw() {
  drawn = false;
  const now = Date.now();
  $("total").textContent = trucks.total;
  $("more").hidden = !trucks.hasNext;
  $("rows").replaceChildren(
    ...trucks.hits.map(({ _id, _source }) => {
      const row = document.createElement("tr");
      if (now - (fresh.get(_id) ?? 0) < 500) row.className = "new";
      const at = new Date(_source._kuzzle_info.updatedAt ?? _source._kuzzle_info.createdAt);
      for (const text of [_id, _source.speed.toFixed(0), at.toLocaleTimeString()]) row.insertCell().textContent = text;
      return row;
    }),
  );
}

async function watch(ambit, limit) {
  await trucks?.stop();
  $("limit").textContent = limit;
  const query = { range: { speed: { gt: limit } } };
  const mine = ambit.observe.search("fleet", "trucks", { query, sort: [{ speed: "desc" }] }, { size: 12 });
  trucks = mine;
  mine.on("change", (id) => fresh.set(id, Date.now()));
  mine.on("delete", (id) => note(`${id} is slow now, or gone`));
  mine.on("gap", () => note("something was missed"));
  mine.on("error", (e) => note(e.message));
  mine.on("update", () => {
    if (drawn || mine !== trucks) return;
    drawn = true;
    requestAnimationFrame(draw);
  });
  await mine.start();
}

try {
  const ambit = await connect(broker);
  $("state").textContent = "live";
  ambit.connection.on("connect", () => ($("state").textContent = "live"));
  ambit.connection.on("disconnect", () => ($("state").textContent = "connecting …"));
  $("speed").addEventListener("change", () => watch(ambit, Number($("speed").value)));
  $("more").addEventListener("click", () => trucks.next());
  await watch(ambit, Number($("speed").value));
} catch (e) {
  $("state").textContent = e.message;
}
