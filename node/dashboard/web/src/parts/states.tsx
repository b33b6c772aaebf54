// Loading, empty and error states.
import type { ComponentChildren } from 'preact';
import type { Loaded } from '../api.ts';

export function Loading({ what = 'the data' }: { what?: string }) {
  return (
    <div class="state loading" role="status">
      <span class="bar" aria-hidden="true" />
      <p>Loading {what} …</p>
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
      <h1>{offline ? 'This node does not respond' : trouble.status === 404 ? 'Not found' : 'Request failed'}</h1>
      {offline ? (
        <p>
          It may have been stopped. Start it with <code>assay node</code> and try again.
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

/** Shows the loaded value, the loading state or the error. */
export function Await<T>({ of, what, children }: { of: Loaded<T>; what?: string; children: (value: T) => ComponentChildren }) {
  if (of.trouble) return <Failed of={of} />;
  if (of.value === undefined) return <Loading what={what} />;
  return <>{children(of.value)}</>;
}
