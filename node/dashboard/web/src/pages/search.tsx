import type { Found } from '../api.ts';
import { part, useLoad } from '../api.ts';
import { Await, Empty } from '../parts/states.tsx';
import type { Route } from '../route.ts';
import { useTitle } from '../route.ts';

export function Search({ route }: { route: Route }) {
  const wanted = (route.query.get('q') ?? '').trim();
  useTitle(wanted ? `Search: ${wanted}` : 'Search');
  const found = useLoad<Found[]>(wanted ? `/search?q=${part(wanted)}&limit=40` : null);
  if (!wanted)
    return (
      <Empty title="Search">
        <p>Search for countries, indicators, publishers, recipes, or the id or address of a figure.</p>
      </Empty>
    );
  return (
    <article class="search">
      <h1>“{wanted}”</h1>
      <Await of={found} what="what matches">
        {(found) =>
          found.length === 0 ? (
            <Empty title="No results">
              <p>Try a country, an indicator such as inflation, a publisher, or paste an address or id.</p>
            </Empty>
          ) : (
            <ul class="cards">
              {found.map((one) => (
                <li>
                  <div>
                    <span class="kind">{one.kind}</span>{' '}
                    <a href={safe(one.path)}>
                      <strong>{one.title}</strong>
                    </a>
                  </div>
                  <span>{one.detail}</span>
                </li>
              ))}
            </ul>
          )
        }
      </Await>
    </article>
  );
}

/** Returns the path only if it is local to this node. */
const safe = (path: string) => (/^\/[^/\\]/.test(path) ? path : '/');
