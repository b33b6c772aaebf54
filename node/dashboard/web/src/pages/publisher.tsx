// Publisher page: identity, published figures, confirmations and log.
import { useState } from 'preact/hooks';
import type { Entry, Flow, Publisher as Answer } from '../api.ts';
import { API, part, useLoad } from '../api.ts';
import { About, Badge, Copy, Id, VerdictText } from '../parts/pieces.tsx';
import { Standing } from '../parts/standing.tsx';
import { Await } from '../parts/states.tsx';
import type { Route } from '../route.ts';
import { useTitle } from '../route.ts';
import { about, capital, count, date, flowTitle, time, worldPath } from '../text.ts';

const FIRST = 25;

export function Publisher({ route }: { route: Route }) {
  const id = route.parts[1] ?? '';
  const answer = useLoad<Answer>(`/publishers/${part(id)}`);
  return <Await of={answer} what="the publisher">{(answer) => <Shown answer={answer} />}</Await>;
}

function Shown({ answer }: { answer: Answer }) {
  useTitle(`${answer.name}, publisher`);
  const forks = answer.forks ?? [];
  const flows = answer.flows ?? [];
  const confirmed = answer.confirmed_by ?? [];
  const record = answer.record ?? { releases: 0, does_not_hold: 0, retracted: 0, holds: 0, unchecked: 0 };
  const caught = [
    record.does_not_hold > 0 && count(record.does_not_hold, 'release that does not hold', 'releases that do not hold'),
    record.retracted > 0 && count(record.retracted, 'retraction'),
    forks.length > 0 && `${count(forks.length, 'fork')} of its log`,
  ].filter(Boolean);
  return (
    <article class="publisher">
      <header>
        <p class="kicker">Publisher</p>
        <h1>{answer.name}</h1>
        <Copy text={answer.publisher} label="the publisher's id" />
      </header>
      <ul class="badges" aria-label="Status of this publisher">
        <Badge tone={caught.length ? 'bad' : 'plain'} title={caught.length ? 'Caught' : 'Nothing caught'}>
          {caught.join(', ') || 'no release that does not hold, no retraction, no fork'}
        </Badge>
        <Badge tone={record.holds > 0 ? 'good' : 'plain'} title={`${record.holds} of ${count(record.releases, 'release')} ${record.holds === 1 ? 'holds' : 'hold'}`}>
          {record.unchecked > 0 ? `${record.unchecked} unchecked` : 'none is unchecked'}
        </Badge>
        <Badge tone={answer.complete >= answer.length ? 'good' : 'plain'} title="Log">
          {count(answer.length, 'entry', 'entries')}, {answer.complete >= answer.length ? 'all stored completely' : `${answer.complete} stored completely`}
        </Badge>
        <Badge tone="plain" title={answer.own ? 'Own publisher' : answer.followed ? 'Followed' : 'Not followed'}>
          {answer.own ? 'this node has its key' : answer.followed ? 'this node replicates and verifies it' : 'use assay follow to replicate its log'}
        </Badge>
        <Badge tone={confirmed.length ? 'good' : 'plain'} title={`Confirmed by ${count(confirmed.length, 'followed publisher')}`}>
          {confirmed.map((one) => `${one.name} (${one.count})`).join(', ') || 'no publisher that this node follows has confirmed a release'}
        </Badge>
      </ul>
      {forks.length > 0 && (
        <section class="alarm">
          <h2>Conflicting histories</h2>
          <p>The publisher signed two different entries with the same number. Both are kept as evidence:</p>
          <ul>
            {forks.map((fork) => (
              <li>
                Entry {fork.seq}: {fork.entries.map((entry) => <a class="id" href={`${API}/blocks/${part(entry)}`} download>{entry}</a>)}
              </li>
            ))}
          </ul>
        </section>
      )}
      <section>
        <h2>Published figures</h2>
        {flows.length === 0 && <p class="quiet">No releases yet.</p>}
        <ul class="cards">
          {flows.map((flow) => (
            <li>
              <a href={worldPath(flow)}>
                <strong>{flowTitle(flow)}</strong>
              </a>
              <span>
                {capital(flow.indicator)} · {count(flow.series, 'series', 'series')} · {flow.first_period} to {flow.last_period} · {count(flow.vintages, 'vintage')}
              </span>
              <span>
                {date(flow.published)} · <Standing flow={flow} />
              </span>
            </li>
          ))}
        </ul>
      </section>
      <section>
        <h2>Keys</h2>
        <ul class="plain">
          {[...answer.roots.map((key) => ({ key, use: 'root' })), ...answer.keys.map(asKey)].map(({ key, use }) => (
            <li>
              <code class="wrap">{key}</code> <span class="quiet">{use}</span>
            </li>
          ))}
        </ul>
      </section>
      <Log id={answer.publisher} />
    </article>
  );
}

function asKey(key: unknown): { key: string; use: string } {
  if (typeof key === 'string') return { key, use: 'operating' };
  const { key: text, uses } = key as { key?: string; uses?: unknown };
  return { key: String(text ?? ''), use: [uses ?? []].flat().join(', ') };
}

function Log({ id }: { id: string }) {
  // Attestations refer to releases of other publishers.
  const flows = useLoad<Flow[]>('/flows').value ?? [];
  const [limit, grow] = useState(FIRST);
  const entries = useLoad<Entry[]>(`/publishers/${part(id)}/entries?limit=${limit}`);
  return (
    <section>
      <h2>Log, newest first</h2>
      <Await of={entries} what="the log">
        {(entries) => (
          <>
            <div class="scroll" tabIndex={0} role="region" aria-label="Entries of the log">
              <table>
                <thead>
                  <tr>
                    <th scope="col" class="num">Entry</th>
                    <th scope="col">Type</th>
                    <th scope="col">Subject</th>
                    <th scope="col">Signed</th>
                    <th scope="col" class="roomy">
                      Id
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {entries.map((entry) => (
                    <tr>
                      <td class="num">{entry.seq}</td>
                      <td>{entry.kind}</td>
                      <td>
                        {entry.verdict && <><VerdictText verdict={entry.verdict} /> </>}
                        <About kind={entry.kind} object={entry.object} text={about(entry)} release={entry.release} flows={flows} />
                      </td>
                      <td class="when">{time(entry.time)}</td>
                      <td class="roomy">
                        <Id id={entry.entry} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
            {entries.length === limit && limit < 200 && (
              <button type="button" onClick={() => grow(Math.min(limit * 4, 200))}>
                Show more
              </button>
            )}
          </>
        )}
      </Await>
    </section>
  );
}
