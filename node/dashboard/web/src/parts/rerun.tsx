// Re-run of a release by the node, with live progress.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Verdict } from '../api.ts';
import { API, part, verdictWord } from '../api.ts';
import { brief, count } from '../text.ts';

type State =
  | { at: 'rest' }
  | { at: 'work'; stage: string; steps: number }
  | { at: 'end'; verdict: Verdict; seconds: number }
  | { at: 'trouble'; text: string };

export function Rerun({ release }: { release: string }) {
  const [state, set] = useState<State>({ at: 'rest' });
  const source = useRef<EventSource | null>(null);
  const end = () => {
    source.current?.close();
    source.current = null;
  };
  useEffect(() => {
    set({ at: 'rest' });
    return end;
  }, [release]);
  const run = () => {
    end();
    set({ at: 'work', stage: 'waiting', steps: 0 });
    const events = new EventSource(`${API}/releases/${part(release)}/rerun`);
    source.current = events;
    events.addEventListener('progress', (event) => {
      const said = JSON.parse((event as MessageEvent<string>).data) as { stage: string; steps?: number };
      set({ at: 'work', stage: said.stage, steps: said.steps ?? 0 });
    });
    events.addEventListener('verdict', (event) => {
      const said = JSON.parse((event as MessageEvent<string>).data) as Omit<Extract<State, { at: 'end' }>, 'at'>;
      end();
      set({ ...said, at: 'end' });
    });
    events.addEventListener('problem', (event) => {
      end();
      set({ at: 'trouble', text: (JSON.parse((event as MessageEvent<string>).data) as { detail: string }).detail });
    });
    // An EventSource would reconnect forever, and each connection would start another run.
    events.onerror = () => {
      end();
      set({ at: 'trouble', text: 'The node is busy or unreachable. Try again later.' });
    };
  };
  return (
    <section class="rerun">
      <h2>Re-run</h2>
      <p>The node repeats the computation and compares every cell. It signs nothing.</p>
      <button type="button" class="primary" onClick={run} disabled={state.at === 'work'}>
        {state.at === 'work' ? 'Running …' : state.at === 'rest' ? 'Re-run now' : 'Re-run again'}
      </button>
      <div role="status" class="outcome">
        {state.at === 'work' && (
          <>
            <progress aria-label="Running" />
            <p>
              {state.stage}
              {state.steps > 0 && `, ${count(state.steps, 'step')}`}
            </p>
          </>
        )}
        {state.at === 'end' && <End state={state} />}
        {state.at === 'trouble' && <p class="bad">{state.text}</p>}
      </div>
    </section>
  );
}

function End({ state }: { state: Extract<State, { at: 'end' }> }) {
  const word = verdictWord(state.verdict) ?? '';
  const seconds = `in ${state.seconds.toFixed(2)} seconds`;
  if (word === 'reproduced') return <p class="good">✓ Reproduced to the last digit {seconds}.</p>;
  if (word === 'differs') {
    const { count: cells, first } = (state.verdict as { differs: { count: number; first: Divergence } }).differs;
    return (
      <p class="bad">
        ✕ {count(cells, 'cell differs', 'cells differ')}, the first is {tableName(first.table)}[{first.key.map(spell).join(', ')}]: published {spell(first.published)}, computed {spell(first.computed)} ({seconds}).
      </p>
    );
  }
  if (word === 'invalid') return <p class="bad">✕ An object breaks a rule: {(state.verdict as { invalid: { message: string } }).invalid.message}.</p>;
  return (
    <p class="quiet">
      The figures could not be checked ({word.replace('_', ' ')}). This does not mean that they are wrong.
    </p>
  );
}

/** A table of a divergence: a result, a data set beside its document, or the number of steps. */
type ComparedTable = { output: string } | { dataset: string } | 'steps';

function tableName(table: ComparedTable): string {
  if (table === 'steps') return 'number of steps';
  return 'output' in table ? table.output : `data set ${brief(table.dataset)} beside its document`;
}

interface Divergence {
  table: ComparedTable;
  key: unknown[];
  published?: unknown;
  computed?: unknown;
}

/** Formats a typed cell. */
function spell(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'object') return Object.values(value).map(spell).join(' ');
  return String(value);
}
