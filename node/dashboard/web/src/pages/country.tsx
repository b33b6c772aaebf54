// A country: every measure, the official method against its rivals, and the gap between them.
import type { Country as Answer, Flow } from '../api.ts';
import { part, useLoad } from '../api.ts';
import type { Series } from '../parts/chart.tsx';
import { Chart } from '../parts/chart.tsx';
import { Standing, VerdictText } from '../parts/pieces.tsx';
import { Await, Empty } from '../parts/states.tsx';
import type { Route } from '../route.ts';
import { amend } from '../route.ts';
import { capital, date, decimals, figurePath, flowId, isPercent, number, periodName, primary, start, suffix } from '../text.ts';
import { ranked } from './world.tsx';

interface Line {
  flow: Flow;
  key: string;
  name: string;
  periods: string[];
  values: (number | null)[];
}

export function Country({ route }: { route: Route }) {
  const code = route.parts[1] ?? '';
  const answer = useLoad<Answer>(`/countries/${part(code)}`);
  return <Await of={answer}>{(answer) => <Measures route={route} answer={answer} />}</Await>;
}

function Measures({ route, answer }: { route: Route; answer: Answer }) {
  const all = lines(answer);
  const measures = ranked(all.map((line) => line.flow));
  const only = route.query.get('measure');
  const shown = measures.includes(only ?? '') ? [only!] : measures;
  return (
    <article class="country">
      <header class="title">
        <div>
          <p class="kicker">{answer.area.aggregate ? 'Group of countries' : 'Country'} · {answer.area.code}</p>
          <h1>{answer.area.name}</h1>
        </div>
      </header>
      {measures.length > 1 && !route.embed && (
        <nav class="measures" aria-label="Measures of this country">
          <a href={`/country/${part(answer.area.code)}`} aria-current={shown.length > 1 ? 'page' : undefined}>
            All
          </a>
          {measures.map((one) => (
            <a href={`/country/${part(answer.area.code)}?measure=${part(one)}`} aria-current={shown.length === 1 && shown[0] === one ? 'page' : undefined}>
              {capital(one)}
            </a>
          ))}
        </nav>
      )}
      {measures.length === 0 && (
        <Empty title="No figures for this area">
          <p>
            None of the publishers that this node follows has figures for {answer.area.name}. <a href="/network">See who is followed</a>.
          </p>
        </Empty>
      )}
      {shown.map((measure) => (
        <Measure key={measure} route={route} measure={measure} lines={all.filter((line) => line.flow.measure === measure)} />
      ))}
    </article>
  );
}

/** One line for each key of each flow; the key is named where a flow has several. */
export function lines(answer: Answer): Line[] {
  const first = primary(answer.flows.map(({ flow }) => flow));
  const shown = answer.flows.filter(({ flow }) => first.includes(flow));
  return shown.flatMap(({ flow, keys }) =>
    keys.map(({ key, periods, values }) => ({
      flow,
      key,
      periods,
      values,
      name: keys.length > 1 ? `${flow.title} (${key.split('.').filter((one) => one !== answer.area.code).join(' ')})` : flow.title,
    })),
  );
}

function Measure({ route, measure, lines }: { route: Route; measure: string; lines: Line[] }) {
  const units = [...new Set(lines.map((line) => line.flow.unit))];
  return (
    <>
      {units.map((unit) => (
        <Overlay route={route} measure={measure} unit={unit} lines={lines.filter((line) => line.flow.unit === unit)} heading={units.length > 1 ? `${capital(measure)} (${unit})` : capital(measure)} />
      ))}
    </>
  );
}

interface OverlayProps {
  route: Route;
  measure: string;
  unit: string;
  lines: Line[];
  heading: string;
}

function Overlay({ route, measure, unit, lines, heading }: OverlayProps) {
  const sorted = [...lines].sort((a, b) => Number(b.flow.official) - Number(a.flow.official));
  const official = sorted.find((line) => line.flow.official && !line.flow.retracted) ?? sorted[0]!;
  const rivals = sorted.filter((line) => line !== official);
  const wanted = route.query.get(`against-${measure}`);
  const rival = rivals.find((line) => lineId(line) === wanted) ?? rivals[0];
  const shown = sorted.slice(0, 8);
  const digits = decimals(lines.flatMap((line) => line.values));
  return (
    <section class="measure" aria-label={heading}>
      <div class="headline">
        <h2>{heading}</h2>
        <Latest line={official} digits={digits} />
      </div>
      <Chart label={`${heading} by method`} unit={unit} height={320} series={shown.map((line, tone): Series => ({ id: lineId(line), label: methodName(line, shown), periods: line.periods, values: line.values, tone, dashed: !line.flow.official }))} />
      {sorted.length > 8 && <p class="quiet">{sorted.length - 8} more are in the table below.</p>}
      {rival && <Gap official={official} rival={rival} rivals={rivals} measure={measure} unit={unit} />}
      <details class="methods">
        <summary>
          {sorted.length} {sorted.length === 1 ? 'series' : 'series, with when each was published and verified'}
        </summary>
        <div class="scroll" tabIndex={0} role="region" aria-label={`Series of ${heading}`}>
          <table>
            <thead>
              <tr>
                <th scope="col">Method</th>
                <th scope="col">Publisher</th>
                <th scope="col" class="num">Latest</th>
                <th scope="col">Published</th>
                <th scope="col">Run again here</th>
                <th scope="col">By others</th>
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
                    <td class="num">{last ? <a href={figurePath(line.flow, line.key, last.period)}>{number(last.value, digits)}</a> : '–'}</td>
                    <td>{date(line.flow.published)}</td>
                    <td>
                      <VerdictText verdict={line.flow.verdict} />
                    </td>
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
    </section>
  );
}

const lineId = (line: Line) => `${flowId(line.flow)}/${line.key}`;

/** By publisher where several publish under one title. */
function methodName(line: Line, all: Line[]): string {
  const same = all.filter((one) => one.name === line.name).length > 1;
  return same ? `${line.flow.publisher_name}: ${line.name}` : line.name;
}

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
        {number(last.value, digits)}
        {suffix(line.flow.unit)}
      </a>
      <span>
        {isPercent(line.flow.unit) ? '' : `${line.flow.unit}, `}
        {periodName(last.period)}, published {date(line.flow.published)}
        <br />
        <VerdictText verdict={line.flow.verdict} /> {line.flow.verdict ? 'here' : ''} · <Standing flow={line.flow} />
      </span>
    </p>
  );
}

interface GapProps {
  official: Line;
  rival: Line;
  rivals: Line[];
  measure: string;
  unit: string;
}

function Gap({ official, rival, rivals, measure, unit }: GapProps) {
  const base = new Map(official.periods.map((period, at) => [period, official.values[at] ?? null]));
  const both = rival.periods.flatMap((period, at) => {
    const a = base.get(period) ?? null;
    const b = rival.values[at] ?? null;
    return a === null || b === null ? [] : [{ period, gap: b - a }];
  });
  const sorted = both.sort((a, b) => start(a.period) - start(b.period));
  const widest = sorted.reduce<{ period: string; gap: number } | null>((best, one) => (!best || Math.abs(one.gap) > Math.abs(best.gap) ? one : best), null);
  const digits = decimals(sorted.map((one) => one.gap));
  return (
    <div class="gap">
      <label class="method">
        <span>Gap to</span>
        <select value={lineId(rival)} onChange={(event) => amend({ [`against-${measure}`]: event.currentTarget.value })}>
          {rivals.map((line) => (
            <option value={lineId(line)}>{methodName(line, rivals)}</option>
          ))}
        </select>
      </label>
      {widest ? (
        <>
          <p>
            {widest.gap === 0
              ? 'No gap in any period that both have.'
              : `Widest in ${periodName(widest.period)}: ${number(widest.gap, digits)} ${isPercent(unit) ? 'percentage points' : unit} against the official method.`}
          </p>
          <Chart label={`Gap of ${rival.name} to the official method`} unit={isPercent(unit) ? 'Gap, percentage points' : `Gap, ${unit}`} height={170} zero series={[{ id: 'gap', label: 'Gap', periods: sorted.map((one) => one.period), values: sorted.map((one) => one.gap), tone: 1 }]} />
        </>
      ) : (
        <p class="quiet">The two have no period in common.</p>
      )}
    </div>
  );
}
