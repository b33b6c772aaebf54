// Figure page: one number with its verification status and provenance.
import { useEffect, useState } from 'preact/hooks';
import type { Area, CellWord, Figure as Answer, Flow, Node } from '../api.ts';
import { API, part, useLoad } from '../api.ts';
import type { Claim, Report } from '../check/verify.ts';
import { Badge, Copy, Id, VerdictText } from '../parts/pieces.tsx';
import type { Run } from '../parts/rerun.tsx';
import { Rerun, useRerun } from '../parts/rerun.tsx';
import { Marked, doubtSuffix, figurePhrase } from '../parts/standing.tsx';
import { Await } from '../parts/states.tsx';
import type { Route } from '../route.ts';
import { amend, useTitle } from '../route.ts';
import { brief, bytes, count, date, exact, figurePath, flowTitle, keyCodes, periodName, suffix, time, webAddress, worldPath } from '../text.ts';

export function Figure({ route }: { route: Route }) {
  const [, publisher = '', dataflow = '', key = '', period = ''] = route.parts;
  const vintage = route.query.get('vintage');
  const answer = useLoad<Answer>(`/figures/${placed([publisher, dataflow, key, period], route.query.get('output'), vintage)}`);
  return (
    <Await of={answer} what="the figure and its proof">
      {(answer) => <Shown answer={answer} keyText={key} period={period} vintage={vintage} />}
    </Await>
  );
}

/** Path of a figure, the same below `/figure` and `/api/v1/figures`. */
function placed(parts: string[], output: string | null, vintage: string | null): string {
  const query = [output && `output=${part(output)}`, vintage && `vintage=${part(vintage).replace('%3D', '=')}`].filter(Boolean).join('&');
  return `${parts.map(part).join('/')}${query ? `?${query}` : ''}`;
}

interface ShownProps {
  answer: Answer;
  keyText: string;
  period: string;
  vintage: string | null;
}

function Shown({ answer, keyText, period, vintage }: ShownProps) {
  const { flow, standing } = answer;
  const areas = useLoad<Area[]>('/areas');
  const named = keyCodes(keyText).map((code) => areas.value?.find((one) => one.code === code)?.name ?? code);
  useTitle(`${[flowTitle(flow), ...named, period].join(', ')}: ${answer.value ?? 'no value'}${suffix(answer.unit)}${doubtSuffix(standing.word)}`);
  const check = useCheck(answer, keyText, period);
  const run = useRerun(answer.release, [answer.output, keyText, period]);
  const command = `assay verify ${answer.permanent_address}`;
  return (
    <article class="figure">
      <header>
        <p class="kicker">
          <a href={worldPath(flow)}>{flowTitle(flow)}</a> · {keyCodes(keyText).map((code) => <Code code={code} areas={areas.value ?? []} />)} {named.length > 0 && '· '}{periodName(period)}
        </p>
        <h1 class="number">
          {standing.word === 'does_not_hold' ? (
            <>
              <s>
                <Value value={answer.value} unit={answer.unit} />
              </s>{' '}
              <span class="computed">
                <Value value={standing.computed ?? null} unit={answer.unit} /> <small>computed</small>
              </span>
            </>
          ) : (
            <Value value={answer.value} unit={answer.unit} />
          )}
        </h1>
        <StandingLine answer={answer} keyText={keyText} period={period} run={run} />
        <p class="lead">
          {answer.unit.charAt(0).toUpperCase() + answer.unit.slice(1)}. Published by <a href={`/publisher/${part(flow.publisher)}`}>{flow.publisher_name}</a> on {date(standing.signature.time)}
          {answer.flow.official ? ', computed by an official method.' : ', computed by an alternative method.'}
        </p>
        <Outputs answer={answer} keyText={keyText} period={period} />
        {standing.newer && (
          <p class="notice">
            This is an older vintage. <a href={newest(answer, keyText, period)}>See the latest</a>.
          </p>
        )}
      </header>
      <Badges answer={answer} report={check} />
      <div class="columns">
        <div>
          <Checked report={check} />
          <Rerun run={run} />
          <Revisions answer={answer} keyText={keyText} period={period} vintage={vintage} />
          <Twins answer={answer} />
        </div>
        <div>
          <section>
            <h2>Provenance</h2>
            <Tree node={answer.provenance} />
            <p>
              <a href={`/recipe/${part(flow.recipe)}`}>Show the recipe</a>
            </p>
          </section>
          <section>
            <h2>Verify it yourself</h2>
            <p>This command repeats the whole computation on your machine:</p>
            <Copy text={command} label="the command" />
            <p>
              Or without a node: <a href={`${API}/bundles/${part(answer.release)}`} download={`${flow.dataflow}.car`}>download the bundle</a> (data, recipe and signature in one file), then run <code>assay verify {flow.dataflow}.car</code>.
            </p>
          </section>
          <section>
            <h2>Cite</h2>
            <Copy text={citation(answer, keyText, period)} label="the citation" />
            <p class="quiet">The address is permanent and identifies this vintage.</p>
          </section>
        </div>
      </div>
    </article>
  );
}

/** Path of the latest vintage of the figure. */
const newest = ({ flow }: Answer, key: string, period: string) => figurePath(flow, key, period);

/** Links to the other outputs of the dataflow. */
function Outputs({ answer, keyText, period }: { answer: Answer; keyText: string; period: string }) {
  const flows = useLoad<Flow[]>(answer.flow.outputs > 1 ? '/flows' : null);
  const others = (flows.value ?? []).filter((one) => one.publisher === answer.flow.publisher && one.dataflow === answer.flow.dataflow && one.output !== answer.output);
  if (others.length === 0) return null;
  return (
    <p class="lead">
      Other outputs:{' '}
      {others.map((one) => (
        <a class="chip" href={figurePath(one, keyText, period)}>
          {one.output_title || one.output}
        </a>
      ))}
    </p>
  );
}

/** A code of a key; areas are shown by name and linked. */
function Code({ code, areas }: { code: string; areas: Area[] }) {
  const area = areas.find((one) => one.code === code);
  if (!area) return <span class="code">{code}</span>;
  return (
    <a class="code" href={`/country/${part(code)}`}>
      {area.name}
    </a>
  );
}

/** Rounded value in large type, remaining digits of the exact decimal in small type. */
function Value({ value, unit }: { value: string | null; unit: string }) {
  if (value === null) return <span class="missing">no value</span>;
  const { head, rest } = exact(value);
  return (
    <>
      <span data-value={value}>{head}</span>
      {rest && <small title="exact value">{rest}</small>}
      <span class="unit">{suffix(unit)}</span>
    </>
  );
}

function vintageName({ revisions, release, standing }: Answer): string {
  return revisions.find((one) => one.release === release)?.vintage || `entry ${standing.log.seq}`;
}

function citation(answer: Answer, key: string, period: string): string {
  const { flow, standing } = answer;
  const year = new Date(standing.signature.time * 1000).getUTCFullYear();
  return `${flow.publisher_name} (${year}). ${flowTitle(flow)}, ${key}, ${period}: ${answer.value ?? 'no value'} (${answer.unit}). Vintage ${vintageName(answer)}, ${figurePhrase(standing, flow.own)}. ${answer.permanent_address}${flow.outputs > 1 ? `, output ${answer.output}` : ''}`;
}

interface StandingProps {
  answer: Answer;
  keyText: string;
  period: string;
  run: Run;
}

/** How the figure stands: one quiet line when it holds, first and red when it does not. */
function StandingLine({ answer, keyText, period, run }: StandingProps) {
  const { standing, flow } = answer;
  const { word } = standing;
  const phrase = figurePhrase(standing, flow.own);
  const sentence = `${phrase.charAt(0).toUpperCase()}${phrase.slice(1)}.`;
  const contests = standing.contests.length > 0 && <Contested answer={answer} keyText={keyText} period={period} />;
  if (word === 'does_not_hold')
    return (
      <div class="alarm" role="alert" data-standing={word}>
        <p>{sentence}</p>
        {contests}
      </div>
    );
  if (word === 'contested')
    return (
      <div class="contested" role="alert" data-standing={word}>
        <p>{sentence}</p>
        {contests}
      </div>
    );
  if (word === 'holds')
    return (
      <p class="quiet" data-standing={word}>
        {sentence}
      </p>
    );
  return (
    <p class="unchecked" data-standing={word}>
      {sentence}{' '}
      <button type="button" onClick={run.start} disabled={run.state.at === 'work'}>
        {run.state.at === 'work' ? 'Running …' : 'Run it here'}
      </button>{' '}
      <span role="status">{run.state.at === 'end' && runWords(run.state.figure?.cell)}</span>
    </p>
  );
}

function runWords(cell: CellWord | undefined): string {
  if (cell === 'holds') return 'Just run again here: it holds.';
  if (cell === 'does_not_hold') return 'Just run again here: it does not hold.';
  return 'Just run here: it could not be checked.';
}

/** What contests the figure, and what replaces it. */
function Contested({ answer, keyText, period }: { answer: Answer; keyText: string; period: string }) {
  const { standing, flow } = answer;
  const { retracted, superseded } = standing;
  return (
    <>
      {retracted && (
        <p>
          Retracted by its publisher on {date(retracted.time)}: {retracted.reason}
          {retracted.replacement && (
            <>
              . Replaced by <Id id={retracted.replacement} />
            </>
          )}
        </p>
      )}
      {superseded && (
        <p>
          <a href={`/figure/${placed([flow.publisher, flow.dataflow, keyText, period], flow.outputs > 1 ? answer.output : null, `seq=${superseded.seq}`)}`}>
            Entry {superseded.seq} of {date(superseded.time)} replaces it
          </a>
        </p>
      )}
    </>
  );
}

function Badges({ answer, report }: { answer: Answer; report: Report | null }) {
  const { standing } = answer;
  const names = (ids: string[]) => ids.map((id) => standing.attestations.find((one) => one.publisher === id)?.name ?? brief(id));
  const kept = standing.sources.filter((source) => source.stored).length;
  const own = standing.checked_here.cell;
  // A node does not re-run its own releases.
  const ours = answer.flow.own && !standing.own_verdict;
  const checked = report?.done ? (report.steps.some((step) => step.outcome === 'wrong') ? 'bad' : report.steps.some((step) => step.outcome === 'unknown') ? 'plain' : 'good') : 'plain';
  return (
    <ul class="badges" aria-label="Verification status of this figure">
      {standing.contradicted_by.length > 0 && (
        <Badge tone="bad" title={`Another value found by ${count(standing.contradicted_by.length, 'followed publisher')}`}>
          {few(names(standing.contradicted_by))}
        </Badge>
      )}
      <Badge tone="good" title="Signed">
        {time(standing.signature.time)}, by key <Id id={standing.signature.key} />
      </Badge>
      <Badge tone={standing.forked ? 'bad' : 'good'} title={standing.forked ? 'Forked' : 'Logged'}>
        {standing.forked ? 'the publisher signed two conflicting histories' : `entry ${standing.log.seq} of ${standing.log.length}, ${standing.log.complete >= standing.log.length ? 'all stored' : `${standing.log.complete} stored completely`}`}
      </Badge>
      <Badge tone={standing.latest ? 'good' : 'plain'} title={standing.latest ? 'Latest' : 'Earlier vintage'}>
        {standing.latest ? 'no newer vintage known' : 'a newer vintage exists'}
      </Badge>
      {standing.stated.length > 0 ? (
        <Badge tone="doubt" title="Stated">
          stated by the publisher, without a document: {standing.stated.join(', ')}
        </Badge>
      ) : (
        <Badge tone={kept === standing.sources.length && kept > 0 ? 'good' : 'plain'} title="Sources stored">
          {kept} of {count(standing.sources.length, 'source document')} stored on this node
        </Badge>
      )}
      <Badge tone={standing.confirmed_by.length ? 'good' : 'plain'} title={standing.confirmed_by.length ? `Confirmed by ${count(standing.confirmed_by.length, 'followed publisher')}` : 'Not confirmed by others'}>
        {few(names(standing.confirmed_by)) || 'no publisher that this node follows has run it'}
      </Badge>
      <Badge tone={own === 'holds' || ours ? 'good' : own === 'does_not_hold' ? 'bad' : 'plain'} title={ours ? 'Computed here' : 'Re-run here'}>
        {ours ? 'computed and signed by this node' : own === 'unchecked' ? <VerdictText verdict={standing.own_verdict} /> : own === 'holds' ? 'this figure holds' : 'this figure does not hold'}
      </Badge>
      <Badge tone={checked} title="Checked by your browser">
        {!report ? 'waiting' : !report.done ? 'checking …' : checked === 'good' ? 'signature and number; not the document against the data' : checked === 'bad' ? 'a check failed' : 'could not be checked'}
      </Badge>
    </ul>
  );
}

const few = (names: string[]) => (names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', '));

/** Verifies the figure in a worker, whose code is loaded on demand. */
function useCheck(answer: Answer, key: string, period: string): Report | null {
  const [report, set] = useState<Report | null>(null);
  useEffect(() => {
    set(null);
    const worker = new Worker(new URL('../check/worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = (event: MessageEvent<Report>) => set(event.data);
    worker.onerror = () => set({ done: true, steps: [{ outcome: 'unknown', text: 'The verification code could not be loaded from this node.' }], trusted: [] });
    worker.postMessage({ entry: answer.standing.signature.entry, release: answer.release, output: answer.output, key: keyCodes(key), period, value: answer.value, publisher: answer.flow.publisher } satisfies Claim);
    return () => worker.terminate();
  }, [answer]);
  return report;
}

function Checked({ report }: { report: Report | null }) {
  const word = { holds: 'passed', wrong: 'failed', unknown: 'could not be checked', contest: 'contested', open: 'not checked' };
  return (
    <section aria-live="polite" aria-labelledby="checked" class="checked" data-done={report?.done ?? false}>
      <h2 id="checked">Checked by your browser</h2>
      {!report && <p class="quiet">Loading the bundle …</p>}
      <ol>
        {report?.steps.map((step) => (
          <li class={step.outcome}>
            <strong class="unseen">{word[step.outcome]}: </strong>
            {step.text}
          </li>
        ))}
      </ol>
      {report && report.trusted.length > 0 && (
        <details>
          <summary>Not covered by these checks</summary>
          <ul>
            {report.trusted.map((one) => (
              <li>{one}</li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

const KINDS: Record<string, string> = { release: 'Release', recipe: 'Recipe', dataset: 'Data set', snapshot: 'Source document', stated: 'Source' };

function Tree({ node }: { node: Node }) {
  return (
    <ul class="tree">
      <Branch node={node} />
    </ul>
  );
}

function Branch({ node }: { node: Node }) {
  const kind = KINDS[node.kind] ?? node.kind;
  return (
    <li>
      <span class="kind">{kind}</span>{' '}
      {node.kind === 'recipe' ? <a href={`/recipe/${part(node.id)}`}>{node.title || brief(node.id)}</a> : <span>{node.title || brief(node.id)}</span>} <Id id={node.id} />
      {(node.publisher || node.time) && (
        <span class="quiet by">
          {node.publisher}
          {node.publisher && node.time ? ', ' : ''}
          {node.time ? date(node.time) : ''}
        </span>
      )}
      {node.plausibility_warnings?.map((warning) => (
        <span class="doubt">Plausibility warning at import: {warning}</span>
      ))}
      {node.children.length > 0 && (
        <ul>
          {node.children.map((child) => (
            <Branch node={child} />
          ))}
        </ul>
      )}
    </li>
  );
}

function Revisions({ answer, keyText, period, vintage }: { answer: Answer; keyText: string; period: string; vintage: string | null }) {
  const sources = answer.standing.sources;
  return (
    <>
      <section>
        <h2>Vintages</h2>
        <div class="scroll" tabIndex={0} role="region" aria-label="Vintages and revisions">
          <table>
            <thead>
              <tr>
                <th scope="col">Vintage</th>
                <th scope="col">Published</th>
                <th scope="col" class="num">Value</th>
                <th scope="col">Reason</th>
              </tr>
            </thead>
            <tbody>
              {answer.revisions.map((one) => {
                const { head } = one.value === null ? { head: 'no value' } : exact(one.value);
                const here = one.release === answer.release;
                return (
                  <tr class={here ? 'here' : ''}>
                    <th scope="row">
                      <a
                        href={`/figure/${placed([answer.flow.publisher, answer.flow.dataflow, keyText, period], answer.flow.outputs > 1 ? answer.output : null, `seq=${one.seq}`)}`}
                        aria-current={here ? 'true' : undefined}
                        onClick={(event) => {
                          event.preventDefault();
                          amend({ vintage: `seq=${one.seq}` }, true);
                        }}
                      >
                        {one.vintage || `entry ${one.seq}`}
                      </a>
                    </th>
                    <td>{date(one.published)}</td>
                    <td class="num"><Marked word={one.word ?? 'unchecked'}>{head}</Marked></td>
                    <td>{one.reason ?? (one === answer.revisions.at(-1) || answer.revisions.length === 1 ? 'first' : '–')}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
        {vintage && (
          <p>
            <a href={newest(answer, keyText, period)}>Show the latest vintage</a>
          </p>
        )}
      </section>
      {sources.length + answer.standing.stated.length > 0 && (
        <section>
          <h2>Source documents</h2>
          <ul class="plain">
            {sources.map((source) => {
              const url = webAddress(source.url);
              return (
                <li>
                  {url ? (
                    <a href={url} rel="noopener noreferrer" target="_blank">
                      {source.name}
                    </a>
                  ) : (
                    source.name
                  )}{' '}
                  <span class="quiet">
                    {[source.agency, source.licence, bytes(source.size), source.stored ? 'stored here' : 'not stored here'].filter(Boolean).join(' · ')}
                  </span>
                  <span class="id digest">SHA-256 {source.sha256}</span>
                </li>
              );
            })}
            {answer.standing.stated.map((name) => (
              <li>
                {name} <span class="quiet">stated by the publisher, without a document</span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function Twins({ answer }: { answer: Answer }) {
  if (answer.alternatives.length === 0) return null;
  return (
    <section>
      <h2>Other methods</h2>
      <table>
        <tbody>
          {answer.alternatives.map((alternative) => (
            <tr>
              <th scope="row">
                <a href={alternativePath(alternative)}>{alternativeTitle(alternative)}</a> <span class="quiet">{alternative.official ? 'official' : 'alternative'}</span>
              </th>
              <td class="num">{alternative.value === null ? '–' : <Marked word={alternative.word}>{exact(alternative.value).head}</Marked>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

type Alternative = Answer['alternatives'][number];

const alternativeTitle = (alternative: Alternative) => flowTitle({ ...alternative, outputs: alternative.several_outputs ? 2 : 1 });

/** Page path of an address. */
function alternativePath({ address, several_outputs: several, output }: Alternative): string {
  const [path = '', vintage] = address.replace(/^assay:\/\//, '').split('@');
  return `/figure/${placed(path.split('/'), several ? output : null, vintage ?? null)}`;
}
