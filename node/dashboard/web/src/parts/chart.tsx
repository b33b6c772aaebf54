// Line chart. The arrow keys move the cursor like a slider and announce the values.
import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { useLayoutEffect, useState } from 'preact/hooks';
import { decimals, number, periodName, short, start, suffix } from '../text.ts';

export interface Series {
  id: string;
  label: string;
  periods: string[];
  values: (number | null)[];
  /** Colour index, 0 to 7. */
  tone: number;
  dashed?: boolean;
  /** Drawn wide, so that it stays visible below an overlapping line. */
  base?: boolean;
  /** Periods whose figure does not hold. */
  wrong?: ReadonlySet<string> | undefined;
}

export interface ChartProps {
  series: Series[];
  unit: string;
  label: string;
  height?: number;
  /** First and last period of the axis, to align stacked charts. */
  span?: [string, string] | undefined;
  /** Whether the axis includes zero, as for gaps. */
  zero?: boolean;
}

const TOP = 22;
const BOTTOM = 26;
/** Longest name, in characters, that is placed at the end of a line. */
const END_LETTERS = 20;

export function Chart({ series, unit, label, height = 340, zero = false, span }: ChartProps) {
  const [frame, setFrame] = useState<HTMLDivElement | null>(null);
  const [width, setWidth] = useState(260);
  const [cursor, setCursor] = useState<number | null>(null);
  // Measured before the first paint and after each resize, so that the chart never overflows.
  useLayoutEffect(() => {
    if (!frame) return;
    const measure = () => setWidth(Math.max(frame.clientWidth, 260));
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(frame);
    return () => watch.disconnect();
  }, [frame]);

  const spans = series.map((one) => one.periods.filter((_, at) => one.values[at] != null));
  const periods = [...new Set(spans.flat())].sort((a, b) => start(a) - start(b) || (a < b ? -1 : 1));
  const values = series.flatMap((one) => one.values).filter((value): value is number => value !== null);
  if (periods.length === 0) return <p class="quiet">No values.</p>;

  const narrow = width < 560;
  const left = Math.max(44, 8 + Math.max(...ticksOf(values, zero).map((tick) => short(tick).length)) * 7.2);
  const longest = Math.max(...series.map((one) => one.label.length));
  // Names are placed at the ends of the lines if there is room, else below the chart.
  const ends = series.length > 1 && !narrow && longest <= END_LETTERS;
  const right = ends ? 20 + longest * 7.4 : 18;
  const first = Math.min(start(periods[0]!), start(span?.[0] || periods[0]!));
  const last = Math.max(start(periods.at(-1)!), start(span?.[1] || periods.at(-1)!), first + 1e-6);
  const x = scaleLinear().domain([first, last]).range([left, width - right]);
  const y = yScale(values, zero).range([height - BOTTOM, TOP]);
  const draw = line<[number, number | null]>()
    .defined((point) => point[1] !== null)
    .x((point) => x(point[0]))
    .y((point) => y(point[1] ?? 0))
    .digits(1);

  const at = cursor === null ? null : Math.min(cursor, periods.length - 1);
  const period = at === null ? null : periods[at]!;
  const digits = decimals(values);
  const readings = (when: string) =>
    series
      .map((one) => ({ one, value: one.values[one.periods.indexOf(when)] ?? null }))
      .filter((reading) => reading.value !== null)
      .sort((a, b) => b.value! - a.value!);
  const spoken = (when: string) =>
    `${periodName(when)}: ${readings(when).map(({ one, value }) => `${one.label} ${number(value, digits)}${suffix(unit)}${doubt(one, when)}`).join('; ') || 'no data'}`;
  const point = (event: PointerEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const wanted = x.invert(event.clientX - box.left);
    let best = 0;
    periods.forEach((one, place) => {
      if (Math.abs(start(one) - wanted) < Math.abs(start(periods[best]!) - wanted)) best = place;
    });
    setCursor(best);
  };
  const key = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    const here = at ?? periods.length - 1;
    if (step) setCursor(Math.min(Math.max(here + step, 0), periods.length - 1));
    else if (event.key === 'Home') setCursor(0);
    else if (event.key === 'End') setCursor(periods.length - 1);
    else if (event.key === 'Escape') setCursor(null);
    else return;
    event.preventDefault();
  };
  const yearTicks = x.ticks(Math.max(2, Math.floor((width - left - right) / 70))).filter((tick) => Number.isInteger(tick));
  const rule = period === null ? null : x(start(period));
  return (
    <div class="chart" ref={setFrame}>
      <svg
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        role="slider"
        tabIndex={0}
        aria-label={`${label}. Use the arrow keys to read the values.`}
        aria-valuemin={0}
        aria-valuemax={periods.length - 1}
        aria-valuenow={at ?? periods.length - 1}
        aria-valuetext={spoken(period ?? periods.at(-1)!)}
        onKeyDown={key}
        onBlur={() => setCursor(null)}
        onPointerMove={point}
        onPointerDown={point}
        onPointerLeave={() => setCursor(null)}
      >
        <text class="axis unit" x={0} y={11}>
          {unit}
        </text>
        {ticksOf(values, zero).map((tick) => (
          <g>
            <line class={tick === 0 ? 'grid zero' : 'grid'} x1={left} x2={width - right} y1={y(tick)} y2={y(tick)} />
            <text class="axis" x={left - 6} y={y(tick) + 4} text-anchor="end">
              {short(tick)}
            </text>
          </g>
        ))}
        {yearTicks.map((tick) => (
          <text class="axis" x={x(tick)} y={height - 6} text-anchor="middle">
            {tick}
          </text>
        ))}
        {rule !== null && <line class="rule" x1={rule} x2={rule} y1={TOP} y2={height - BOTTOM} />}
        {series.map((one) => (
          <path class={`line s${one.tone % 8}${one.dashed ? ' dashed' : ''}${one.base ? ' base' : ''}`} d={draw(one.periods.map((when, place) => [start(when), one.values[place] ?? null])) ?? ''} />
        ))}
        {lonely(series).map(({ one, when, value }) => (
          <circle class={`dot s${one.tone % 8}`} cx={x(start(when))} cy={y(value)} r={3} />
        ))}
        {wrongPoints(series).map(({ when, value }) => (
          <circle class="dot wrong" cx={x(start(when))} cy={y(value)} r={5} />
        ))}
        {period !== null && readings(period).map(({ one, value }) => <circle class={`dot s${one.tone % 8}`} cx={rule!} cy={y(value!)} r={3.5} />)}
        {ends &&
          apart(series.map((one) => ({ one, y: y(lastOf(one)) })), height).map(({ one, y: place }) => (
            <text class={`end s${one.tone % 8}`} x={width - right + 8} y={place + 4}>
              {one.label}
            </text>
          ))}
      </svg>
      {period !== null && rule !== null && (
        <div class={rule > width / 2 ? 'tip left' : 'tip right'} aria-hidden="true" style={{ left: `${rule}px`, top: `${TOP}px` }}>
          <strong>{periodName(period)}</strong>
          {readings(period).slice(0, 12).map(({ one, value }) => (
            <span class="reading">
              <i class={`swatch s${one.tone % 8}`} />
              {one.label} <b>{number(value, digits)}{suffix(unit)}</b>
              {doubt(one, period)}
            </span>
          ))}
          {readings(period).length === 0 && <span>No data</span>}
        </div>
      )}
      {!ends && series.length > 1 && (
        <ul class="keys">
          {series.map((one) => (
            <li>
              <i class={`swatch s${one.tone % 8}${one.dashed ? ' broken' : ''}`} /> {one.label}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function yScale(values: number[], zero: boolean) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  // The axis starts at zero for rates, and for series with values near zero.
  const from = zero || (low > 0 && low < high / 3) ? Math.min(0, low) : low;
  return scaleLinear().domain([from, Math.max(zero ? 0 : high, high === from ? from + 1 : high)]).nice(5);
}

const ticksOf = (values: number[], zero: boolean) => (values.length ? yScale(values, zero).ticks(5) : []);

const lastOf = (one: Series) => one.values.findLast((value) => value !== null) ?? 0;

const doubt = (one: Series, when: string) => (one.wrong?.has(when) ? ' (does not hold)' : '');

/** Values that do not hold. */
function wrongPoints(series: Series[]) {
  return series.flatMap((one) =>
    one.values.flatMap((value, at) => (value !== null && one.wrong?.has(one.periods[at]!) ? [{ when: one.periods[at]!, value }] : [])),
  );
}

/** Isolated values, which a line would not show. */
function lonely(series: Series[]) {
  return series.flatMap((one) =>
    one.values.flatMap((value, at) => {
      const alone = value !== null && (one.values[at - 1] ?? null) === null && (one.values[at + 1] ?? null) === null;
      return alone ? [{ one, when: one.periods[at]!, value }] : [];
    }),
  );
}

/** Moves overlapping labels apart. */
function apart(labels: { one: Series; y: number }[], height: number) {
  const room = 15;
  const sorted = labels.sort((a, b) => a.y - b.y);
  for (let at = 1; at < sorted.length; at++) sorted[at]!.y = Math.max(sorted[at]!.y, sorted[at - 1]!.y + room);
  const over = (sorted.at(-1)?.y ?? 0) - (height - BOTTOM);
  if (over > 0) for (let at = sorted.length - 1, limit = height - BOTTOM; at >= 0; at--, limit -= room) sorted[at]!.y = Math.min(sorted[at]!.y, limit);
  return sorted;
}
