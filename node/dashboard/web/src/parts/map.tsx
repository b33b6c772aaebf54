// World map with keyboard access: one tab stop, then arrow keys and letters.
import { useMemo, useRef, useState } from 'preact/hooks';
import world from '../map.json';
import type { Area } from '../api.ts';
import type { Classes } from './colour.ts';

const WIDTH = 960;
const HEIGHT = 440;
interface Shape {
  id: string;
  name: string;
  d: string;
  x: number;
  y: number;
  tiny: boolean;
}

/** Country shapes, projected at build time. */
const SHAPES = (world as [string, string, string, number, number, number][]).map(([id, name, d, x, y, tiny]): Shape => ({ id, name, d, x, y, tiny: tiny === 1 }));

/** Areas drawn by Natural Earth that have no ISO 3166-1 number. */
const UNNUMBERED: Record<string, string> = { Kosovo: 'XKX' };

export interface MapProps {
  areas: Map<string, Area>;
  value: (code: string) => number | null;
  say: (code: string) => string;
  /** Whether the number of an area does not hold. */
  wrong: (code: string) => boolean;
  classes: Classes;
  chosen: string[];
  onChoose: (code: string) => void;
  label: string;
}

interface Spot {
  shape: Shape;
  code: string | null;
  name: string;
}

export function WorldMap({ areas, value, say, wrong, classes, chosen, onChoose, label }: MapProps) {
  const [active, setActive] = useState<string | null>(null);
  const [tip, setTip] = useState<{ spot: Spot; x: number; y: number } | null>(null);
  const [focused, setFocused] = useState(false);
  const frame = useRef<HTMLDivElement>(null);
  const typed = useRef('');
  const spots = useMemo(() => {
    const byNumber = new Map([...areas.values()].filter((area) => area.m49 !== null).map((area) => [String(area.m49).padStart(3, '0'), area]));
    return SHAPES.map((shape): Spot => {
      const area = byNumber.get(shape.id) ?? areas.get(UNNUMBERED[shape.name] ?? '');
      return { shape, code: area?.code ?? null, name: area?.name ?? shape.name };
    });
  }, [areas]);
  const known = useMemo(() => spots.filter((spot) => spot.code !== null).sort((a, b) => a.name.localeCompare(b.name)), [spots]);
  const at = known.findIndex((spot) => spot.code === active);
  const current = known[at] ?? known[0];

  const move = (place: number) => setActive(known[(place + known.length) % known.length]?.code ?? null);
  const key = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const here = Math.max(at, 0);
    if (event.key === 'ArrowRight' || event.key === 'ArrowDown') move(here + 1);
    else if (event.key === 'ArrowLeft' || event.key === 'ArrowUp') move(here - 1);
    else if (event.key === 'Home') move(0);
    else if (event.key === 'End') move(known.length - 1);
    else if ((event.key === 'Enter' || event.key === ' ') && current?.code) onChoose(current.code);
    else if (/^\p{L}$/u.test(event.key)) jump(event.key);
    else return;
    event.preventDefault();
  };
  /** Type-ahead: letters in quick succession search for a name; repeating a letter moves to the next match. */
  const jump = (letter: string) => {
    const text = letter.toLowerCase();
    typed.current = typed.current === text ? text : typed.current.length < 12 ? typed.current + text : text;
    const begins = (spot: Spot, with_: string) => spot.name.toLowerCase().startsWith(with_);
    const from = (place: number, with_: string) => {
      const order = [...known.slice(place), ...known.slice(0, place)];
      return order.find((spot) => begins(spot, with_))?.code;
    };
    const whole = typed.current.length > 1 ? from(Math.max(at, 0), typed.current) : undefined;
    if (!whole) typed.current = text;
    const next = whole ?? from(at + 1, text);
    if (next) setActive(next);
  };
  const point = (event: PointerEvent) => {
    const id = (event.target as Element).getAttribute('data-at');
    const spot = id === null ? undefined : spots[Number(id)];
    const box = frame.current?.getBoundingClientRect();
    setTip(spot && box ? { spot, x: event.clientX - box.left, y: event.clientY - box.top } : null);
  };
  const pick = (event: MouseEvent) => {
    const id = (event.target as Element).getAttribute('data-at');
    const code = id === null ? null : spots[Number(id)]?.code;
    if (code) {
      setActive(code);
      onChoose(code);
    }
  };
  const read = (spot: Spot) => (spot.code === null ? 'no data' : say(spot.code));
  const shown = tip?.spot ?? (focused ? current : undefined);
  return (
    <div class="map" ref={frame}>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="listbox"
        aria-multiselectable="true"
        aria-label={`${label}. Use arrow keys or letters to move, Enter to compare.`}
        tabIndex={0}
        aria-activedescendant={current ? `area-${current.code}` : undefined}
        onKeyDown={key}
        onFocus={() => setFocused(true)}
        onBlur={() => setFocused(false)}
        onPointerMove={point}
        onPointerLeave={() => setTip(null)}
        onClick={pick}
      >
        <defs>
          {[1, 2.4].map((wide) => (
            <pattern id={wide === 1 ? 'hatch' : 'hatch-wide'} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform={`rotate(45) scale(${wide})`}>
              <rect width="5" height="5" class="hatch-ground" />
              <line x1="0" y1="0" x2="0" y2="5" class="hatch-line" />
            </pattern>
          ))}
        </defs>
        {spots.map((spot, place) => (
          <Place
            spot={spot}
            place={place}
            tone={classes.of(spot.code === null ? null : value(spot.code))}
            text={`${spot.name}: ${read(spot)}`}
            chosen={spot.code !== null && chosen.includes(spot.code)}
            wrong={spot.code !== null && wrong(spot.code)}
            active={spot === shown}
          />
        ))}
        {/* Above the neighbours, which would cover half of it. */}
        {spots.map((spot) => spot.code !== null && chosen.includes(spot.code) && !spot.shape.tiny && <path class="picked" d={spot.shape.d} aria-hidden="true" />)}
        {shown && <path class="outline" d={shown.shape.d} aria-hidden="true" />}
      </svg>
      {tip && (
        <div class="tip" aria-hidden="true" style={{ left: `${Math.min(Math.max(tip.x, 70), (frame.current?.clientWidth ?? 320) - 70)}px`, top: `${tip.y}px` }}>
          <strong>{tip.spot.name}</strong>
          <span>{read(tip.spot)}</span>
        </div>
      )}
      <p class={focused ? 'live' : 'live unseen'} role="status">
        {focused && current ? `${current.name}: ${read(current)}` : ''}
      </p>
    </div>
  );
}

interface PlaceProps {
  spot: Spot;
  place: number;
  tone: string;
  text: string;
  chosen: boolean;
  wrong: boolean;
  active: boolean;
}

function Place({ spot, place, tone, text, chosen, wrong }: PlaceProps) {
  const { shape, code } = spot;
  const known = code === null ? { 'aria-hidden': true as const } : { id: `area-${code}`, role: 'option' as const, 'aria-selected': chosen, 'aria-label': text };
  const style = `area ${tone}${chosen ? ' chosen' : ''}${wrong ? ' wrong' : ''}`;
  if (shape.tiny) return <circle class={style} cx={shape.x} cy={shape.y} r="2.6" data-at={place} {...known} />;
  return <path class={style} d={shape.d} data-at={place} {...known} />;
}
