// What this node holds, whom it is connected to, and what comes in while the reader looks.
import { useEffect, useState } from 'preact/hooks';
import type { Publisher, Status, Verdict } from '../api.ts';
import { API, forget, part, useLoad } from '../api.ts';
import { VerdictText } from '../parts/pieces.tsx';
import { Await } from '../parts/states.tsx';
import { count, time } from '../text.ts';

interface Peer {
  peer: string | null;
  address: string;
  connected: boolean;
}

interface Event_ {
  id: string;
  event: string;
  publisher: string;
  name: string;
  seq: number;
  kind: string;
  object: string;
  time: number;
  summary: string;
  verdict?: Verdict;
}

/** Events that are shown. */
const KEPT = 60;
const KINDS = ['release', 'attestation', 'head'] as const;

export function Network() {
  const status = useLoad<Status>('/status');
  const publishers = useLoad<Publisher[]>('/publishers');
  const peers = useLoad<Peer[]>('/peers');
  return (
    <article class="network">
      <header>
        <h1>Network</h1>
        <Await of={status} what="the node's state">
          {(status) => (
            <p class="lead">
              This node (version {status.version}) holds {count(status.logs, 'log')} and is connected to {count(status.peers, 'peer')}.{' '}
              {status.own ? <a href={`/publisher/${part(status.own)}`}>It signs as a publisher of its own.</a> : 'It has no identity of its own: it verifies, and signs nothing.'}
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
                          {count(one.length, 'entry', 'entries')}, {one.complete >= one.length ? 'all whole' : `${one.complete} whole`} · {one.own ? 'own' : one.followed ? 'followed' : 'not followed'}
                          {one.forked && <span class="bad"> · two histories</span>}
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

function Feed() {
  const [events, set] = useState<Event_[]>([]);
  const [line, setLine] = useState<'opening' | 'open' | 'lost'>('opening');
  useEffect(() => {
    const source = new EventSource(`${API}/events`);
    source.onopen = () => setLine('open');
    source.onerror = () => setLine('lost');
    for (const kind of KINDS)
      source.addEventListener(kind, (event) => {
        const { data, lastEventId } = event as MessageEvent<string>;
        const said = { ...(JSON.parse(data) as Event_), id: lastEventId, event: kind };
        forget();
        set((known) => (known.some((one) => one.id === said.id) ? known : [said, ...known].slice(0, KEPT)));
      });
    return () => source.close();
  }, []);
  const state = { opening: 'connecting …', open: 'live', lost: 'connection lost; trying again' }[line];
  return (
    <section class="feed">
      <h2>
        Live <span class={`line ${line}`}>{state}</span>
      </h2>
      {events.length === 0 && <p class="quiet">Nothing has come in yet. Releases and verdicts appear here as they arrive.</p>}
      <ol aria-live="polite" aria-relevant="additions">
        {events.map((one) => (
          <li key={one.id}>
            <time dateTime={new Date(one.time * 1000).toISOString()}>{time(one.time)}</time>
            <span class="kind">{one.kind}</span>
            <a href={`/publisher/${part(one.publisher)}`}>{one.name}</a>
            <span>{one.summary}</span>
            {one.verdict && <VerdictText verdict={one.verdict} />}
          </li>
        ))}
      </ol>
    </section>
  );
}
