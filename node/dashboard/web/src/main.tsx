// Application frame: header, footer and page switch.
import './style.css';
import { Component, render } from 'preact';
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Country } from './pages/country.tsx';
import { Figure } from './pages/figure.tsx';
import { Network } from './pages/network.tsx';
import { Publisher } from './pages/publisher.tsx';
import { Recipe } from './pages/recipe.tsx';
import { Search } from './pages/search.tsx';
import { World } from './pages/world.tsx';
import { Empty } from './parts/states.tsx';
import type { Route } from './route.ts';
import { follow, go, useRoute } from './route.ts';

function App() {
  const route = useRoute();
  const page = <Fence key={route.parts.join('/')}>{paged(route)}</Fence>;
  if (route.embed)
    return (
      <main id="main" class="embedded" tabIndex={-1}>
        {page}
      </main>
    );
  return (
    <>
      <a class="skip" href="#main">
Skip to content
      </a>
      <Top route={route} />
      <main id="main" tabIndex={-1}>
        {page}
      </main>
      <footer>
        <p>
          Assay: statistics that anyone can recompute. <a href="/docs">API</a> · Borders: Natural Earth, de facto.
        </p>
      </footer>
    </>
  );
}

function paged(route: Route) {
  switch (route.parts[0]) {
    case undefined:
    case 'world':
      return <World route={route} />;
    case 'country':
      return <Country route={route} />;
    case 'figure':
      return <Figure route={route} />;
    case 'recipe':
      return <Recipe route={route} />;
    case 'publisher':
      return <Publisher route={route} />;
    case 'network':
      return <Network />;
    case 'search':
      return <Search route={route} />;
    default:
      return (
        <Empty title="Page not found">
          <p>
            <a href="/">Go to the start page</a>
          </p>
        </Empty>
      );
  }
}

/** Error boundary: a failing page shows its error and leaves the frame intact. */
class Fence extends Component<{ children: ComponentChildren }, { broken: string | null }> {
  override state = { broken: null as string | null };
  override componentDidCatch(fault: Error) {
    console.error(fault);
    this.setState({ broken: fault.message });
  }
  override render() {
    if (this.state.broken === null) return this.props.children;
    return (
      <Empty title="This page failed">
        <p>{this.state.broken}</p>
      </Empty>
    );
  }
}

function Top({ route }: { route: Route }) {
  const search = (event: SubmitEvent) => {
    event.preventDefault();
    const wanted = new FormData(event.currentTarget as HTMLFormElement).get('q');
    go(`/search?q=${encodeURIComponent(String(wanted ?? ''))}`);
  };
  const current = (name: string) => ((route.parts[0] ?? 'world') === name ? 'page' : undefined);
  return (
    <header class="top">
      <a class="logo" href="/">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <path d="M4 23 11 14l6 5L28 7" />
        </svg>
        Assay
      </a>
      <nav aria-label="Main">
        <a href="/" aria-current={current('world')}>
          World
        </a>
        <a href="/network" aria-current={current('network')}>
          Network
        </a>
      </nav>
      <form role="search" action="/search" onSubmit={search}>
        <input type="search" name="q" key={route.query.get('q') ?? ''} defaultValue={route.query.get('q') ?? ''} placeholder="Country, indicator, publisher, id" aria-label="Search" />
      </form>
      <Theme />
    </header>
  );
}

const THEMES = ['auto', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

function stored(): Theme {
  try {
    return THEMES.find((one) => one === localStorage.getItem('theme')) ?? 'auto';
  } catch {
    return 'auto';
  }
}

function Theme() {
  const [theme, set] = useState<Theme>(stored);
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme;
    try {
      localStorage.setItem('theme', theme);
    } catch {
      // Storage can be disabled; the theme still applies to this page.
    }
  }, [theme]);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;
  return (
    <button type="button" class="theme" onClick={() => set(next)} aria-label={`Colours: ${theme}. Change to ${next}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="8" cy="8" r="6.5" fill="none" stroke="currentColor" stroke-width="1.5" />
        <path d="M8 1.5a6.5 6.5 0 0 1 0 13z" fill="currentColor" />
      </svg>
      <span>{theme}</span>
    </button>
  );
}

document.documentElement.dataset['theme'] = stored();
document.addEventListener('click', follow);
// Replaces the static text rendered by the node.
const room = document.getElementById('app')!;
room.textContent = '';
render(<App />, room);
