// Positions in documents, as FILTERS.md says how they may be written; and where they are on the map.

export interface Point {
  lat: number;
  lon: number;
}

/** Reads a position. Geohashes are left out: any word could be one. */
export function readPoint(value: unknown): Point | undefined {
  if (Array.isArray(value)) return value.length === 2 ? point(number(value[0]), number(value[1])) : undefined;
  if (typeof value === "string") {
    const comma = value.indexOf(",");
    return comma > 0 ? point(number(value.slice(0, comma)), number(value.slice(comma + 1))) : undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const o = value as Record<string, unknown>;
  if ("lat" in o && "lon" in o) return point(number(o.lat), number(o.lon));
  const inner = o.latLon ?? o.lat_lon;
  return inner === undefined ? undefined : readPoint(inner);
}

function number(value: unknown): number {
  if (typeof value === "number") return value;
  return typeof value === "string" && value.trim() !== "" ? Number(value) : NaN;
}

function point(lat: number, lon: number): Point | undefined {
  if (!(Math.abs(lat) <= 90) || !Number.isFinite(lon)) return undefined;
  return { lat, lon: lon >= -180 && lon <= 180 ? lon : ((((lon + 180) % 360) + 360) % 360) - 180 };
}

const deepest = 3;

/** The paths at which a document has something that can be a position. */
export function pointFields(document: unknown, prefix = "", depth = 0, found: string[] = []): string[] {
  if (typeof document !== "object" || document === null || Array.isArray(document)) return found;
  for (const [name, value] of Object.entries(document)) {
    if (name.startsWith("_kuzzle")) continue;
    if (readPoint(value)) found.push(prefix + name);
    else if (depth < deepest) pointFields(value, `${prefix + name}.`, depth + 1, found);
  }
  return found;
}

export function valueAt(document: unknown, path: string[]): unknown {
  let value = document;
  for (const name of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

const maxLat = 85.0511287798;

export const mercatorX = (lon: number) => lon / 360 + 0.5;

export function mercatorY(lat: number): number {
  const sin = Math.sin((Math.max(-maxLat, Math.min(maxLat, lat)) * Math.PI) / 180);
  return 0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI);
}

const earthRadius = 6371008.8;
const rad = Math.PI / 180;

/** How many metres are between two points. */
export function distance(a: Point, b: Point): number {
  const sinLat = Math.sin(((b.lat - a.lat) * rad) / 2);
  const sinLon = Math.sin(((b.lon - a.lon) * rad) / 2);
  return 2 * earthRadius * Math.asin(Math.min(1, Math.sqrt(sinLat ** 2 + Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * sinLon ** 2)));
}

/** The point that is so many metres away in a direction, in radians from north. */
export function destination(from: Point, meters: number, bearing: number): Point {
  const d = meters / earthRadius;
  const lat = from.lat * rad;
  const sin = Math.sin(lat) * Math.cos(d) + Math.cos(lat) * Math.sin(d) * Math.cos(bearing);
  const lon = from.lon * rad + Math.atan2(Math.sin(bearing) * Math.sin(d) * Math.cos(lat), Math.cos(d) - Math.sin(lat) * sin);
  return { lat: Math.asin(sin) / rad, lon: lon / rad };
}
