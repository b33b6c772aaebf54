// How a figure, an output of a dataflow and a publisher stand, in the words of the pages without scripts.
import type { ComponentChildren } from 'preact';
import type { Figure, Flow, Mark, Word } from '../api.ts';
import { count } from '../text.ts';

type FigureStanding = Figure['standing'];

const CONTESTS: Record<string, string> = {
  forked: 'its publisher signed two histories',
  retracted: 'its publisher retracted the release',
  point_retracted: 'its publisher retracted this data point',
  superseded: 'a later release supersedes it',
};

export const contestClause = (contests: string[]) => contests.map((one) => CONTESTS[one] ?? one).join('; ');

/** Who ran it: `here and by 2 followed publishers`. */
const runs = (here: boolean, others: number) => [here && 'here', others > 0 && `by ${count(others, 'followed publisher')}`].filter(Boolean).join(' and ');

/** How a figure stands, as a clause that begins with the word. */
export function figurePhrase(standing: FigureStanding, own: boolean): string {
  const contests = contestClause(standing.contests);
  switch (standing.word) {
    case 'holds': {
      const who = runs(standing.checked_here.cell === 'holds', standing.confirmed_by.length);
      return standing.stated.length > 0 ? `holds: recipe run again ${who}, on data stated by the publisher, without a document` : `holds: source read again and recipe run again ${who}`;
    }
    case 'does_not_hold':
      return `does not hold: published ${standing.published ?? 'no value'}, computed ${standing.computed ?? 'no value'}${contests && `; ${contests}`}`;
    case 'contested':
      return `contested: ${contests}${standing.superseded ? ` (entry ${standing.superseded.seq})` : ''}`;
    default:
      return own ? 'unchecked: signed by this node, run by no publisher that it follows' : 'unchecked: run neither here nor by a publisher that this node follows';
  }
}

/** Suffix of a title: what is wrong with the number, or nothing. */
export const doubtSuffix = (word: Word) => (word === 'does_not_hold' ? ' (does not hold)' : word === 'contested' ? ' (contested)' : '');

/** The word for a figure of a flow: that of its mark, or that of all figures without one. */
export function wordOf(flow: Flow, mark: Mark | undefined): Word {
  const { contests, checked_here, confirmed_by, contradicted_by } = flow.standing;
  if (mark) return mark.word;
  if (contests.length > 0) return 'contested';
  return checked_here !== 'unchecked' || confirmed_by.length + contradicted_by.length > 0 ? 'holds' : 'unchecked';
}

/** A number of a list; struck through when it does not hold. */
export function Marked({ word, children }: { word: Word; children: ComponentChildren }) {
  if (word === 'does_not_hold')
    return (
      <>
        <s class="bad">{children}</s>
        <span class="unseen"> does not hold</span>
      </>
    );
  return <>{children}</>;
}

/** How an output stands as a whole. */
export function Standing({ flow }: { flow: Flow }) {
  const { standing } = flow;
  const points = standing.retracted_points > 0 ? `its publisher retracted ${count(standing.retracted_points, 'data point')}` : '';
  const contests = [contestClause(standing.contests), points].filter(Boolean).join('; ');
  const run = standing.checked_here === 'holds' || standing.confirmed_by.length > 0;
  return (
    <>
      {standing.does_not_hold > 0 && <span class="bad">{count(standing.does_not_hold, 'figure does not hold', 'figures do not hold')}</span>}
      {standing.does_not_hold > 0 && contests && ' · '}
      {contests && <span class="contest">contested: {contests}</span>}
      {standing.does_not_hold === 0 && !contests && (
        <span class="quiet">{run ? `holds: run again ${runs(standing.checked_here === 'holds', standing.confirmed_by.length)}` : flow.own ? 'unchecked: signed here' : 'unchecked'}</span>
      )}
      {standing.stated.length > 0 && <span class="quiet"> · from data stated without a document</span>}
    </>
  );
}
