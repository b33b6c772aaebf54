// Formatting of numbers, periods, times and ids.
import type { Flow } from './api.ts';
import { part } from './api.ts';

const LOCALE = 'en-GB';
const plain = new Map<string, Intl.NumberFormat>();

function format(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const name = JSON.stringify(options);
  let made = plain.get(name);
  if (!made) plain.set(name, (made = new Intl.NumberFormat(LOCALE, options)));
  return made;
}

/** Number of decimals for chart values: two for rates, none for millions. */
export function decimals(values: Iterable<number | null>): number {
  const sizes: number[] = [];
  for (const value of values) if (value !== null) sizes.push(Math.abs(value));
  // The median decides: a single hyperinflation must not remove the decimals of all others.
  const common = sizes.sort((a, b) => a - b)[Math.floor(sizes.length * 0.7)] ?? 0;
  return common >= 10_000 ? 0 : common >= 1000 ? 1 : 2;
}

export function number(value: number | null | undefined, digits = 2): string {
  if (value === null || value === undefined) return '–';
  return minus(format({ minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value));
}

/** Compact form for axes and legends: 1.5M, 0.25; thousands are shortened from `from` on. */
export function short(value: number, from = 10_000): string {
  const large = Math.abs(value) >= from;
  return minus(format(large ? { notation: 'compact', maximumFractionDigits: 2 } : { maximumSignificantDigits: 6 }).format(value));
}

const minus = (text: string) => text.replace('-', '−');

/** Splits an exact decimal, with digit grouping, after `digits` decimals into a head and a rest. */
export function exact(value: string, digits = 4): { head: string; rest: string } {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(value);
  if (!match) return { head: value, rest: '' };
  const [, sign, whole = '', fraction = ''] = match;
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  const head = `${sign ? '−' : ''}${grouped}${fraction ? `.${fraction.slice(0, digits)}` : ''}`;
  return { head, rest: fraction.slice(digits) };
}

/** Whether a unit is a percentage, whose differences are percentage points. */
export const isPercent = (unit: string) => /per ?cent|%/i.test(unit);

/** Suffix of a number: `%`, `US dollars`. */
export const suffix = (unit: string) => (isPercent(unit) ? '\u202f%' : '');

/** Start of a period, in fractional years. */
export function start(period: string): number {
  const match = /^(\d{4})(?:-([SQMW])?(\d{1,2})(?:-(\d{2}))?)?$/.exec(period);
  if (!match) return NaN;
  const [, year, kind, place, day] = match;
  const step = { S: 2, Q: 4, M: 12, W: 52.18 }[kind ?? 'M'] ?? 12;
  const into = place ? (Number(place) - 1) / step : 0;
  return Number(year) + into + (day ? (Number(day) - 1) / 372 : 0);
}

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];

/** `2022-M06` is June 2022, `2022-Q1` the first quarter of 2022. */
export function periodName(period: string): string {
  const match = /^(\d{4})-([MQS])(\d{1,2})$/.exec(period);
  if (!match) return period;
  const [, year, kind, place] = match;
  if (kind === 'M') return `${MONTHS[Number(place) - 1] ?? place} ${year}`;
  return `${kind}${Number(place)} ${year}`;
}

export function date(seconds: number): string {
  return new Date(seconds * 1000).toLocaleDateString(LOCALE, { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' });
}

export function time(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

export function bytes(count: number): string {
  return count < 1024 ? `${count} bytes` : count < 1 << 20 ? `${(count / 1024).toFixed(1)} kB` : `${(count / (1 << 20)).toFixed(1)} MB`;
}

/** Last characters of an id; the first ones are the same for all ids. */
export const brief = (id: string) => (id.length > 20 ? `…${id.slice(-8)}` : id);

export const capital = (text: string) => (text === 'gdp' ? 'GDP' : text.charAt(0).toUpperCase() + text.slice(1).replaceAll('-', ' '));

export const count = (n: number, one: string, many = `${one}s`) => `${format({}).format(n)} ${n === 1 ? one : many}`;

export const flowId = (flow: Flow) => `${flow.publisher}/${flow.dataflow}${flow.outputs > 1 ? `/${flow.output}` : ''}`;

/** Sort order of methods: official first, those that do not hold or are contested last, then by number of series. */
export function better(a: Flow, b: Flow): number {
  const bad = (flow: Flow) => Number(flow.standing.word === 'does_not_hold' || flow.standing.word === 'contested');
  return Number(b.official) - Number(a.official) || bad(a) - bad(b) || b.series - a.series || a.dataflow.localeCompare(b.dataflow) || a.output.localeCompare(b.output);
}

/** Title of a flow, prefixed with the output title if the recipe has several outputs. */
export const flowTitle = (flow: { title: string; output_title: string; output: string; outputs: number }) =>
  flow.outputs > 1 ? `${flow.output_title || flow.output} (${flow.title})` : flow.title;

/** Path of the world page of a flow. */
export const worldPath = (flow: Flow) =>
  `/world/${part(flow.indicator)}?method=${part(flow.publisher)}/${part(flow.dataflow)}${flow.outputs > 1 ? `&output=${part(flow.output)}` : ''}`;

export const figurePath = (flow: Flow, key: string, period: string) =>
  `/figure/${part(flow.publisher)}/${part(flow.dataflow)}/${part(key)}/${part(period)}${flow.outputs > 1 ? `?output=${part(flow.output)}` : ''}`;

const RATES: [RegExp, string][] = [
  [/ (a|per) year$| per annum$| on the year before$/, 'year'],
  [/ a quarter$/, 'quarter'],
  [/ a month$/, 'month'],
];

/** Splits a unit into its text and its rate. */
function plainUnit(unit: string): { unit: string; often: string | null } {
  const text = unit.trim().toLowerCase().replaceAll('percent', 'per cent');
  const rate = RATES.find(([words]) => words.test(text));
  return rate ? { unit: text.replace(rate[0], ''), often: rate[1] } : { unit: text, often: null };
}

/**
 * Whether one value can be taken from the other: units in the same words, where one may be silent on how
 * often; or shares of two bases one of which widens the other, as rates of unemployment. As the API has it.
 */
export function alike(a: string, b: string): boolean {
  const [one, other] = [plainUnit(a), plainUnit(b)];
  if (one.often && other.often && one.often !== other.often) return false;
  const widens = (narrow: string, wide: string) => narrow.startsWith('per cent of ') && wide.startsWith(`${narrow} and `);
  return one.unit === other.unit || widens(one.unit, other.unit) || widens(other.unit, one.unit);
}

/** Summary of an entry without its type, which is shown next to it. */
export const about = ({ kind, summary }: { kind: string; summary: string }) => (summary.startsWith(`${kind} `) ? summary.slice(kind.length + 1) : summary);

/** Returns the text if it is an HTTP URL. Text of publishers is untrusted, so nothing else becomes a link. */
export function webAddress(text: string | null | undefined): string | null {
  if (!text) return null;
  try {
    const url = new URL(text);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null;
  } catch {
    return null;
  }
}

/** Codes of a series key: joined by dots and escaped as in addresses (specs/addresses.md); `_` has none. */
export function keyCodes(key: string): string[] {
  if (key === '_') return [];
  try {
    return key.split('.').map(decodeURIComponent);
  } catch {
    return key.split('.');
  }
}
