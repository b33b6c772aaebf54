// Makes src/map.json: the 110m shapes of Natural Earth (npm world-atlas, ISC), and those that it lacks
// from the 50m ones, projected (Equal Earth) and rounded to a tenth of a unit, so that no browser has to:
// [number or name, name, path, x and y of the middle, whether it is hard to hit]. Border policy: the lines
// are Natural Earth's, which draws who controls a place, not who claims it; the map says so. Antarctica is
// left out.
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
import { geoEqualEarth, geoPath } from 'd3-geo';
import { feature } from 'topojson-client';

const [WIDTH, HEIGHT] = [960, 440];
/** Below this many square units a shape gets a dot. */
const TINY = 6;

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
const features = [...coarse, ...fine].filter((one) => !seen.has(keyed(one)) && seen.add(keyed(one)));
const path = geoPath(geoEqualEarth().fitExtent([[2, 2], [WIDTH - 2, HEIGHT - 2]], { type: 'FeatureCollection', features })).digits(1);

const tenth = (text) => Math.round(Number(text) * 10);
const spelled = (tenths) => String(tenths / 10).replace(/^(-?)0\./, '$1.');
const pair = (x, y) => `${spelled(x)}${y < 0 ? '' : ','}${spelled(y)}`;

/** Steps in place of places: the same points, a third shorter. A step of nothing is left out. */
function relative(d) {
  const rings = d.split('Z').filter(Boolean).map((ring) => ring.slice(1).split('L').map((point) => point.split(',').map(tenth)));
  return rings
    .map(([[x, y], ...rest]) => {
      let [atX, atY] = [x, y];
      const steps = rest.flatMap(([toX, toY]) => {
        const step = toX === atX && toY === atY ? [] : [pair(toX - atX, toY - atY)];
        [atX, atY] = [toX, toY];
        return step;
      });
      return `M${pair(x, y)}${steps.length ? `l${steps.join(' ')}` : ''}z`;
    })
    .join('');
}

const drawn = features.map((one) => {
  const [x, y] = path.centroid(one).map((value) => Math.round(value * 10) / 10);
  const { name } = one.properties;
  return [one.id ?? name, name, relative(path(one) ?? ''), x, y, path.area(one) < TINY ? 1 : 0];
});
writeFileSync(new URL('../src/map.json', import.meta.url), JSON.stringify(drawn));
