// Country page: for each indicator the official method, its alternatives and the gap between them.
// Series with comparable units share a chart; the others get a chart of their own below it.
import type { Country as Answer, Flow, Mark } from '../api.ts';
import { part, useLoad } from '../api.ts';
import type { Series } from '../parts/chart.tsx';
import { Chart } from '../parts/chart.tsx';
import { Marked, Standing, wordOf } from '../parts/standing.tsx';
import { Await, Empty } from '../parts/states.tsx';
import type { Route } from '../route.ts';
import { amend, useTitle } from '../route.ts';
import { alike, better, capital, date, decimals, figurePath, flowId, flowTitle, isPercent, keyCodes, number, periodName, start, suffix } from '../text.ts';
import { ranked } from './world.tsx';

interface Line {
  flow: Flow;
  key: string;
  name: string;
  periods: string[];
  values: (number | null)[];
  marks: Mark[];
}

export function Country({ route }: { route: Route }) {
  const code = route.parts[1] ?? '';
  const answer = useLoad<Answer>(`/countries/${part(code)}`);
  return <Await of={answer}>{(answer) => <Measures route={route} answer={answer} />}</Await>;
}

function Measures({ route, answer }: { route: Route; answer: Answer }) {
  const all = lines(answer);
  const measures = ranked(all.map((line) => line.flow));
  const only = route.query.get('indicator');
  const shown = measures.includes(only ?? '') ? [only!] : measures;
  useTitle(`${answer.area.name}: ${shown.map(capital).join(', ')}`);
  return (
    <article class="country">
      <header class="title">
        <div>
          <p class="kicker">{answer.area.aggregate ? 'Group of countries' : 'Country'} · {answer.area.code}</p>
          <h1>{answer.area.name}</h1>
        </div>
      </header>
      {measures.length > 1 && !route.embed && (
        <nav class="measures" aria-label="Indicators of this country">
          <a href={`/country/${part(answer.area.code)}`} aria-current={shown.length > 1 ? 'page' : undefined}>
            All
          </a>
          {measures.map((one) => (
            <a href={`/country/${part(answer.area.code)}?indicator=${part(one)}`} aria-current={shown.length === 1 && shown[0] === one ? 'page' : undefined}>
              {capital(one)}
            </a>
          ))}
        </nav>
      )}
      {measures.length === 0 && (
        <Empty title="No figures for this area">
          <p>
            None of the publishers followed by this node has figures for {answer.area.name}. <a href="/network">Show publishers</a>.
          </p>
        </Empty>
      )}
      {shown.map((measure) => (
        <Measure key={measure} route={route} measure={measure} lines={all.filter((line) => line.flow.indicator === measure)} />
      ))}
    </article>
  );
}

/** One line per series; the key is part of the name if a flow has several series. */
export function lines(answer: Answer): Line[] {
  return answer.flows.flatMap(({ flow, series }) =>
    series.map(({ key, periods, values, marks }) => ({
      flow,
      key,
      periods,
      values,
      marks,
      name: series.length > 1 ? `${flowTitle(flow)} (${keyCodes(key).filter((one) => one !== answer.area.code).join(' ')})` : flowTitle(flow),
    })),
  );
}

function Measure({ route, measure, lines }: { route: Route; measure: string; lines: Line[] }) {
  const sets = grouped(lines);
  const spans = lines.flatMap((line) => line.periods.filter((_, at) => line.values[at] !== null)).sort((a, b) => start(a) - start(b));
  return (
    <section class="measure" aria-label={capital(measure)}>
      {sets.map((set, at) => (
        <Overlay route={route} measure={measure} set={at} lines={set} heading={sets.length > 1 ? named(set, measure) : capital(measure)} span={sets.length > 1 ? [spans[0] ?? '', spans.at(-1) ?? ''] : undefined} />
      ))}
    </section>
  );
}

/** Groups lines with comparable units, official ones first. */
export function grouped(lines: Line[]): Line[][] {
  const sets: Line[][] = [];
  for (const line of [...lines].sort((a, b) => better(a.flow, b.flow))) {
    const set = sets.find((set) => set.every((one) => alike(one.flow.unit, line.flow.unit)));
    if (set) set.push(line);
    else sets.push([line]);
  }
  // The unit of most methods comes first.
  return sets.sort((a, b) => b.length - a.length);
}

/** Title of a group: its output title if all lines share it, else the indicator with the unit. */
function named(set: Line[], measure: string): string {
  const titles = [...new Set(set.map((line) => line.flow.output_title))];
  return titles.length === 1 && titles[0] ? titles[0] : `${capital(measure)} (${set[0]!.flow.unit})`;
}

interface OverlayProps {
  route: Route;
  measure: string;
  /** Index of the chart within its indicator. */
  set: number;
  lines: Line[];
  heading: string;
  /** First and last period of all charts of the indicator, so that they are aligned. */
  span: [string, string] | undefined;
}

function Overlay({ route, measure, set, lines: sorted, heading, span }: OverlayProps) {
  const official = sorted.find((line) => line.flow.official && line.flow.standing.contests.length === 0) ?? sorted[0]!;
  const rivals = sorted.filter((line) => line !== official);
  const unit = official.flow.unit;
  const choice = set === 0 ? `against-${measure}` : `against-${measure}-${set + 1}`;
  const wanted = route.query.get(choice);
  const rival = rivals.find((line) => lineId(line) === wanted) ?? rivals[0];
  const shown = sorted.slice(0, 8);
  const digits = decimals(sorted.flatMap((line) => line.values));
  return (
    <div class={set === 0 ? 'chart-set' : 'chart-set further'}>
      <div class="headline">
        {set === 0 ? <h2>{heading}</h2> : <h3>{heading}</h3>}
        <Latest line={official} digits={digits} />
      </div>
      <Chart label={`${heading} by method`} unit={unit} height={set === 0 ? 320 : 220} span={span} series={shown.map((line, tone): Series => ({ id: lineId(line), label: methodName(line, shown), periods: line.periods, values: line.values, tone, dashed: !line.flow.official, base: tone === 0 && shown.length > 1, wrong: wrongPeriods(line) }))} />
      {sorted.length > 8 && <p class="quiet">The table below lists {sorted.length - 8} more.</p>}
      {rival && <Gap official={official} rival={rival} rivals={rivals} choice={choice} unit={unit} span={span} />}
      <details class="methods">
        <summary>
          {sorted.length} series: publication and verification
        </summary>
        <div class="scroll" tabIndex={0} role="region" aria-label={`Series of ${heading}`}>
          <table>
            <thead>
              <tr>
                <th scope="col">Method</th>
                <th scope="col">Publisher</th>
                <th scope="col" class="num">Latest</th>
                <th scope="col">Published</th>
                <th scope="col">Standing</th>
              </tr>
            </thead>
            <tbody>
              {sorted.map((line) => {
                const last = latest(line);
                return (
                  <tr>
                    <th scope="row">
                      <a href={`/recipe/${part(line.flow.recipe)}`}>{line.name}</a> <span class="quiet">{line.flow.official ? 'official' : 'alternative'}</span>
                    </th>
                    <td>
                      <a href={`/publisher/${part(line.flow.publisher)}`}>{line.flow.publisher_name}</a>
                    </td>
                    <td class="num">{last ? <a href={figurePath(line.flow, line.key, last.period)}><Marked word={lineWord(line, last.period)}>{number(last.value, digits)}</Marked></a> : '–'}</td>
                    <td>{date(line.flow.published)}</td>
                    <td>
                      <Standing flow={line.flow} />
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      </details>
    </div>
  );
}

const lineId = (line: Line) => `${flowId(line.flow)}/${line.key}`;

/** Name of a method, with its publisher if several publish under the same title. */
function methodName(line: Line, all: Line[]): string {
  const same = all.filter((one) => one.name === line.name).length > 1;
  return same ? `${line.flow.publisher_name}: ${line.name}` : line.name;
}

const wrongPeriods = (line: Line) => new Set(line.marks.filter((one) => one.word === 'does_not_hold').map((one) => one.period));

/** How the figure of a period stands. */
const lineWord = (line: Line, period: string) => wordOf(line.flow, line.marks.find((one) => one.period === period));

export function latest(line: { periods: string[]; values: (number | null)[] }) {
  const at = line.values.findLastIndex((value) => value !== null);
  return at < 0 ? null : { period: line.periods[at]!, value: line.values[at]! };
}

function Latest({ line, digits }: { line: Line; digits: number }) {
  const last = latest(line);
  if (!last) return null;
  return (
    <p class="latest">
      <a class="big" href={figurePath(line.flow, line.key, last.period)}>
        <Marked word={lineWord(line, last.period)}>
          {number(last.value, digits)}
          {suffix(line.flow.unit)}
        </Marked>
      </a>
      <span>
        {isPercent(line.flow.unit) ? '' : `${line.flow.unit}, `}
        {periodName(last.period)}, published {date(line.flow.published)}
        <br />
        <Standing flow={line.flow} />
      </span>
    </p>
  );
}

interface GapProps {
  official: Line;
  rival: Line;
  rivals: Line[];
  /** Query parameter of the selection. */
  choice: string;
  unit: string;
  span: [string, string] | undefined;
}

function Gap({ official, rival, rivals, choice, unit, span }: GapProps) {
  const base = new Map(official.periods.map((period, at) => [period, official.values[at] ?? null]));
  const both = rival.periods.flatMap((period, at) => {
    const a = base.get(period) ?? null;
    const b = rival.values[at] ?? null;
    return a === null || b === null ? [] : [{ period, gap: b - a }];
  });
  const sorted = both.sort((a, b) => start(a.period) - start(b.period));
  const widest = sorted.reduce<{ period: string; gap: number } | null>((best, one) => (!best || Math.abs(one.gap) > Math.abs(best.gap) ? one : best), null);
  const digits = decimals(sorted.map((one) => one.gap));
  const all = [official, ...rivals];
  const against = official.flow.official && !rival.flow.official ? 'the official method' : `“${methodName(official, all)}”`;
  const ends = all.flatMap((line) => line.periods.filter((_, at) => line.values[at] !== null)).sort((a, b) => start(a) - start(b));
  return (
    <div class="gap">
      <label class="method">
        <span>Gap to</span>
        <select value={lineId(rival)} onChange={(event) => amend({ [choice]: event.currentTarget.value })}>
          {rivals.map((line) => (
            <option value={lineId(line)}>{methodName(line, all)}</option>
          ))}
        </select>
      </label>
      {widest ? (
        <>
          <p>
            {widest.gap === 0
              ? 'No gap in any common period.'
              : `Largest in ${periodName(widest.period)}: ${number(widest.gap, digits)} ${isPercent(unit) ? 'percentage points' : unit} against ${against}.`}
          </p>
          {widest.gap !== 0 && <Chart label={`Gap of ${rival.name} to ${against}`} unit={isPercent(unit) ? 'Gap, percentage points' : `Gap, ${unit}`} height={170} zero span={span ?? [ends[0] ?? '', ends.at(-1) ?? '']} series={[{ id: 'gap', label: 'Gap', periods: sorted.map((one) => one.period), values: sorted.map((one) => one.gap), tone: 1 }]} />}
        </>
      ) : (
        <p class="quiet">The two series have no common period.</p>
      )}
    </div>
  );
}
