import { short, suffix } from '../text.ts';
import type { Classes } from './colour.ts';

/** Legend: colours of the classes with their bounds, and the colour of missing data. */
export function Legend({ classes, unit }: { classes: Classes; unit: string }) {
  const { bounds } = classes;
  const first = bounds[0] ?? 0;
  const samples = [first - Math.max(Math.abs(first), 1), ...bounds];
  return (
    <figure class="legend">
      <figcaption>{unit}</figcaption>
      <div class="scale">
        <span class="none-key">
          <svg width="30" height="12" aria-hidden="true">
            <rect width="30" height="12" class="area none" />
          </svg>
          <span>No data</span>
        </span>
        <ol>
          {samples.map((sample, place) => (
            <li>
              <svg viewBox="0 0 10 12" preserveAspectRatio="none" aria-hidden="true">
                <rect width="10" height="12" class={`area ${classes.of(sample)}`} />
              </svg>
              <span>{place < bounds.length ? `${short(bounds[place]!, 1000)}${suffix(unit)}` : ''}</span>
            </li>
          ))}
        </ol>
      </div>
    </figure>
  );
}
