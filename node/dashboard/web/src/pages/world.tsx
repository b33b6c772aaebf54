// World page: one indicator by one method, as map, table or chart.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Area, Flow, Mark, Panel, Word } from '../api.ts';
import { part, useLoad } from '../api.ts';
import { Chart } from '../parts/chart.tsx';
import { classes } from '../parts/colour.ts';
import { Legend } from '../parts/legend.tsx';
import { WorldMap } from '../parts/map.tsx';
import { Standing, wordOf } from '../parts/standing.tsx';
import { Await, Empty } from '../parts/states.tsx';
import { Table } from '../parts/table.tsx';
import type { Route } from '../route.ts';
import { amend, useTitle } from '../route.ts';
import { better, capital, date, decimals, figurePath, flowId, flowTitle, number, periodName, suffix } from '../text.ts';

const VIEWS = ['map', 'table', 'chart'] as const;
const FAVOURITES = ['inflation', 'unemployment', 'gdp'];

export function World({ route }: { route: Route }) {
  const flows = useLoad<Flow[]>('/flows');
  const areas = useLoad<Area[]>('/areas');
  return (
    <Await of={flows} what="the dataflows">
      {(flows) => (
        <Await of={areas} what="the areas">
          {(areas) => <Chosen route={route} flows={flows} areas={areas} />}
        </Await>
      )}
    </Await>
  );
}

function Chosen({ route, flows, areas }: { route: Route; flows: Flow[]; areas: Area[] }) {
  const shown = flows.filter((flow) => flow.dimensions.includes('REF_AREA'));
  const measures = ranked(shown);
  const measure = route.parts[1] ?? measures[0];
  if (!measure) return <Welcome />;
  const methods = shown.filter((flow) => flow.indicator === measure).sort(better);
  const flow = wanted(methods, route.query) ?? methods[0];
  if (!flow)
    return (
      <Empty title={`No figures for “${measure}”`}>
        <p>
          Available indicators: {measures.map((one) => <a class="chip" href={`/world/${part(one)}`}>{capital(one)}</a>)}
        </p>
      </Empty>
    );
  return (
    <article class="world">
      {!route.embed && measures.length > 1 && (
        <nav class="measures" aria-label="Indicators">
          {measures.map((one) => (
            <a href={`/world/${part(one)}`} aria-current={one === measure ? 'page' : undefined}>
              {capital(one)}
            </a>
          ))}
        </nav>
      )}
      <header class="title">
        <div>
          <h1>{capital(measure)}</h1>
          <p class="lead">{flowTitle(flow)}</p>
        </div>
        <Method flow={flow} methods={methods} />
      </header>
      <Data key={`${flow.release}/${flow.output}`} route={route} flow={flow} areas={areas} />
    </article>
  );
}

/** Flow selected by the URL: `method=publisher/dataflow`, and `output=` if it has several. */
function wanted(flows: Flow[], query: URLSearchParams): Flow | undefined {
  const same = flows.filter((flow) => `${flow.publisher}/${flow.dataflow}` === query.get('method'));
  return same.find((flow) => flow.output === query.get('output')) ?? same[0];
}

/** Indicators: the most popular first, the rest by name. */
export function ranked(flows: Flow[]): string[] {
  const measures = [...new Set(flows.map((flow) => flow.indicator))].sort();
  return [...FAVOURITES.filter((one) => measures.includes(one)), ...measures.filter((one) => !FAVOURITES.includes(one))];
}

function Method({ flow, methods }: { flow: Flow; methods: Flow[] }) {
  const name = (one: Flow) => `${one.official ? 'Official' : 'Alternative'}: ${flowTitle(one)} — ${one.publisher_name}`;
  const choose = (id: string) => {
    const next = methods.find((one) => flowId(one) === id);
    if (next) amend({ method: `${next.publisher}/${next.dataflow}`, output: next.outputs > 1 ? next.output : null, period: null, series: null }, true);
  };
  return (
    <label class="method">
      <span>Method</span>
      <select value={flowId(flow)} onChange={(event) => choose(event.currentTarget.value)}>
        {methods.map((one) => (
          <option value={flowId(one)}>{name(one)}</option>
        ))}
      </select>
    </label>
  );
}

/** Lines of a panel by area, for one selection of the other dimensions. */
interface Slice {
  lines: Map<string, { key: string; values: (number | null)[] }>;
  choices: string[];
  choice: string;
}

function slice(panel: Panel, wanted: string | null): Slice {
  const names = panel.dimensions.filter((name) => name !== 'TIME_PERIOD');
  const place = Math.max(names.indexOf('REF_AREA'), 0);
  const keys = panel.series.map((area, at) => panel.key_codes?.[at] ?? [area]);
  const rest = keys.map((key) => key.filter((_, at) => at !== place).join('.'));
  const choices = [...new Set(rest)].filter(Boolean).sort();
  const choice = wanted !== null && choices.includes(wanted) ? wanted : mostFrequent(rest);
  const lines: Slice['lines'] = new Map();
  keys.forEach((key, at) => {
    if (rest[at] === choice) lines.set(key[place]!, { key: panel.series[at]!, values: panel.values[at]! });
  });
  return { lines, choices, choice };
}

function mostFrequent(texts: string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0] ?? '';
}

function Data({ route, flow, areas }: { route: Route; flow: Flow; areas: Area[] }) {
  const panel = useLoad<Panel>(`/panels/${part(flow.release)}/${part(flow.output)}`);
  const marked = flow.standing.does_not_hold + flow.standing.retracted_points > 0;
  const marks = useLoad<Mark[]>(marked ? `/panels/${part(flow.release)}/${part(flow.output)}/marks` : null);
  return (
    <Await of={panel} what="the figures of all countries">
      {(panel) => <Views route={route} flow={flow} areas={areas} panel={panel} marks={marks.value ?? NO_MARKS} />}
    </Await>
  );
}

const NO_MARKS: Mark[] = [];

function Views({ route, flow, areas, panel, marks }: { route: Route; flow: Flow; areas: Area[]; panel: Panel; marks: Mark[] }) {
  useTitle(`${capital(flow.indicator)}: ${route.query.get('method') ? flowTitle(flow) : 'the world'}`);
  const { lines, choices, choice } = useMemo(() => slice(panel, route.query.get('series')), [panel, route.query.get('series')]);
  const byCode = useMemo(() => new Map(areas.map((area) => [area.code, area])), [areas]);
  const colours = useMemo(() => classes([...lines].filter(([code]) => !byCode.get(code)?.aggregate).map(([, one]) => one.values)), [lines]);
  const digits = useMemo(() => decimals(panel.values.flat()), [panel]);
  const fullest = useMemo(() => lastFull(lines, panel.periods.length), [lines]);
  const wanted = panel.periods.indexOf(route.query.get('period') ?? '');
  const at = wanted >= 0 ? wanted : fullest;
  const period = panel.periods[at] ?? '';
  const view = VIEWS.find((one) => one === route.query.get('view')) ?? (lines.size > 1 ? 'map' : 'chart');
  const chosen = (route.query.get('compare') ?? '').split(',').filter((code) => lines.has(code));
  const choose = (code: string) => {
    if (!lines.has(code)) return;
    const next = chosen.includes(code) ? chosen.filter((one) => one !== code) : [...chosen, code].slice(-8);
    amend({ compare: next.join(',') });
  };
  const value = (code: string) => lines.get(code)?.values[at] ?? null;
  const marked = useMemo(() => new Map(marks.map((mark) => [`${mark.key} ${mark.period}`, mark])), [marks]);
  const word = (code: string, when = period): Word => wordOf(flow, marked.get(`${lines.get(code)?.key} ${when}`));
  const wrongPeriods = (key: string) => new Set(marks.filter((one) => one.key === key && one.word === 'does_not_hold').map((one) => one.period));
  const say = (code: string) => {
    const one = value(code);
    return one === null ? 'no data' : `${number(one, digits)}${suffix(panel.unit)}${word(code) === 'does_not_hold' ? ' (does not hold)' : ''}`;
  };
  const name = (code: string) => byCode.get(code)?.name ?? code;
  const first = [...lines.keys()].sort((a, b) => name(a).localeCompare(name(b)));
  const drawn = chosen.length ? chosen : defaults(lines);
  return (
    <>
      <div class="tools">
        <Tabs view={view} />
        {choices.length > 1 && (
          <label class="method">
            <span>Series</span>
            <select value={choice} onChange={(event) => amend({ series: event.currentTarget.value })}>
              {choices.map((one) => (
                <option>{one}</option>
              ))}
            </select>
          </label>
        )}
      </div>
      <section class="panel" role="tabpanel" id="view" aria-label={`${flowTitle(flow)}, ${view}`}>
        {view === 'map' && (
          <>
            <WorldMap
              areas={byCode}
              value={value}
              say={say}
              wrong={(code) => word(code) === 'does_not_hold'}
              classes={colours}
              chosen={chosen}
              onChoose={choose}
              label={`${flowTitle(flow)}, ${periodName(period)}`}
            />
            <Legend classes={colours} unit={panel.unit} />
          </>
        )}
        {view === 'table' && (
          <Table
            caption={`${flowTitle(flow)}, ${periodName(period)} (${panel.unit})`}
            columns={['Country or area', period, 'A year before', 'Change']}
            rows={first.map((code) => {
              const now = value(code);
              const before = lines.get(code)?.values[at - yearBack(panel.periods, at)] ?? null;
              const line = lines.get(code)!;
              return {
                id: code,
                cells: [
                  { text: name(code), sort: name(code), path: `/country/${part(code)}?indicator=${part(flow.indicator)}` },
                  { text: now === null ? 'no data' : number(now, digits), sort: now, path: now === null ? undefined : figurePath(flow, line.key, period), word: word(code) },
                  { text: number(before, digits), sort: before, word: word(code, panel.periods[at - yearBack(panel.periods, at)]) },
                  { text: now === null || before === null ? '–' : number(now - before, digits), sort: now === null || before === null ? null : now - before },
                ],
              };
            })}
          />
        )}
        {view === 'chart' && (
          <Chart
            label={flowTitle(flow)}
            unit={panel.unit}
            height={400}
            series={drawn.map((code, tone) => ({ id: code, label: name(code), periods: panel.periods, values: lines.get(code)!.values, tone, wrong: wrongPeriods(lines.get(code)!.key) }))}
          />
        )}
        {view !== 'chart' && <Slider periods={panel.periods} at={at} />}
      </section>
      <Compare chosen={chosen} codes={first} name={name} say={say} path={(code) => figurePath(flow, lines.get(code)!.key, period)} choose={choose} period={period} has={(code) => value(code) !== null} />
      <Source route={route} flow={flow} lines={lines} panel={panel} name={name} word={word} />
    </>
  );
}

/** Last period with values for most areas; the newest one is often incomplete. */
function lastFull(lines: Slice['lines'], periods: number): number {
  const counts = Array.from({ length: periods }, (_, at) => [...lines.values()].filter((one) => one.values[at] != null).length);
  const most = Math.max(...counts, 0);
  for (let at = periods - 1; at >= 0; at--) if (counts[at]! >= most * 0.7) return at;
  return Math.max(periods - 1, 0);
}

/** Number of periods in a year. */
function yearBack(periods: string[], at: number): number {
  const period = periods[at] ?? '';
  const before = String(Number(period.slice(0, 4)) - 1) + period.slice(4);
  const place = periods.indexOf(before);
  return place < 0 ? at + 1 : at - place;
}

/** Default areas of a chart. */
function defaults(lines: Slice['lines']): string[] {
  const large = ['USA', 'DEU', 'JPN', 'GBR', 'FRA', 'BRA', 'IND'].filter((code) => lines.has(code)).slice(0, 5);
  return large.length ? large : [...lines.keys()].slice(0, 5);
}

function Tabs({ view }: { view: string }) {
  const key = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const at = VIEWS.findIndex((one) => one === view);
    const next = VIEWS[(at + step + VIEWS.length) % VIEWS.length]!;
    amend({ view: next }, true);
    document.getElementById(`tab-${next}`)?.focus();
    event.preventDefault();
  };
  return (
    <div class="tabs" role="tablist" aria-label="View" onKeyDown={key}>
      {VIEWS.map((one) => (
        <button type="button" role="tab" id={`tab-${one}`} aria-controls="view" aria-selected={one === view} tabIndex={one === view ? 0 : -1} onClick={() => amend({ view: one }, true)}>
          {capital(one)}
        </button>
      ))}
    </div>
  );
}

const STEP_MILLIS = 450;

function Slider({ periods, at }: { periods: string[]; at: number }) {
  const [playing, play] = useState(false);
  const here = useRef(at);
  here.current = at;
  useEffect(() => {
    if (!playing) return;
    const timer = setInterval(() => {
      const next = here.current + 1;
      if (next >= periods.length) play(false);
      else amend({ period: periods[next]! });
    }, STEP_MILLIS);
    return () => clearInterval(timer);
  }, [playing, periods]);
  const toggle = () => {
    if (!playing && at >= periods.length - 1) amend({ period: periods[0]! });
    play(!playing);
  };
  if (periods.length < 2) return null;
  return (
    <div class="slider">
      <button type="button" onClick={toggle} aria-label={playing ? 'Stop' : 'Play all periods'}>
        <svg viewBox="0 0 12 12" aria-hidden="true">{playing ? <path d="M2 1h3v10H2zM7 1h3v10H7z" /> : <path d="M2 1l9 5-9 5z" />}</svg>
      </button>
      <span aria-hidden="true">{periods[0]}</span>
      <input
        type="range"
        min={0}
        max={periods.length - 1}
        value={at}
        aria-label="Period"
        aria-valuetext={periodName(periods[at] ?? '')}
        onInput={(event) => amend({ period: periods[Number(event.currentTarget.value)] ?? '' })}
      />
      <span aria-hidden="true">{periods.at(-1)}</span>
      <output>{periodName(periods[at] ?? '')}</output>
    </div>
  );
}

interface CompareProps {
  chosen: string[];
  codes: string[];
  name: (code: string) => string;
  say: (code: string) => string;
  path: (code: string) => string;
  choose: (code: string) => void;
  has: (code: string) => boolean;
  period: string;
}

function Compare({ chosen, codes, name, say, path, choose, period, has }: CompareProps) {
  const [text, set] = useState('');
  const add = (typed: string) => {
    const wanted = typed.trim().toLowerCase();
    const code = codes.find((one) => name(one).toLowerCase() === wanted || one.toLowerCase() === wanted);
    if (code && !chosen.includes(code)) choose(code);
    set(code ? '' : typed);
  };
  return (
    <section class="compare" aria-labelledby="compare-title">
      <h2 id="compare-title">Compare, {periodName(period)}</h2>
      <ul>
        {chosen.map((code) => (
          <li>
            <a href={`/country/${part(code)}`}>{name(code)}</a>
            {has(code) ? (
              <a class="value" href={path(code)} aria-label={`${name(code)}, ${periodName(period)}: ${say(code)}. Show the figure and its verification`}>
                {say(code)}
              </a>
            ) : (
              <span class="value quiet">{say(code)}</span>
            )}
            <button type="button" class="x" aria-label={`Remove ${name(code)}`} onClick={() => choose(code)}>
              ×
            </button>
          </li>
        ))}
        <li class="add">
          <input list="areas" value={text} placeholder="Add a country" aria-label="Add a country" onInput={(event) => add(event.currentTarget.value)} />
          <datalist id="areas">
            {codes.filter((code) => !chosen.includes(code)).map((code) => (
              <option value={name(code)} />
            ))}
          </datalist>
        </li>
      </ul>
      {chosen.length === 0 && <p class="quiet">Select countries on the map or type a name. Each value links to the figure and its verification.</p>}
    </section>
  );
}

interface SourceProps {
  route: Route;
  flow: Flow;
  lines: Slice['lines'];
  panel: Panel;
  name: (code: string) => string;
  word: (code: string, period: string) => Word;
}

function Source({ route, flow, lines, panel, name, word }: SourceProps) {
  const download = () => {
    const quote = (text: string) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    // Spreadsheets would execute text with a leading formula character.
    const cell = (text: string) => quote(/^[=+\-@\t]/.test(text) ? `'${text}` : text);
    const rows = [...lines].flatMap(([code, one]) =>
      one.values.flatMap((value, at) => (value === null ? [] : [[cell(code), cell(name(code)), panel.periods[at]!, String(value), word(code, panel.periods[at]!)].join(',')])),
    );
    const url = URL.createObjectURL(new Blob([['REF_AREA,name,TIME_PERIOD,OBS_VALUE,ASSAY_STANDING', ...rows, ''].join('\n')], { type: 'text/csv' }));
    const link = Object.assign(document.createElement('a'), { href: url, download: `${flow.dataflow}${flow.outputs > 1 ? `-${flow.output}` : ''}.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  };
  const page = `${location.origin}${location.pathname.replace(/^\/$/, `/world/${part(flow.indicator)}`)}${location.search}`;
  const frame = `<iframe src="${page.replace(location.origin, `${location.origin}/embed`)}" width="100%" height="640" title="${flow.indicator}"></iframe>`;
  if (route.embed)
    return (
      <p class="credit">
        {flow.publisher_name}
        {(flow.standing.word === 'does_not_hold' || flow.standing.word === 'contested') && (
          <>
            {' '}
            · <Standing flow={flow} />
          </>
        )}{' '}
        · <a href={page.replace('/embed', '')} target="_blank" rel="noopener">verify these figures</a>
      </p>
    );
  return (
    <section class="source">
      <div>
        <h2>Source</h2>
        <p>
          Published by <a href={`/publisher/${part(flow.publisher)}`}>{flow.publisher_name}</a> on {date(flow.published)}, computed by{' '}
          <a href={`/recipe/${part(flow.recipe)}`}>{flow.official ? 'an official method' : 'an alternative method'}</a>. Standing: <Standing flow={flow} />.
        </p>
        {flow.description && <p class="quiet clamp">{flow.description}</p>}
      </div>
      <div class="actions">
        <button type="button" onClick={download}>
          Download CSV
        </button>
        <details>
          <summary>Embed</summary>
          <textarea readOnly rows={3} aria-label="HTML to embed this view" value={frame} onFocus={(event) => event.currentTarget.select()} />
        </details>
      </div>
    </section>
  );
}

function Welcome() {
  return (
    <Empty title="This node has no figures yet">
      <p>Follow a publisher, or publish figures yourself:</p>
      <pre>
        <code>{'assay follow <publisher>\nassay import <file of a statistical office>\nassay publish inflation --from <dataflow>'}</code>
      </pre>
      <p>
        Or try it with sample data on this machine: <code>assay demo --keep</code>.
      </p>
    </Empty>
  );
}
