// Network page: publishers, peers and live events.
import { useEffect, useState } from 'preact/hooks';
import type { Entry, Flow, Publisher, Status, Verdict } from '../api.ts';
import { API, forget, load, part, useLoad } from '../api.ts';
import { About, VerdictText } from '../parts/pieces.tsx';
import { Await } from '../parts/states.tsx';
import { useTitle } from '../route.ts';
import { about, brief, count, time } from '../text.ts';

interface Peer {
  peer: string | null;
  address: string;
  connected: boolean;
}

interface News {
  id: string;
  kind: string;
  publisher?: string;
  name?: string;
  time: number;
  text: string;
  object?: string | undefined;
  release?: string | undefined;
  verdict?: Verdict | undefined;
}

/** Events shown. */
const KEPT = 60;
export function Network() {
  useTitle('Network');
  const status = useLoad<Status>('/status');
  const publishers = useLoad<Publisher[]>('/publishers');
  const peers = useLoad<Peer[]>('/peers');
  return (
    <article class="network">
      <header>
        <h1>Network</h1>
        <Await of={status} what="the node status">
          {(status) => (
            <p class="lead">
              This node (version {status.version}) stores {count(status.logs, 'log')} and is connected to {count(status.peers, 'peer')}.{' '}
              {status.publisher ? <a href={`/publisher/${part(status.publisher)}`}>It also publishes.</a> : 'It has no identity: it verifies but does not sign.'}
            </p>
          )}
        </Await>
      </header>
      <div class="columns">
        <Feed />
        <div>
          <section>
            <h2>Publishers</h2>
            <Await of={publishers} what="the publishers">
              {(publishers) =>
                publishers.length === 0 ? (
                  <p class="quiet">
                    None yet: <code>assay follow &lt;publisher&gt;</code>
                  </p>
                ) : (
                  <ul class="cards">
                    {publishers.map((one) => (
                      <li>
                        <a href={`/publisher/${part(one.publisher)}`}>
                          <strong>{one.name}</strong>
                        </a>
                        <span>
                          {count(one.length, 'entry', 'entries')}, {one.complete >= one.length ? 'complete' : `${one.complete} complete`} · {one.own ? 'own' : one.followed ? 'followed' : 'not followed'}
                          {one.forked && <span class="bad"> · forked</span>}
                        </span>
                      </li>
                    ))}
                  </ul>
                )
              }
            </Await>
          </section>
          <section>
            <h2>Peers</h2>
            <Await of={peers} what="the peers">
              {(peers) =>
                peers.length === 0 ? (
                  <p class="quiet">
                    No peers: <code>assay peer add &lt;address&gt;</code>
                  </p>
                ) : (
                  <ul class="plain peers">
                    {peers.map((peer) => (
                      <li>
                        <span class={peer.connected ? 'good' : 'quiet'}>{peer.connected ? '● connected' : '○ known'}</span> <code class="wrap">{peer.address}</code>
                      </li>
                    ))}
                  </ul>
                )
              }
            </Await>
          </section>
        </div>
      </div>
    </article>
  );
}

/** Entries of each log shown initially. */
const PAST = 12;

interface Said {
  publisher?: string;
  name?: string;
  seq?: number;
  kind?: string;
  object?: string;
  time?: number;
  summary?: string;
  release?: string;
  verdict?: Verdict;
}

/** Converts an event of the stream for display. */
function news(event: string, said: Said): News {
  const { publisher, name, seq, kind = event, summary = '', release = '' } = said;
  const base = { publisher, name, release: said.release, verdict: said.verdict, time: said.time ?? Math.floor(Date.now() / 1000) };
  if (event === 'verified') return { ...base, id: `verified/${release}/${base.time}`, kind: 're-run here', text: `release ${brief(release)}` };
  if (event === 'fork') return { ...base, id: `fork/${publisher}/${seq}`, kind: 'fork', text: `signed two entries with sequence number ${seq}` };
  return { ...base, id: `${publisher}/${seq}`, kind, text: about({ kind, summary }), object: said.object };
}

/** Latest entries of the stored logs, newest first. */
async function past(): Promise<News[]> {
  const publishers = await load<Publisher[]>('/publishers');
  const logs = publishers.slice(0, 20).map(async ({ publisher, name }) => {
    const entries = await load<Entry[]>(`/publishers/${part(publisher)}/entries?limit=${PAST}`);
    return entries.map((entry) => news('head', { ...entry, publisher, name }));
  });
  return (await Promise.all(logs)).flat().sort((a, b) => b.time - a.time);
}

function Feed() {
  const [events, set] = useState<News[]>([]);
  const flows = useLoad<Flow[]>('/flows');
  const [line, setLine] = useState<'opening' | 'open' | 'lost'>('opening');
  useEffect(() => {
    const add = (more: News[]) => set((known) => [...more, ...known.filter((one) => !more.some((other) => other.id === one.id))].slice(0, KEPT));
    // The stream has no past events, so they are read from the logs.
    const recall = () =>
      past().then(
        (found) => set((known) => [...known, ...found.filter((one) => !known.some((other) => other.id === one.id))].sort((a, b) => b.time - a.time).slice(0, KEPT)),
        () => {},
      );
    void recall();
    const source = new EventSource(`${API}/events`);
    source.onopen = () => setLine('open');
    source.onerror = () => setLine('lost');
    for (const kind of ['release', 'attestation', 'head', 'verified', 'fork'])
      source.addEventListener(kind, (event) => {
        forget();
        add([news(kind, JSON.parse((event as MessageEvent<string>).data) as Said)]);
      });
    source.addEventListener('reset', () => {
      forget();
      void recall();
    });
    return () => source.close();
  }, []);
  const state = { opening: 'connecting …', open: 'live', lost: 'connection lost, reconnecting' }[line];
  return (
    <section class="feed">
      <h2>
        Events <span class={`line ${line}`}>{state}</span>
      </h2>
      {events.length === 0 && <p class="quiet">No events yet. New releases and verdicts appear here.</p>}
      <ol aria-live="polite" aria-relevant="additions">
        {events.map((one) => (
          <li key={one.id}>
            <time dateTime={new Date(one.time * 1000).toISOString()}>{time(one.time)}</time>
            <span class="kind">{one.kind}</span>
            {one.publisher && <a href={`/publisher/${part(one.publisher)}`}>{one.name}</a>}
            {one.verdict && <VerdictText verdict={one.verdict} />}
            <About kind={one.kind} object={one.object ?? ''} text={one.text} release={one.release} flows={flows.value ?? []} />
          </li>
        ))}
      </ol>
    </section>
  );
}
