// Drawing an area on the map: with the pointer, or at the middle of the view with Enter.
import * as L from "leaflet";

import { type Drawn, distanceText } from "./fence.js";
import { type Point, destination, distance } from "./position.js";
import type { MapView } from "./view.js";

export type Tool = Drawn["kind"];

export interface Draft {
  drawn: Drawn | undefined;
  text: string;
}

const point = ({ lat, lng }: L.LatLng): Point => ({ lat: Math.max(-90, Math.min(90, lat)), lon: lng });
const closeBy = 10; // pixels

/** Has the pointer draw with a tool until something is done, or it is ended by the function that is returned. */
export function draw(view: MapView, tool: Tool, show: (draft: Draft | undefined) => void, done: (drawn: Drawn) => void): () => void {
  const { map } = view;
  const host = map.getContainer();
  let start: Point | undefined;
  const points: Point[] = [];
  const at = (e: PointerEvent) => point(map.mouseEventToLatLng(e));
  const isSmall = (a: Point, b: Point) => map.latLngToContainerPoint([a.lat, a.lon]).distanceTo(map.latLngToContainerPoint([b.lat, b.lon])) < 4;

  const shape = (to: Point): Drawn | undefined => {
    if (tool === "polygon") return points.length > 0 ? { kind: "polygon", points: [...points, to] } : undefined;
    if (!start || isSmall(start, to)) return undefined;
    return tool === "circle" ? { kind: "circle", center: start, meters: distance(start, to) } : { kind: "box", a: start, b: to };
  };
  const finish = (drawn: Drawn | undefined) => {
    if (!drawn || (drawn.kind === "polygon" && drawn.points.length < 3)) return;
    end();
    done(drawn);
  };
  const down = (e: PointerEvent) => {
    if (e.button !== 0) return;
    e.preventDefault();
    if (tool === "polygon") {
      const to = at(e);
      const [first] = points;
      const isClosed = first && points.length > 2 && map.latLngToContainerPoint([first.lat, first.lon]).distanceTo(map.mouseEventToContainerPoint(e)) < closeBy;
      const isTwice = points.length > 0 && isSmall(points.at(-1)!, to);
      if (isClosed || isTwice) return finish({ kind: "polygon", points });
      points.push(to);
      show(draft(shape(to)));
      return;
    }
    host.setPointerCapture(e.pointerId);
    start = at(e);
  };
  const move = (e: PointerEvent) => show(draft(shape(at(e))));
  const up = (e: PointerEvent) => {
    if (tool === "polygon" || !start) return;
    const drawn = shape(at(e));
    start = undefined;
    drawn ? finish(drawn) : show(draft(undefined));
  };
  const key = (e: KeyboardEvent) => {
    if (e.key !== "Enter" || e.target !== host) return;
    finish(tool === "polygon" && points.length > 2 ? { kind: "polygon", points } : inTheMiddle(map, tool));
    e.preventDefault();
  };
  const draft = (drawn: Drawn | undefined): Draft => ({ drawn, text: hint(tool, drawn, points.length) });

  map.dragging.disable();
  map.doubleClickZoom.disable();
  map.boxZoom.disable();
  host.classList.add("drawing");
  host.addEventListener("pointerdown", down);
  host.addEventListener("pointermove", move);
  host.addEventListener("pointerup", up);
  host.addEventListener("keydown", key);
  show(draft(undefined));

  let over = false;
  function end(): void {
    if (over) return;
    over = true;
    host.removeEventListener("pointerdown", down);
    host.removeEventListener("pointermove", move);
    host.removeEventListener("pointerup", up);
    host.removeEventListener("keydown", key);
    host.classList.remove("drawing");
    map.dragging.enable();
    map.doubleClickZoom.enable();
    map.boxZoom.enable();
    show(undefined);
  }
  return end;
}

/** An area a quarter of the view wide, for who has no pointer. */
function inTheMiddle(map: L.Map, tool: Tool): Drawn {
  const { x, y } = map.getSize();
  const reach = Math.min(x, y) / 4;
  const corner = (dx: number, dy: number) => point(map.containerPointToLatLng([x / 2 + dx * reach, y / 2 + dy * reach]));
  const center = corner(0, 0);
  const meters = distance(center, corner(1, 0));
  if (tool === "circle") return { kind: "circle", center, meters };
  if (tool === "box") return { kind: "box", a: corner(-1, -1), b: corner(1, 1) };
  return { kind: "polygon", points: Array.from({ length: 6 }, (_, i) => destination(center, meters, (Math.PI * i) / 3)) };
}

function hint(tool: Tool, drawn: Drawn | undefined, points: number): string {
  if (drawn?.kind === "circle") return `Radius ${distanceText(drawn.meters)}`;
  if (drawn?.kind === "box") {
    const { a, b } = drawn;
    return `${distanceText(distance({ lat: a.lat, lon: a.lon }, { lat: a.lat, lon: b.lon }))} by ${distanceText(distance(a, { lat: b.lat, lon: a.lon }))}`;
  }
  if (tool === "polygon") return points > 2 ? "Click the first corner, or press Enter, to close it" : "Click the corners, one after the other";
  return tool === "circle" ? "Drag from the centre outwards, or press Enter for the middle of the view" : "Drag from corner to corner, or press Enter for the middle of the view";
}
