import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import "leaflet/dist/leaflet.css";

import { collections, useAnswer } from "../../data.js";
import { hrefTo, navigate } from "../../router.js";
import type { ScreenProps } from "../../screens.js";
import { Store, useStore } from "../../store.js";
import { color, shown as dark } from "../../theme.js";
import { ChooseCollection } from "../../ui/choose.js";
import { Copyable, Empty, Fault, Head, Icon } from "../../ui/index.js";
import { PublishLine } from "../../ui/shellline.js";
import "./map.css";
import { type Drawn, filterOf, outlineOf } from "./fence.js";
import { Feed, type FrameInfo } from "./feed.js";
import { Fences, hueOf, hues } from "./fences.js";
import type { Source } from "./messages.js";
import { type Chosen, DocumentDetails, FenceDetails, FenceList } from "./panel.js";
import { type Draft, type Tool, draw } from "./tools.js";
import { MapView } from "./view.js";
import { loadWorld } from "./world.js";

/** The live map: which collection it is of is in the address. */
export default function MapScreen({ ambit, session, route }: ScreenProps) {
  const known = useAnswer(() => collections(ambit), [ambit]);
  const [index, collection] = route.rest;
  const filter = route.query.get("filter") ?? "{}";
  useEffect(() => {
    if (known.value?.length !== 0) return;
    const timer = setInterval(known.again, 2000); // the first document may come
    return () => clearInterval(timer);
  }, [known.value?.length]);
  useEffect(() => {
    const first = known.value?.[0];
    if (index === undefined && first) navigate(hrefTo("map", first.index, first.collection), true);
  }, [known.value, index]);

  if (index === undefined || collection === undefined) {
    return (
      <div class="screen">
        <Head title="Map" />
        {known.error && <ChooseCollection screen="map" icon="map" error={known.error} />}
        {known.value?.length === 0 && (
          <Empty icon="map" title="Nothing to show yet">
            <p>Publish a JSON object with a position on a topic of three levels. It is a document then, and appears here.</p>
            <PublishLine topic="fleet/trucks/42" message='{"position":{"lat":48.137,"lon":11.575},"speed":60}' user={session.who.user} />
            <p>Or run a broker with a simulated fleet:</p>
            <Copyable text="ambit demo" />
          </Empty>
        )}
      </div>
    );
  }
  return <LiveMap key={`${index}/${collection}/${filter}`} ambit={ambit} session={session} source={{ index, collection, filter }} names={known.value?.map((c) => `${c.index}/${c.collection}`) ?? []} field={route.query.get("field") ?? undefined} />;
}

interface LiveProps extends Pick<ScreenProps, "ambit" | "session"> {
  source: Source;
  names: string[];
  field: string | undefined;
}

const roomsEvery = 4000; // milliseconds

interface Figures {
  inView: number;
  rate: number;
}

function LiveMap({ ambit, session, source, names, field }: LiveProps) {
  const host = useRef<HTMLDivElement>(null);
  const [info, setInfo] = useState<FrameInfo>();
  const [error, setError] = useState<string>();
  const [tool, setTool] = useState<Tool>();
  const [draft, setDraft] = useState<Draft>();
  const [selected, setSelected] = useState<string>();
  const [chosen, setChosen] = useState<Chosen>();
  const figures = useMemo(() => new Store<Figures>({ inView: 0, rate: 0 }), []);
  const parts = useRef<{ view: MapView; feed: Feed } | undefined>(undefined);
  const fences = useMemo(() => new Fences(ambit, source.index, source.collection, source.filter, (id) => retint(id)), [ambit]);
  const states = useStore(fences.states);
  const isDark = useStore(dark);
  const online = useStore(session.online);
  const secret = useStore(session.secret);

  function retint(id: string | undefined): void {
    const { feed, view } = parts.current ?? {};
    if (!feed || !view) return;
    if (id !== undefined) {
      const slot = feed.slotOf.get(id);
      if (slot !== undefined) view.tint(slot, fences.tintOf(id));
      return;
    }
    for (const [name, slot] of feed.slotOf) view.tint(slot, fences.tintOf(name));
  }

  const choose = (slot: number) => {
    const { feed, view } = parts.current!;
    view.selected = slot;
    view.invalidate();
    feed.watch(slot);
    setChosen(slot < 0 ? undefined : { slot, id: feed.ids[slot]!, source: null });
  };

  useEffect(() => {
    let fitted = false;
    let arrived = true; // a frame that is not drawn yet
    let messages = 0;
    let since = performance.now();
    const feed = new Feed(session, source, field, {
      frame: (frame) => {
        arrived = true;
        messages += frame.messages;
        view.invalidate();
        setInfo((before) => (before && same(before, frame) ? before : frame));
        if (!fitted && frame.synced && (frame.documents === 0 || view.fit())) fitted = true;
      },
      watched: (slot, document) => setChosen((c) => (c && c.slot === slot ? { ...c, source: document } : c)),
      refused: setError,
      state: () => undefined,
    });
    feed.onNamed = (slot, id) => view.tint(slot, fences.tintOf(id));
    const view = new MapView(host.current!, () => feed, () => {
      if (arrived) {
        arrived = false;
        feed.next();
      }
      const now = performance.now();
      if (now - since >= 1000) {
        figures.set({ inView: view.inView, rate: (messages * 1000) / (now - since) });
        messages = 0;
        since = now;
      }
    });
    parts.current = { view, feed };
    Object.assign(host.current!, { view }); // for who measures it
    view.map.on("click", (e) => !host.current!.classList.contains("drawing") && choose(view.at(e.containerPoint.x, e.containerPoint.y)));
    loadWorld().then((world) => ((view.world = world), view.moved()), () => undefined); // the map is of use without it
    return () => {
      feed.close();
      view.close();
      parts.current = undefined;
    };
  }, []);

  useEffect(() => {
    const read = () => void fences.readRooms().catch(() => undefined); // it is read again soon
    read();
    const timer = setInterval(read, roomsEvery);
    return () => {
      clearInterval(timer);
      fences.close();
    };
  }, [fences]);

  useEffect(() => {
    const { view } = parts.current!;
    view.palette = [color("--dot"), ...Array.from({ length: hues }, (_, i) => hueOf(i))];
    view.fences = states.filter((f) => f.shown).map((f) => ({ outlines: f.outlines, color: hueOf(f.hue), name: f.name, selected: f.key === selected }));
    if (draft?.drawn) view.fences.push({ outlines: [outlineOf(draft.drawn)], color: color("--accent"), name: "", dashed: true, selected: true });
    view.invalidate();
  }, [states, selected, draft, isDark]);
  const hasRooms = states.some((f) => f.kind !== "drawn");
  useEffect(() => {
    const { view } = parts.current!;
    if (hasRooms && !view.isMoved) view.fit(); // they are read after the documents
  }, [hasRooms]);
  useEffect(() => parts.current?.view.restyle(), [isDark]);
  useEffect(() => parts.current?.feed.setSecret(secret), [secret]);

  useEffect(() => {
    if (!tool) return;
    const { view } = parts.current!;
    view.isMoved = true; // it stays as it is
    const done = (drawn: Drawn) => {
      setTool(undefined);
      fences.addDrawn(filterOf(drawn, info?.field ?? "position")).then(setSelected, (e: Error) => setError(e.message));
      choose(-1);
    };
    const end = draw(view, tool, setDraft, done);
    host.current!.focus({ preventScroll: true });
    return end;
  }, [tool, info?.field]);

  useEffect(() => {
    const press = (e: KeyboardEvent) => {
      if (e.key !== "Escape") return;
      setTool(undefined);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);

  const fence = states.find((f) => f.key === selected);
  return (
    <div class="screen fixed map-screen">
      <Head title="Map" note={<MapFigures figures={figures} info={info} online={online} />}>
        <SourceTools source={source} names={names} info={info} onField={(f) => parts.current?.feed.setField(f)} />
      </Head>
      {error && <Fault error={error} />}
      <div class="map-parts">
        <div class="map-place">
          <div class="map" ref={host} tabIndex={0} role="application" aria-label="Map. Arrow keys move it, plus and minus zoom." />
          <Toolbar tool={tool} onTool={setTool} onZoom={(by) => parts.current!.view.map.setZoom(parts.current!.view.map.getZoom() + by)} onFit={() => parts.current!.view.fit()} />
          {draft && (
            <p class="map-hint" role="status">
              {draft.text}
            </p>
          )}
          {info?.synced && info.field === undefined && (
            <div class="map-empty card">
              <Empty icon="map" title={info.documents === 0 ? "No documents yet" : "No positions"}>
                <p>
                  {info.documents === 0 ? "There is nothing in " : "No document has a position in "}
                  <code>
                    {source.index}/{source.collection}
                  </code>
                  . Publish one:
                </p>
                <PublishLine topic={`${source.index}/${source.collection}/42`} message='{"position":{"lat":48.137,"lon":11.575}}' user={session.who.user} />
              </Empty>
            </div>
          )}
        </div>
        <aside class="panel" aria-label="Fences and documents">
          {chosen ? (
            <DocumentDetails key={chosen.id} ambit={ambit} source={source} chosen={chosen} states={states} onClose={() => choose(-1)} />
          ) : fence ? (
            <FenceDetails ambit={ambit} source={source} fences={fences} fence={fence} user={session.who.user} onClose={() => setSelected(undefined)} onDocument={(id) => choose(parts.current!.feed.slotOf.get(id) ?? -1)} />
          ) : null}
          <h2 class="panel-title">Fences</h2>
          <FenceList fences={fences} states={states} selected={selected} onSelect={(key) => (choose(-1), setSelected(key === selected ? undefined : key))} />
        </aside>
      </div>
    </div>
  );
}

const same = (a: FrameInfo, b: FrameInfo) => a.documents === b.documents && a.synced === b.synced && a.field === b.field && a.fields.join() === b.fields.join();

function MapFigures({ figures, info, online }: { figures: Store<Figures>; info: FrameInfo | undefined; online: boolean }) {
  const { inView, rate } = useStore(figures);
  if (!info) return <>{online ? "Reading …" : "Connecting …"}</>;
  return (
    <span class="num">
      {info.documents.toLocaleString()} documents · {inView.toLocaleString()} in view · {Math.round(rate).toLocaleString()} updates/s
    </span>
  );
}

function SourceTools({ source, names, info, onField }: { source: Source; names: string[]; info: FrameInfo | undefined; onField: (field: string) => void }) {
  const now = `${source.index}/${source.collection}`;
  const [filter, setFilter] = useState(source.filter === "{}" ? "" : source.filter);
  const [bad, setBad] = useState(false);
  const apply = (e: SubmitEvent) => {
    e.preventDefault();
    const text = filter.trim() || "{}";
    try {
      JSON.parse(text);
    } catch {
      setBad(true);
      return;
    }
    navigate(hrefTo("map", source.index, source.collection, { filter: text === "{}" ? undefined : text }));
  };
  return (
    <>
      <select aria-label="Collection" value={now} onChange={(e) => navigate(hrefTo("map", ...e.currentTarget.value.split("/")))}>
        {(names.includes(now) ? names : [now, ...names]).map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      {info && info.fields.length > 1 && (
        <select aria-label="Field with the position" value={info.field} onChange={(e) => onField(e.currentTarget.value)}>
          {info.fields.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      )}
      <form class="map-filter" onSubmit={apply}>
        <input aria-label="Filter" class="mono" data-search placeholder='Filter, as {"range":{"speed":{"gt":50}}}' value={filter} aria-invalid={bad} onInput={(e) => (setFilter(e.currentTarget.value), setBad(false))} />
      </form>
    </>
  );
}

const tools: { tool: Tool; label: string }[] = [
  { tool: "circle", label: "Draw a circle" },
  { tool: "box", label: "Draw a box" },
  { tool: "polygon", label: "Draw a polygon" },
];

function Toolbar({ tool, onTool, onZoom, onFit }: { tool: Tool | undefined; onTool: (tool: Tool | undefined) => void; onZoom: (by: number) => void; onFit: () => void }) {
  return (
    <div class="map-tools" role="toolbar" aria-label="Map" aria-orientation="vertical">
      {tools.map((t) => (
        <button key={t.tool} type="button" class="btn icon-only" aria-label={t.label} title={t.label} aria-pressed={tool === t.tool} onClick={() => onTool(tool === t.tool ? undefined : t.tool)}>
          <Icon name={t.tool} />
        </button>
      ))}
      <span class="map-tools-gap" />
      <button type="button" class="btn icon-only" aria-label="Zoom in" title="Zoom in" onClick={() => onZoom(1)}>
        <Icon name="plus" />
      </button>
      <button type="button" class="btn icon-only" aria-label="Zoom out" title="Zoom out" onClick={() => onZoom(-1)}>
        <Icon name="minus" />
      </button>
      <button type="button" class="btn icon-only" aria-label="Show all documents" title="Show all documents" onClick={onFit}>
        <Icon name="target" />
      </button>
    </div>
  );
}
