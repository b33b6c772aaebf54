// Classes of values and their colours. The bounds come from the whole panel, so that a colour means the
// same in every year; the colours themselves are CSS classes, so that dark mode needs no script.

export interface Classes {
  /** Ascending bounds; a value belongs to the class after the last bound that it reaches. */
  bounds: number[];
  of: (value: number | null | undefined) => string;
}

const STEPS = [1, 2, 3, 4, 5, 6, 8, 10];
const COLOURS = 8;

/** Rounds to one significant digit, or to two if that keeps bounds apart. */
function round(value: number): number {
  if (value === 0) return 0;
  const scale = 10 ** Math.floor(Math.log10(Math.abs(value)));
  const digit = Math.abs(value) / scale;
  const near = STEPS.reduce((best, step) => (Math.abs(step - digit) < Math.abs(best - digit) ? step : best));
  return Number((Math.sign(value) * near * scale).toPrecision(2));
}

export function classes(values: (number | null)[][]): Classes {
  const sorted = values.flat().filter((value): value is number => value !== null).sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const shares = [0.1, 0.25, 0.4, 0.55, 0.7, 0.82, 0.93];
  const below = sorted.length > 0 && at(0) < 0;
  const rounded = shares.map((share) => round(at(share))).filter((value) => !below || value > 0);
  const bounds = [...new Set(below ? [0, ...rounded] : rounded)].sort((a, b) => a - b).slice(0, COLOURS - 1);
  const many = bounds.length + 1;
  const named = (place: number) => {
    if (below) return place === 0 ? 'neg' : `c${spread(place - 1, many - 1)}`;
    return `c${spread(place, many)}`;
  };
  return {
    bounds,
    of: (value) => {
      if (value === null || value === undefined) return 'none';
      return named(bounds.filter((bound) => value >= bound).length);
    },
  };
}

/** Spreads the classes over the whole range of colours. */
const spread = (place: number, many: number) => (many < 2 ? 4 : Math.round((place * (COLOURS - 1)) / (many - 1)));
