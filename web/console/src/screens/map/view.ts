// The map: Leaflet moves it, and canvases above it show the world, fences and documents. Whatever changes, it is
// drawn once a frame at most, and only what is in view.
import * as L from "leaflet";

import { color } from "../../theme.js";
import type { Feed } from "./feed.js";
import type { Outline } from "./fence.js";
import { drawBase } from "./base.js";
import { Labels, addName } from "./labels.js";
import type { World } from "./world.js";

/** A fence on the map. */
export interface Fence {
  outlines: Outline[];
  color: string;
  name: string;
  dashed?: boolean;
  selected?: boolean;
}

/** Where the canvas is in the world: its left upper corner and its size, in pixels of a world that is `size` wide. */
export interface Frame {
  size: number;
  left: number;
  top: number;
  width: number;
  height: number;
}

const labelsUpTo = 80;
const spritesUpTo = 4000; // more than that are squares, which are faster
const grid = 8; // pixels of a cell in which a click looks for documents

export class MapView {
  readonly map: L.Map;
  fences: Fence[] = [];
  world: World | undefined;
  /** The colour of each slot: 0 is of no fence, n of the fence n-1. */
  tints = new Uint8Array(1024);
  palette: string[] = [];
  selected = -1;
  /** How many documents were in view in the last frame that was drawn. */
  inView = 0;
  drawn = 0; // frames
  /** Whether somebody has moved the map since it showed everything, or drawn on it. */
  isMoved = false;
  #fitting = false;

  readonly #visible = new Dots();
  readonly #base: HTMLCanvasElement;
  readonly #top: HTMLCanvasElement;
  readonly #resize: ResizeObserver;
  #baseDirty = true;
  #dirty = true;
  #request = 0;
  #sprites = new Map<string, HTMLCanvasElement>();

  constructor(
    host: HTMLElement,
    readonly feed: () => Feed | undefined,
    /** Is called before a frame is drawn. */
    private readonly onFrame: () => void,
  ) {
    this.map = L.map(host, {
      zoomControl: false,
      attributionControl: false,
      zoomAnimation: false,
      fadeAnimation: false,
      markerZoomAnimation: false,
      zoomSnap: 0,
      zoomDelta: 0.75,
      wheelPxPerZoomLevel: 90,
      wheelDebounceTime: 16,
      minZoom: 1,
      maxZoom: 19,
      worldCopyJump: true,
      maxBounds: [
        [-85.06, -Infinity],
        [85.06, Infinity],
      ],
      maxBoundsViscosity: 1,
    }).setView([25, 10], 2);
    L.control.scale({ position: "bottomleft", imperial: false }).addTo(this.map);
    this.#base = canvas(host, "map-base");
    this.#top = canvas(host, "map-top");
    this.map.on("move zoom resize", () => this.moved());
    this.map.on("movestart zoomstart", () => (this.isMoved ||= !this.#fitting));
    this.#resize = new ResizeObserver(() => {
      this.map.invalidateSize({ animate: false });
      this.moved();
    });
    this.#resize.observe(host);
    const loop = () => {
      this.#request = requestAnimationFrame(loop);
      this.onFrame();
      this.#draw();
    };
    this.#request = requestAnimationFrame(loop);
  }

  close(): void {
    cancelAnimationFrame(this.#request);
    this.#resize.disconnect();
    this.map.remove();
  }

  /** Something else is to be seen. */
  invalidate(): void {
    this.#dirty = true;
  }

  moved(): void {
    this.#baseDirty = this.#dirty = true;
  }

  restyle(): void {
    this.#sprites.clear();
    this.moved();
  }

  tint(slot: number, fence: number): void {
    if (slot >= this.tints.length) {
      const longer = new Uint8Array(2 * slot);
      longer.set(this.tints);
      this.tints = longer;
    }
    this.tints[slot] = fence;
    this.#dirty = true;
  }

  /** The nearest document to a point of the canvas, if there is one under it. */
  at(px: number, py: number): number {
    const feed = this.feed();
    const frame = this.#frame();
    let best = -1;
    let least = (1.5 * grid) ** 2;
    if (feed) {
      eachCopy(frame, (offset) => {
        for (let slot = 0; slot < feed.length; slot++) {
          const d = (feed.x[slot]! * frame.size + offset - px) ** 2 + (feed.y[slot]! * frame.size - frame.top - py) ** 2;
          if (d < least) [best, least] = [slot, d];
        }
      });
    }
    return best;
  }

  /** Shows all documents, and the fences among them. */
  fit(): boolean {
    const feed = this.feed();
    if (!feed) return false;
    const box = new Bounds();
    for (let slot = 0; slot < feed.length; slot++) if (!Number.isNaN(feed.x[slot]!)) box.add(feed.x[slot]!, feed.y[slot]!);
    if (box.isEmpty) return false;
    const documents = { ...box };
    for (const { rings, negated } of this.fences.flatMap((f) => f.outlines)) {
      const fence = new Bounds();
      for (const ring of rings) for (let i = 0; i < ring.length; i += 2) fence.add(ring[i]!, ring[i + 1]!);
      if (!negated && fence.isAmong(documents)) box.add(fence.west, fence.north), box.add(fence.east, fence.south);
    }
    this.isMoved = false;
    this.#fitting = true;
    // The tools are at the left, and the names of fences above them.
    this.map.fitBounds(L.latLngBounds(latLng(box.west, box.south), latLng(box.east, box.north)), { paddingTopLeft: [64, 48], paddingBottomRight: [40, 40], maxZoom: 15, animate: false });
    this.#fitting = false;
    return true;
  }

  #frame(): Frame {
    const { min } = this.map.getPixelBounds();
    const { x: width, y: height } = this.map.getSize();
    return { size: 256 * 2 ** this.map.getZoom(), left: min!.x, top: min!.y, width, height };
  }

  #draw(): void {
    if (!this.#dirty) return;
    const frame = this.#frame();
    if (frame.width === 0) return;
    if (this.#baseDirty) drawBase(context(this.#base, frame), frame, this.world);
    this.#baseDirty = this.#dirty = false;
    const ctx = context(this.#top, frame);
    this.fences.forEach((fence) => drawFence(ctx, frame, fence));
    const labels = new Labels(ctx);
    this.fences.forEach((fence) => addName(labels, frame, fence));
    this.#drawDocuments(ctx, frame, labels);
    labels.draw();
    this.drawn++;
  }

  #drawDocuments(ctx: CanvasRenderingContext2D, frame: Frame, labels: Labels): void {
    const feed = this.feed();
    if (!feed) return;
    const names: [string, number, number][] = [];
    const visible = this.#visible;
    visible.clear();
    eachCopy(frame, (offset) => {
      for (let slot = 0; slot < feed.length; slot++) {
        const x = feed.x[slot]! * frame.size + offset;
        if (!(x > -8 && x < frame.width + 8)) continue;
        const y = feed.y[slot]! * frame.size - frame.top;
        if (!(y > -8 && y < frame.height + 8)) continue;
        visible.add(x, y, this.tints[slot]!);
        if (visible.length <= labelsUpTo) names.push([feed.ids[slot]!, x, y]);
      }
    });
    this.inView = visible.length;
    this.palette.forEach((fill, tint) => this.#drawDots(ctx, tint, fill));
    if (this.inView <= labelsUpTo) names.forEach(([text, x, y]) => labels.addDocument(text, x, y));
    if (this.selected >= 0) {
      eachCopy(frame, (offset) => ring(ctx, feed.x[this.selected]! * frame.size + offset, feed.y[this.selected]! * frame.size - frame.top));
    }
  }

  #drawDots(ctx: CanvasRenderingContext2D, tint: number, fill: string): void {
    const { x, y, tints, length } = this.#visible;
    if (length > spritesUpTo) {
      ctx.fillStyle = fill;
      for (let i = 0; i < length; i++) if (tints[i] === tint) ctx.fillRect(x[i]! - 1.5, y[i]! - 1.5, 3, 3);
      return;
    }
    const sprite = this.#sprite(fill);
    const half = sprite.width / devicePixelRatio / 2;
    for (let i = 0; i < length; i++) if (tints[i] === tint) ctx.drawImage(sprite, x[i]! - half, y[i]! - half, 2 * half, 2 * half);
  }

  #sprite(fill: string): HTMLCanvasElement {
    const kept = this.#sprites.get(fill);
    if (kept) return kept;
    const sprite = document.createElement("canvas");
    sprite.width = sprite.height = 14 * devicePixelRatio;
    const ctx = sprite.getContext("2d")!;
    ctx.scale(devicePixelRatio, devicePixelRatio);
    ctx.arc(7, 7, 4.5, 0, 2 * Math.PI);
    ctx.fillStyle = fill;
    ctx.fill();
    ctx.lineWidth = 1.5;
    ctx.strokeStyle = color("--surface");
    ctx.stroke();
    this.#sprites.set(fill, sprite);
    return sprite;
  }
}

/** A box in Web Mercator. */
class Bounds {
  west = Infinity;
  east = -Infinity;
  north = Infinity;
  south = -Infinity;

  get isEmpty(): boolean {
    return this.west > this.east;
  }

  add(x: number, y: number): void {
    this.west = Math.min(this.west, x);
    this.east = Math.max(this.east, x);
    this.north = Math.min(this.north, y);
    this.south = Math.max(this.south, y);
  }

  /** Whether it meets another box, and is not much larger. */
  isAmong(o: Pick<Bounds, "west" | "east" | "north" | "south">): boolean {
    const meets = this.west <= o.east && this.east >= o.west && this.north <= o.south && this.south >= o.north;
    return meets && this.east - this.west <= 1.5 * (o.east - o.west) && this.south - this.north <= 1.5 * (o.south - o.north);
  }
}

/** Dots that are in view. The arrays are used again for the next frame. */
class Dots {
  x = new Float32Array(1024);
  y = new Float32Array(1024);
  tints = new Uint8Array(1024);
  length = 0;

  clear(): void {
    this.length = 0;
  }

  add(x: number, y: number, tint: number): void {
    const i = this.length++;
    if (i === this.x.length) this.#grow();
    this.x[i] = x;
    this.y[i] = y;
    this.tints[i] = tint;
  }

  #grow(): void {
    const [x, y, tints] = [this.x, this.y, this.tints];
    const size = 2 * x.length;
    this.x = new Float32Array(size);
    this.y = new Float32Array(size);
    this.tints = new Uint8Array(size);
    this.x.set(x);
    this.y.set(y);
    this.tints.set(tints);
  }
}

function canvas(host: HTMLElement, name: string): HTMLCanvasElement {
  const element = document.createElement("canvas");
  element.className = name;
  element.setAttribute("aria-hidden", "true");
  host.append(element);
  return element;
}

/** A context that is as large as the frame, empty, and counts in pixels of the page. */
function context(element: HTMLCanvasElement, { width, height }: Frame): CanvasRenderingContext2D {
  const ratio = devicePixelRatio;
  const ctx = element.getContext("2d")!;
  if (element.width !== Math.round(width * ratio) || element.height !== Math.round(height * ratio)) {
    element.width = Math.round(width * ratio);
    element.height = Math.round(height * ratio);
  }
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  return ctx;
}

/** Calls back with where each copy of the world that is in view begins. */
export function eachCopy({ size, left, width }: Frame, draw: (offset: number) => void): void {
  for (let copy = Math.floor(left / size); copy * size < left + width; copy++) draw(copy * size - left);
}

function drawFence(ctx: CanvasRenderingContext2D, frame: Frame, fence: Fence): void {
  ctx.strokeStyle = fence.color;
  ctx.fillStyle = fence.color;
  ctx.lineWidth = fence.selected ? 2.5 : 1.5;
  ctx.setLineDash(fence.dashed ? [6, 4] : []);
  for (const { rings, negated } of fence.outlines) {
    eachCopy(frame, (offset) => {
      ctx.beginPath();
      for (const points of rings) {
        for (let i = 0; i < points.length; i += 2) ctx.lineTo(points[i]! * frame.size + offset, points[i + 1]! * frame.size - frame.top);
        ctx.closePath();
      }
      ctx.globalAlpha = negated ? 0 : fence.selected ? 0.18 : 0.1;
      ctx.fill("evenodd");
      ctx.globalAlpha = 1;
      ctx.stroke();
    });
  }
  ctx.setLineDash([]);
}

function ring(ctx: CanvasRenderingContext2D, x: number, y: number): void {
  ctx.beginPath();
  ctx.arc(x, y, 9, 0, 2 * Math.PI);
  ctx.lineWidth = 2.5;
  ctx.strokeStyle = color("--ink");
  ctx.stroke();
}

function latLng(x: number, y: number): L.LatLng {
  return L.latLng((Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI, (x - 0.5) * 360);
}
