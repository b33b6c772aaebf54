// Small components shared by several pages.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Flow, Verdict } from '../api.ts';
import { part, verdictWord } from '../api.ts';
import { brief, worldPath } from '../text.ts';

export function Copy({ text, label }: { text: string; label: string }) {
  const [done, set] = useState(false);
  const copy = () =>
    navigator.clipboard?.writeText(text).then(
      () => {
        set(true);
        setTimeout(() => set(false), 1500);
      },
      () => set(false),
    );
  return (
    <div class="copy">
      <code>{text}</code>
      <button type="button" onClick={copy} aria-label={`Copy ${label}`}>
        {done ? 'Copied' : 'Copy'}
      </button>
    </div>
  );
}

/** Shortened id with the full id as tooltip. */
export const Id = ({ id, path }: { id: string; path?: string }) =>
  path ? (
    <a class="id brief" href={path} title={id}>
      {brief(id)}
    </a>
  ) : (
    <span class="id brief" title={id}>
      {brief(id)}
    </span>
  );

export type Tone = 'good' | 'bad' | 'doubt' | 'plain';

export function Badge({ tone, title, children }: { tone: Tone; title: string; children?: ComponentChildren }) {
  const mark = { good: '✓', bad: '✕', doubt: '!', plain: '○' }[tone];
  return (
    <li class={`badge ${tone}`}>
      <strong>
        <span aria-hidden="true">{mark} </span>
        {title}
      </strong>
      {children && <span>{children}</span>}
    </li>
  );
}

export function VerdictText({ verdict }: { verdict: Verdict | null | undefined }) {
  const word = verdictWord(verdict);
  if (!word) return <span class="quiet">not re-run here</span>;
  return <span class={word === 'reproduced' ? 'good' : word === 'differs' || word === 'invalid' ? 'bad' : 'quiet'}>{word.replace('_', ' ')}</span>;
}

/** Subject of a log entry, linked if it has a page. */
export function About({ kind, object, text, flows, release }: { kind: string; object: string; text: string; flows: Flow[]; release?: string | undefined }) {
  const meant = kind === 'release' ? object : release;
  const flow = meant ? flows.find((one) => one.release === meant) : undefined;
  const path = kind === 'recipe' ? `/recipe/${part(object)}` : flow && worldPath(flow);
  const said = release ? (flow ? `${flow.dataflow} of ${flow.publisher_name}` : `release ${brief(release)}`) : text;
  return path ? <a href={path}>{said}</a> : <span class="wrap">{said}</span>;
}
