// Fences: areas in filters, as they are drawn, and the filters of areas that are drawn.
import type { Filter } from "@ambit/client";

import { type Point, destination, distance, mercatorX, mercatorY } from "./position.js";

/** An area that is drawn with a tool. */
export type Drawn = { kind: "circle"; center: Point; meters: number } | { kind: "box"; a: Point; b: Point } | { kind: "polygon"; points: Point[] };

const round = (degrees: number) => Math.round(degrees * 1e6) / 1e6; // to a tenth of a metre

/** The filter of documents in an area. */
export function filterOf(drawn: Drawn, field: string): Filter {
  switch (drawn.kind) {
    case "circle":
      return { geoDistance: { [field]: { lat: round(drawn.center.lat), lon: round(drawn.center.lon) }, distance: `${metersText(drawn.meters)}m` } };
    case "box": {
      const { a, b } = drawn;
      return {
        geoBoundingBox: {
          [field]: { top: round(Math.max(a.lat, b.lat)), left: round(Math.min(a.lon, b.lon)), bottom: round(Math.min(a.lat, b.lat)), right: round(Math.max(a.lon, b.lon)) },
        },
      };
    }
    case "polygon":
      return { geoPolygon: { [field]: { points: drawn.points.map((p) => [round(p.lat), round(p.lon)]) } } };
  }
}

const metersText = (meters: number) => (meters < 10 ? meters.toFixed(1) : meters.toFixed(0));

export const distanceText = (meters: number) => (meters < 1000 ? `${metersText(meters)} m` : `${(meters / 1000).toFixed(meters < 10_000 ? 2 : 1)} km`);

/** What a shape looks like: rings of x and y on the map. Even-odd filling makes holes. */
export interface Outline {
  rings: Float64Array[];
  /** Whether documents are in scope outside of it. */
  negated: boolean;
}

/** The areas in a filter in its canonical form. */
export function outlines(filter: unknown, negated = false): Outline[] {
  if (typeof filter !== "object" || filter === null) return [];
  return Object.entries(filter as Record<string, unknown>).flatMap(([keyword, value]) => {
    if (keyword === "and" || keyword === "or") return (value as unknown[]).flatMap((part) => outlines(part, negated));
    if (keyword === "not") return outlines(value, !negated);
    const rings = areas[keyword]?.(value as Record<string, any>);
    return rings ? [{ rings: rings.map(flat), negated }] : [];
  });
}

const areas: Record<string, (value: Record<string, any>) => Point[][] | undefined> = {
  geoDistance: ({ distance: meters, ...fields }) => first(fields, (center) => [circle(center, meters)]),
  geoDistanceRange: ({ ...fields }) => first(fields, (center) => [circle(center, fields.to), circle(center, fields.from)]),
  geoBoundingBox: (fields) => first(fields, (box) => [corners(box)]),
  geoPolygon: (fields) => first(fields, ({ points }) => [edges(points.map(pair))]),
  geoShape: (fields) =>
    first(fields, ({ type, coordinates }) => {
      const polygons: number[][][][] = type === "MultiPolygon" ? coordinates : [coordinates];
      return polygons.flatMap((rings) => rings.map((ring) => edges(ring.map(([lon, lat]) => ({ lat: lat!, lon: lon! })))));
    }),
};

function first<T>(fields: Record<string, any>, of: (value: any) => T): T | undefined {
  const value = Object.values(fields).find((v) => typeof v === "object" && v !== null);
  return value === undefined ? undefined : of(value);
}

const pair = (p: any): Point => (Array.isArray(p) ? { lat: p[0], lon: p[1] } : p);

const sides = 96;

function circle(center: Point, meters: number): Point[] {
  return Array.from({ length: sides }, (_, i) => destination(center, meters, (2 * Math.PI * i) / sides));
}

function corners({ top, left, bottom, right }: { top: number; left: number; bottom: number; right: number }): Point[] {
  const east = right < left ? right + 360 : right;
  return [
    { lat: top, lon: left },
    { lat: top, lon: east },
    { lat: bottom, lon: east },
    { lat: bottom, lon: left },
  ];
}

const leg = 50_000; // an edge is a geodesic: shorter ones are straight enough

function edges(points: Point[]): Point[] {
  return points.flatMap((a, i) => {
    const b = points[(i + 1) % points.length]!;
    const n = Math.min(64, Math.ceil(distance(a, b) / leg));
    return n < 2 ? [a] : Array.from({ length: n }, (_, k) => along(a, b, k / n));
  });
}

/** A point of the great circle between two points. */
function along(a: Point, b: Point, t: number): Point {
  const rad = Math.PI / 180;
  const vector = (p: Point) => [Math.cos(p.lat * rad) * Math.cos(p.lon * rad), Math.cos(p.lat * rad) * Math.sin(p.lon * rad), Math.sin(p.lat * rad)] as const;
  const [u, v] = [vector(a), vector(b)];
  const d = distance(a, b) / 6371008.8;
  const [s, e] = [Math.sin((1 - t) * d) / Math.sin(d), Math.sin(t * d) / Math.sin(d)];
  const [x, y, z] = [0, 1, 2].map((i) => s * u[i]! + e * v[i]!) as [number, number, number];
  const lon = Math.atan2(y, x) / rad;
  return { lat: Math.atan2(z, Math.hypot(x, y)) / rad, lon: lon - 360 * Math.round((lon - a.lon) / 360) };
}

function flat(points: Point[]): Float64Array {
  const ring = new Float64Array(2 * points.length);
  points.forEach((p, i) => {
    ring[2 * i] = mercatorX(p.lon);
    ring[2 * i + 1] = mercatorY(p.lat);
  });
  return ring;
}

export const outlineOf = (drawn: Drawn): Outline => ({
  negated: false,
  rings: [flat(drawn.kind === "circle" ? circle(drawn.center, drawn.meters) : drawn.kind === "polygon" ? edges(drawn.points) : corners({ top: drawn.a.lat, left: Math.min(drawn.a.lon, drawn.b.lon), bottom: drawn.b.lat, right: Math.max(drawn.a.lon, drawn.b.lon) }))],
});
