// What stands where there is nothing to show yet, or nothing at all.
import type { ComponentChildren } from 'preact';
import type { Loaded } from '../api.ts';

export function Loading({ what = 'the data' }: { what?: string }) {
  return (
    <div class="state loading" role="status">
      <span class="bar" aria-hidden="true" />
      <p>Reading {what} from this node …</p>
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="state">
      <h1>{title}</h1>
      {children}
    </div>
  );
}

export function Failed({ of }: { of: Loaded<unknown> }) {
  const trouble = of.trouble;
  if (!trouble) return null;
  const offline = trouble.code === 'offline';
  return (
    <div class="state" role="alert">
      <h1>{offline ? 'This node does not answer' : trouble.status === 404 ? 'Nothing here' : 'That did not work'}</h1>
      {offline ? (
        <p>
          It may have been stopped. Start it again with <code>assay node</code>, then try again. Nothing is lost.
        </p>
      ) : (
        <p>{trouble.message.charAt(0).toUpperCase() + trouble.message.slice(1)}.</p>
      )}
      <button type="button" onClick={of.again}>
        Try again
      </button>
    </div>
  );
}

/** Shows what was loaded, or why not. */
export function Await<T>({ of, what, children }: { of: Loaded<T>; what?: string; children: (value: T) => ComponentChildren }) {
  if (of.trouble) return <Failed of={of} />;
  if (of.value === undefined) return <Loading what={what} />;
  return <>{children(of.value)}</>;
}
