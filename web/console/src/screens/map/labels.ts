// What is written on the map: names of fences, and of documents where there is room for them.
import { color } from "../../theme.js";
import { type Fence, type Frame, eachCopy } from "./view.js";

interface Label {
  text: string;
  x: number;
  y: number;
  fill: string;
  align: CanvasTextAlign;
  font: string;
  left: number;
  right: number;
}

const fenceFont = '600 12px "Plex Sans", system-ui, sans-serif';
const documentFont = '11px "Plex Mono", monospace';
const height = 13;

/** Labels of a frame, the most important ones first: what would lie on another one is moved up, or left out. */
export class Labels {
  readonly #all: Label[] = [];
  readonly #ink = color("--ink-2");

  constructor(private readonly ctx: CanvasRenderingContext2D) {}

  /** Adds the name of a fence above a point, and above another name that is there. */
  addFence(text: string, x: number, y: number, fill: string): void {
    const half = this.#width(text, fenceFont) / 2;
    const label: Label = { text, x, y: y - 8, fill, align: "center", font: fenceFont, left: x - half, right: x + half };
    while (this.#hits(label)) label.y -= height + 1;
    this.#all.push(label);
  }

  /** Adds the name of a document beside it, if there is room. */
  addDocument(text: string, x: number, y: number): void {
    const left = x + 9;
    const label: Label = { text, x: left, y: y + 4, fill: this.#ink, align: "left", font: documentFont, left, right: left + this.#width(text, documentFont) };
    if (!this.#hits(label)) this.#all.push(label);
  }

  #width(text: string, font: string): number {
    this.ctx.font = font;
    return this.ctx.measureText(text).width;
  }

  #hits(label: Label): boolean {
    return this.#all.some((l) => label.left < l.right + 3 && label.right > l.left - 3 && Math.abs(label.y - l.y) < height);
  }

  draw(): void {
    for (const { text, x, y, fill, align, font } of this.#all.reverse()) outlined(this.ctx, text, x, y, fill, align, font);
  }
}

/** The name of a fence stands above its northernmost point. */
export function addName(labels: Labels, frame: Frame, fence: Fence): void {
  const points = fence.outlines[0]?.rings[0];
  if (!fence.name || !points) return;
  let [x, y] = [0, Infinity];
  for (let i = 0; i < points.length; i += 2) if (points[i + 1]! < y) [x, y] = [points[i]!, points[i + 1]!];
  eachCopy(frame, (offset) => labels.addFence(fence.name, x * frame.size + offset, y * frame.size - frame.top, fence.color));
}

export function outlined(ctx: CanvasRenderingContext2D, text: string, x: number, y: number, fill: string, align: CanvasTextAlign, font: string): void {
  ctx.font = font;
  ctx.textAlign = align;
  ctx.lineJoin = "round";
  ctx.lineWidth = 3;
  ctx.strokeStyle = color("--land");
  ctx.strokeText(text, x, y);
  ctx.fillStyle = fill;
  ctx.fillText(text, x, y);
}
