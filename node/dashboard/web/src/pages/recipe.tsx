// Recipe page: description, script and comparison with other recipes.
import { useState } from 'preact/hooks';
import type { Area, Country, Difference, Flow, Listed, Recipe as Answer } from '../api.ts';
import { part, useLoad } from '../api.ts';
import { Chart } from '../parts/chart.tsx';
import { Id } from '../parts/pieces.tsx';
import { Standing } from '../parts/standing.tsx';
import { Await, Failed } from '../parts/states.tsx';
import type { Route } from '../route.ts';
import { amend, useTitle } from '../route.ts';
import { alike, capital, count, date, decimals, number, periodName, webAddress, worldPath } from '../text.ts';
import { latest, lines } from './country.tsx';

export function Recipe({ route }: { route: Route }) {
  const answer = useLoad<Answer>(`/recipes/${part(route.parts[1] ?? '')}`);
  return <Await of={answer} what="the recipe">{(answer) => <Shown route={route} answer={answer} />}</Await>;
}

function Shown({ route, answer }: { route: Route; answer: Answer }) {
  useTitle(`${answer.title}, the recipe`);
  const recipes = useLoad<Listed[]>(answer.deviates_from ? '/recipes' : null);
  const base = recipes.value?.find((one) => one.id === answer.deviates_from?.recipe);
  return (
    <article class="recipe">
      <header>
        <p class="kicker">
          Recipe for <a href={`/world/${part(answer.indicator)}`}>{capital(answer.indicator)}</a> · {answer.deviates_from ? 'alternative method' : 'official method'}
        </p>
        <h1>{answer.title}</h1>
        <p class="lead description">{answer.description}</p>
        {answer.deviates_from && (
          <div class="notice">
            <p>
              Deviates from <a href={`/recipe/${part(answer.deviates_from.recipe)}`}>{base?.recipe.title ?? 'a recipe that is not stored here'}</a> for these reasons:
            </p>
            <ul>
              {answer.deviates_from.reasons.map((reason) => (
                <li>{reason}</li>
              ))}
            </ul>
          </div>
        )}
      </header>
      <div class="columns">
        <div>
          <section>
            <h2>Script</h2>
            <Script text={answer.script} />
          </section>
          <Against route={route} answer={answer} />
        </div>
        <div>
          <Ports answer={answer} />
          <section>
            <h2>Limits</h2>
            <p>
              At most {count(answer.limits.steps, 'step')} and {count(answer.limits.cells, 'cell')}. A run that exceeds them fails on every node.
            </p>
          </section>
          {answer.references && answer.references.length > 0 && (
            <section>
              <h2>References</h2>
              <ul class="plain">
                {answer.references.map((one) => {
                  const url = webAddress(one);
                  return <li>{url ? <a href={url} rel="noopener noreferrer" target="_blank">{one}</a> : one}</li>;
                })}
              </ul>
            </section>
          )}
          <section>
            <h2>Used by</h2>
            {!answer.used_by?.length && <p class="quiet">No release on this node uses this recipe.</p>}
            <ul class="plain">
              {answer.used_by?.map((flow) => (
                <li>
                  <a href={worldPath(flow)}>{flow.outputs > 1 ? `${flow.dataflow}, ${flow.output_title || flow.output}` : flow.dataflow}</a> of{' '}
                  <a href={`/publisher/${part(flow.publisher)}`}>{flow.publisher_name}</a>, {date(flow.published)} · <Standing flow={flow} />
                </li>
              ))}
            </ul>
          </section>
          <p class="quiet">
            Id <Id id={answer.id} />
            {answer.licence ? ` · ${answer.licence}` : ''}
          </p>
        </div>
      </div>
    </article>
  );
}

function Ports({ answer }: { answer: Answer }) {
  return (
    <>
      <section>
        <h2>Inputs</h2>
        <dl>
          {Object.entries(answer.inputs).map(([name, input]) => (
            <>
              <dt>
                <code>{name}</code> {input.title}
              </dt>
              <dd class="quiet">{input.components?.map((one) => `${one.id} (${one.role}, ${one.type})`).join(', ')}</dd>
            </>
          ))}
        </dl>
      </section>
      <section>
        <h2>Outputs</h2>
        <dl>
          {Object.entries(answer.outputs).map(([name, output]) => (
            <>
              <dt>
                <code>{name}</code> {output.title}
              </dt>
              <dd class="quiet">{output.unit}</dd>
            </>
          ))}
        </dl>
      </section>
    </>
  );
}

const TOKENS = /(\/\*[\s\S]*?\*\/|\/\/[^\n]*)|("(?:[^"\\]|\\.)*")|\b(define|operator|end|returns|is|filter|calc|aggr|group|by|keep|drop|rename|to|over|partition|order|rows|range|between|and|or|not|xor|if|then|else|case|when|inner_join|left_join|full_join|cross_join|sum|avg|count|min|max|lag|lead|first_value|last_value|round|ratio_to_report|datapoint|ruleset|using|as|sub|apply|union|intersect|setdiff|nvl|timeshift|time_agg|fill_time_series|flow_to_stock|stock_to_flow|cast)\b|(<-|:=)|(\b\d+(?:\.\d+)?\b)/g;

/** Highlights VTL; long scripts stay plain text. */
function Script({ text }: { text: string }) {
  const parts = [];
  let at = 0;
  if (text.length < 100_000)
    for (const match of text.matchAll(TOKENS)) {
      const style = ['comment', 'string', 'word', 'sign', 'digit'][match.slice(1).findIndex((group) => group !== undefined)];
      parts.push(text.slice(at, match.index), <span class={`vtl-${style}`}>{match[0]}</span>);
      at = match.index + match[0].length;
    }
  parts.push(text.slice(at));
  return (
    <pre class="script" tabIndex={0} aria-label="VTL script">
      <code>{parts}</code>
    </pre>
  );
}

/** Comparison with another recipe of the indicator, and its effect on the figures of a country. */
function Against({ route, answer }: { route: Route; answer: Answer }) {
  const recipes = useLoad<Listed[]>('/recipes');
  const flows = useLoad<Flow[]>('/flows');
  const others = (recipes.value ?? []).map(({ id, recipe }) => ({ id, ...recipe })).filter((one) => one.indicator === answer.indicator && one.id !== answer.id);
  const from = others.find((one) => one.id === route.query.get('from'))?.id ?? answer.deviates_from?.recipe ?? others[0]?.id ?? null;
  const difference = useLoad<Difference>(from ? `/recipes/${part(answer.id)}/difference?from=${part(from)}` : null);
  if (from === null) return null;
  const other = others.find((one) => one.id === from);
  return (
    <>
      <section>
        <h2>Comparison with other recipes</h2>
        {others.length > 0 && (
          <label class="method">
            <span>Compare with</span>
            <select value={from} onChange={(event) => amend({ from: event.currentTarget.value }, true)}>
              {others.map((one) => (
                <option value={one.id}>{one.title}</option>
              ))}
            </select>
          </label>
        )}
        {difference.trouble ? <Failed of={difference} /> : difference.value ? <Steps difference={difference.value} /> : <p class="quiet">Comparing …</p>}
      </section>
      {other && <Effect route={route} mine={answer.used_by ?? []} theirs={(flows.value ?? []).filter((flow) => flow.recipe === other.id)} names={[answer.title, other.title]} />}
    </>
  );
}

function Steps({ difference }: { difference: Difference }) {
  const changed = difference.steps.filter((step) => step.kind !== 'same');
  const same = difference.steps.length - changed.length;
  const inputs = [difference.inputs_from ?? [], difference.inputs_to ?? []].map((names) => names.join(', '));
  return (
    <div class="difference">
      {(inputs[0] || inputs[1]) && (
        <p>
          Inputs: {inputs[0] && <><code>{inputs[0]}</code> removed</>}
          {inputs[0] && inputs[1] && '; '}
          {inputs[1] && <><code>{inputs[1]}</code> added</>}
        </p>
      )}
      {changed.map((step) => (
        <div class={`step ${step.kind}`}>
          <p>
            <code>{step.name}</code> <strong>{step.kind}</strong>
            {step.note && <span class="quiet"> {ticked(step.note)}</span>}
          </p>
          {step.from && step.kind !== 'renamed' && (
            <pre class="was" tabIndex={0} aria-label={`${step.name} before`}>
              <code>{step.from}</code>
            </pre>
          )}
          {step.to && (
            <pre class="now" tabIndex={0} aria-label={`${step.name} after`}>
              <code>{step.to}</code>
            </pre>
          )}
        </div>
      ))}
      <p class="quiet">
        {changed.length === 0 ? 'The scripts are equivalent. ' : ''}
        {same > 0 ? `${count(same, 'step')} unchanged.` : ''}
      </p>
    </div>
  );
}

/** Renders text between backticks as code. */
const ticked = (text: string) => text.split('`').map((piece, at) => (at % 2 ? <code>{piece}</code> : piece));

interface EffectProps {
  route: Route;
  mine: Flow[];
  theirs: Flow[];
  names: [string, string];
}

function Effect({ route, mine, theirs, names }: EffectProps) {
  const areas = useLoad<Area[]>('/areas');
  const [code, choose] = useState(route.query.get('area') ?? 'USA');
  const country = useLoad<Country>(mine.length && theirs.length ? `/countries/${part(code)}` : null);
  if (mine.length === 0 || theirs.length === 0) return null;
  const all = country.value ? lines(country.value) : [];
  const of = (flows: Flow[]) => all.filter((line) => flows.some((flow) => flow.release === line.flow.release && flow.output === line.flow.output));
  // Selects the first pair of outputs with comparable units, or else the first pair.
  const pairs = of(mine).flatMap((one) => of(theirs).map((other) => [one, other] as const));
  const pair = pairs.find(([one, other]) => alike(one.flow.unit, other.flow.unit)) ?? pairs[0];
  const both = pair ? [...pair] : null;
  const together = pair !== undefined && alike(pair[0].flow.unit, pair[1].flow.unit);
  const digits = decimals(both?.flatMap((line) => line.values) ?? []);
  return (
    <section>
      <h2>Effect on the figures</h2>
      <label class="method">
        <span>Country</span>
        <select
          value={code}
          onChange={(event) => {
            choose(event.currentTarget.value);
            amend({ area: event.currentTarget.value });
          }}
        >
          {(areas.value ?? [{ code, name: code }]).map((area) => (
            <option value={area.code}>{area.name}</option>
          ))}
        </select>
      </label>
      {both ? (
        <>
          {(together ? [both] : both.map((line) => [line])).map((set) => (
            <Chart
              label={together ? 'Both methods' : names[both.indexOf(set[0]!)]!}
              unit={set[0]!.flow.unit}
              height={together ? 260 : 200}
              series={[...set]
                .map((line) => ({ line, name: names[both.indexOf(line)]! }))
                .sort((a, b) => Number(b.line.flow.official) - Number(a.line.flow.official))
                .map(({ line, name }, at) => ({ id: name, label: name, periods: line.periods, values: line.values, tone: together ? at : both.indexOf(line), dashed: !line.flow.official }))}
            />
          ))}
          <p>
            Latest: {both.map((line, at) => `${names[at]}, ${periodName(latest(line)?.period ?? '')}: ${number(latest(line)?.value, digits)}`).join('; ')}.
          </p>
        </>
      ) : (
        <p class="quiet">{country.value ? 'The two methods have no figures for the same country.' : country.trouble ? country.trouble.message : 'Loading …'}</p>
      )}
    </section>
  );
}
