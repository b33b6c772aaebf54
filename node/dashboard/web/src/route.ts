// Routing: the URL is the state of the page.
import { useEffect, useState } from 'preact/hooks';

export interface Route {
  embed: boolean;
  parts: string[];
  query: URLSearchParams;
}

const CHANGED = 'assay:route';

export function route(): Route {
  const parts = location.pathname.split('/').filter(Boolean).map((one) => {
    try {
      return decodeURIComponent(one);
    } catch {
      return one;
    }
  });
  const embed = parts[0] === 'embed';
  return { embed, parts: embed ? parts.slice(1) : parts, query: new URLSearchParams(location.search) };
}

export function useRoute(): Route {
  const [now, set] = useState(route);
  useEffect(() => {
    const read = () => set(route());
    addEventListener('popstate', read);
    addEventListener(CHANGED, read);
    return () => {
      removeEventListener('popstate', read);
      removeEventListener(CHANGED, read);
    };
  }, []);
  return now;
}

/** Sets the document title. */
export function useTitle(text: string | null | undefined): void {
  useEffect(() => {
    if (text) document.title = `${text} · Assay`;
  }, [text]);
}

/** Navigates to another page of the dashboard. */
export function go(path: string): void {
  history.pushState(null, '', path);
  scrollTo(0, 0);
  dispatchEvent(new Event(CHANGED));
  document.getElementById('main')?.focus({ preventScroll: true });
}

/** Changes query parameters of this page; `null` removes one. Slider moves do not add history entries. */
export function amend(changes: Record<string, string | null>, keep = false): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString().replaceAll('%2C', ',').replaceAll('%2F', '/');
  const path = location.pathname + (text ? `?${text}` : '');
  if (path === location.pathname + location.search) return;
  if (keep) history.pushState(null, '', path);
  else history.replaceState(null, '', path);
  dispatchEvent(new Event(CHANGED));
}

/** Handles links between pages without a reload. */
export function follow(event: MouseEvent): void {
  const link = (event.target as Element | null)?.closest?.('a');
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  if (link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
  if (!/^\/(embed\/)?(world|country|figure|recipe|publisher|network|search|$)/.test(link.pathname) || link.hash) return;
  event.preventDefault();
  go(link.pathname + link.search);
}
