// What is below the documents: the world, and lines of latitude and longitude.
import { color } from "../../theme.js";
import { mercatorY } from "./position.js";
import { outlined } from "./labels.js";
import { type Frame, eachCopy } from "./view.js";
import type { World } from "./world.js";

const coarse = 9; // from this zoom on the outline is too coarse to be of use
const steps = [45, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001];

export function drawBase(ctx: CanvasRenderingContext2D, frame: Frame, world: World | undefined): void {
  const zoom = Math.log2(frame.size / 256);
  const near = zoom >= coarse;
  ctx.fillStyle = color(near || !world ? "--land" : "--sea");
  ctx.fillRect(0, 0, frame.width, frame.height);
  if (world && !near) drawWorld(ctx, frame, world, zoom);
  drawGraticule(ctx, frame);
  if (world && zoom > 2.2 && zoom < coarse) drawNames(ctx, frame, world);
}

function drawWorld(ctx: CanvasRenderingContext2D, frame: Frame, world: World, zoom: number): void {
  const scale = frame.size / 256;
  eachCopy(frame, (offset) => {
    ctx.save();
    ctx.translate(offset, -frame.top);
    ctx.scale(scale, scale);
    ctx.fillStyle = color("--land");
    ctx.fill(world.land);
    ctx.lineWidth = 1 / scale;
    ctx.strokeStyle = color("--border");
    if (zoom > 1.5) ctx.stroke(world.borders);
    ctx.strokeStyle = color("--coast");
    ctx.stroke(world.land);
    ctx.restore();
  });
}

function drawNames(ctx: CanvasRenderingContext2D, frame: Frame, world: World): void {
  const ink = color("--map-ink");
  const font = '12px "Plex Sans", system-ui, sans-serif';
  ctx.font = font;
  for (const { text, x, y, width } of world.names) {
    if (width * frame.size < 0.8 * ctx.measureText(text).width) continue;
    eachCopy(frame, (offset) => outlined(ctx, text, x * frame.size + offset, y * frame.size - frame.top, ink, "center", font));
  }
}

function drawGraticule(ctx: CanvasRenderingContext2D, frame: Frame): void {
  const perDegree = frame.size / 360;
  const step = steps.findLast((s) => s * perDegree > 110) ?? steps[0]!;
  const digits = step < 1 ? Math.ceil(-Math.log10(step)) : 0;
  ctx.strokeStyle = color("--graticule");
  ctx.lineWidth = 1;
  ctx.font = '10.5px "Plex Mono", monospace';
  ctx.textAlign = "left";
  ctx.fillStyle = color("--map-ink");
  const west = (frame.left / frame.size - 0.5) * 360;
  for (let i = Math.ceil(west / step); ; i++) {
    const x = Math.round(((i * step) / 360 + 0.5) * frame.size - frame.left) + 0.5;
    if (x > frame.width) break;
    line(ctx, x, 0, x, frame.height);
    const lon = ((((i * step + 180) % 360) + 360) % 360) - 180;
    ctx.fillText(`${Math.abs(lon).toFixed(digits)}°${lon < 0 ? "W" : "E"}`, x + 4, frame.height - 6);
  }
  for (let lat = -Math.floor(85 / step) * step; lat < 85.01; lat += step) {
    const y = Math.round(mercatorY(lat) * frame.size - frame.top) + 0.5;
    if (y < 0 || y > frame.height) continue;
    line(ctx, 0, y, frame.width, y);
    const text = `${Math.abs(lat).toFixed(digits)}°${lat < 0 ? "S" : "N"}`;
    ctx.fillText(text, frame.width - ctx.measureText(text).width - 6, y - 4);
  }
}

function line(ctx: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}
