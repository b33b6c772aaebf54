// Makes src/map.json: the 110m shapes of Natural Earth (npm world-atlas, ISC), and those that it lacks
// from the 50m ones, in one topology. Border policy: the lines are Natural Earth's, which draws who
// controls a place, not who claims it; the map says so. Antarctica is left out.
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
import { feature } from 'topojson-client';
import { topology } from 'topojson-server';

const load = createRequire(import.meta.url);
const shapes = (name) => {
  const world = load(`world-atlas/${name}.json`);
  return feature(world, world.objects.countries).features;
};
const keyed = (one) => one.id ?? one.properties.name;
const coarse = shapes('countries-110m').filter((one) => one.id !== '010');
const known = new Set(coarse.map(keyed));
const fine = shapes('countries-50m').filter((one) => one.id !== '010' && !known.has(keyed(one)) && one.geometry);
const seen = new Set();
const features = [...coarse, ...fine]
  .filter((one) => !seen.has(keyed(one)) && seen.add(keyed(one)))
  .map(({ id, properties, geometry }) => ({ type: 'Feature', id, properties: { name: properties.name }, geometry }));
const merged = topology({ areas: { type: 'FeatureCollection', features } }, 2e4);
writeFileSync(new URL('../src/map.json', import.meta.url), JSON.stringify(merged));
