import { useState } from 'preact/hooks';
import type { Word } from '../api.ts';
import { Marked } from './standing.tsx';

export interface Cell {
  text: string;
  sort: string | number | null;
  path?: string | undefined;
  /** How the number stands. */
  word?: Word | undefined;
}

export interface TableProps {
  caption: string;
  columns: string[];
  rows: { id: string; cells: Cell[] }[];
}

/** Sortable table; the first column is text, the others are numbers. */
export function Table({ caption, columns, rows }: TableProps) {
  const [sort, set] = useState({ column: 0, down: false });
  const [wanted, filter] = useState('');
  const kept = rows.filter((row) => row.cells[0]?.text.toLowerCase().includes(wanted.toLowerCase()));
  const sorted = [...kept].sort((a, b) => order(a.cells[sort.column]!.sort, b.cells[sort.column]!.sort, sort.down));
  const toggle = (column: number) => set({ column, down: sort.column === column ? !sort.down : column > 0 });
  return (
    <div class="tabled">
      <label class="filter">
        <span>Filter the table</span>
        <input type="search" value={wanted} onInput={(event) => filter(event.currentTarget.value)} />
      </label>
      <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
        <table>
          <caption>{caption}</caption>
          <thead>
            <tr>
              {columns.map((name, column) => (
                <th scope="col" class={column ? 'num' : ''} aria-sort={sort.column !== column ? undefined : sort.down ? 'descending' : 'ascending'}>
                  <button type="button" onClick={() => toggle(column)}>
                    {name}
                    <span aria-hidden="true">{sort.column !== column ? '' : sort.down ? ' ↓' : ' ↑'}</span>
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sorted.map((row) => (
              <tr key={row.id}>
                {row.cells.map((cell, column) => {
                  const text = cell.word ? <Marked word={cell.word}>{cell.text}</Marked> : cell.text;
                  const content = cell.path ? <a href={cell.path}>{text}</a> : text;
                  return column ? <td class="num">{content}</td> : <th scope="row">{content}</th>;
                })}
              </tr>
            ))}
          </tbody>
        </table>
        {sorted.length === 0 && <p class="quiet">Nothing matches “{wanted}”.</p>}
      </div>
    </div>
  );
}

/** Missing values sort last in both directions. */
function order(a: Cell['sort'], b: Cell['sort'], down: boolean): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const up = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
  return down ? -up : up;
}
