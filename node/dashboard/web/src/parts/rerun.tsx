// Re-run of a release by the node, with live progress, and what it says of one figure.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { CellWord, Verdict } from '../api.ts';
import { API, part, verdictWord } from '../api.ts';
import { count } from '../text.ts';

interface Cell {
  cell: CellWord;
  published?: string | null;
  computed?: string | null;
}

type State =
  | { at: 'rest' }
  | { at: 'work'; stage: string; steps: number }
  | { at: 'end'; verdict: Verdict; seconds: number; figure: Cell | null }
  | { at: 'trouble'; text: string };

export interface Run {
  state: State;
  start: () => void;
}

/** `figure`: output, key and period. */
export function useRerun(release: string, figure: [string, string, string]): Run {
  const [state, set] = useState<State>({ at: 'rest' });
  const source = useRef<EventSource | null>(null);
  const end = () => {
    source.current?.close();
    source.current = null;
  };
  const [output, key, period] = figure.map(part);
  useEffect(() => {
    set({ at: 'rest' });
    return end;
  }, [release, output, key, period]);
  const start = () => {
    end();
    set({ at: 'work', stage: 'waiting', steps: 0 });
    const events = new EventSource(`${API}/releases/${part(release)}/rerun?output=${output}&key=${key}&period=${period}`);
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
  return { state, start };
}

export function Rerun({ run: { state, start } }: { run: Run }) {
  return (
    <section class="rerun">
      <h2>Re-run</h2>
      <p>The node reads the source documents again, repeats the computation and compares every cell. It signs nothing.</p>
      <button type="button" class="primary" onClick={start} disabled={state.at === 'work'}>
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
  const { figure } = state;
  return (
    <>
      {figure?.cell === 'holds' && <p class="good">✓ This figure holds.</p>}
      {figure?.cell === 'does_not_hold' && (
        <p class="bad">
          ✕ This figure does not hold: published {figure.published ?? 'no value'}, computed {figure.computed ?? 'no value'}.
        </p>
      )}
      <WholeRelease state={state} />
    </>
  );
}

function WholeRelease({ state }: { state: Extract<State, { at: 'end' }> }) {
  const word = verdictWord(state.verdict) ?? '';
  const seconds = `in ${state.seconds.toFixed(2)} seconds`;
  if (word === 'reproduced') return <p class="quiet">The whole release is reproduced to the last digit {seconds}.</p>;
  if (word === 'differs') {
    const { count: cells, first } = (state.verdict as { differs: { count: number; first: Divergence } }).differs;
    return (
      <p class="quiet">
        In the release {count(cells, 'cell differs', 'cells differ')}, the first is {place(first)}: published {spell(first.published)}, computed {spell(first.computed)} ({seconds}).
      </p>
    );
  }
  const { code, message } = Object.values(state.verdict)[0] as { code?: string; message?: string };
  if (word === 'invalid')
    return (
      <p class="bad">
        ✕ The release is invalid: {message} ({code}).
      </p>
    );
  return (
    <p class="quiet">
      The figures could not be checked ({word.replace('_', ' ')}{message && `: ${message}`}). This does not mean that they are wrong.
    </p>
  );
}

interface Divergence {
  table: { output: string } | { dataset: string } | 'steps';
  position?: { file: string; line?: number; column?: string };
  key: unknown[];
  published?: unknown;
  computed?: unknown;
}

/** Place of a divergence: a cell of an output, or of a data set with its place in the document. */
function place({ table, position, key }: Divergence): string {
  if (table === 'steps') return 'the number of steps';
  const name = 'output' in table ? table.output : 'a data set';
  const at = position ? ` (${[position.file, position.line && `line ${position.line}`, position.column && `column ${position.column}`].filter(Boolean).join(', ')})` : '';
  return `${name}[${key.map(spell).join(', ')}]${at}`;
}

/** Formats a typed cell. */
function spell(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'object') return Object.values(value).map(spell).join(' ');
  return String(value);
}
