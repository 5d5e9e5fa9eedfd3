// The outline of the world: Natural Earth, 1:110 million, in the public domain.
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import worldURL from "world-atlas/countries-110m.json?url";

import { mercatorX, mercatorY } from "./position.js";

export interface World {
  land: Path2D;
  borders: Path2D;
  names: { text: string; x: number; y: number; width: number }[];
}

type Countries = Topology<{ countries: GeometryCollection<{ name: string }>; land: GeometryCollection }>;

/** Paths in a world of 256 by 256. */
export async function loadWorld(): Promise<World> {
  const topology = (await (await fetch(worldURL)).json()) as Countries;
  const land = new Path2D();
  const collection = feature(topology, topology.objects.land);
  for (const { geometry } of collection.features) {
    if (geometry.type === "MultiPolygon") for (const rings of geometry.coordinates) for (const ring of rings) trace(land, ring);
    else if (geometry.type === "Polygon") for (const ring of geometry.coordinates) trace(land, ring);
  }
  const borders = new Path2D();
  for (const line of mesh(topology, topology.objects.countries, (a, b) => a !== b).coordinates) trace(borders, line);
  return { land, borders, names: names(topology) };
}

function trace(path: Path2D, line: number[][]): void {
  line.forEach(([lon, lat], i) => {
    const [x, y] = [mercatorX(lon!) * 256, mercatorY(lat!) * 256];
    i === 0 ? path.moveTo(x, y) : path.lineTo(x, y);
  });
}

/** Names stand in the middle of a country's largest part. */
function names(topology: Countries): World["names"] {
  return feature(topology, topology.objects.countries).features.flatMap(({ geometry, properties }) => {
    const polygons = geometry.type === "MultiPolygon" ? geometry.coordinates : geometry.type === "Polygon" ? [geometry.coordinates] : [];
    const boxes = polygons.map(([ring]) => {
      const xs = ring!.map(([lon]) => mercatorX(lon!));
      const ys = ring!.map(([, lat]) => mercatorY(lat!));
      const [west, east, north, south] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
      return { x: (west + east) / 2, y: (north + south) / 2, width: east - west, area: (east - west) * (south - north) };
    });
    const largest = boxes.sort((a, b) => b.area - a.area)[0];
    return largest ? [{ text: properties.name, ...largest }] : [];
  });
}
