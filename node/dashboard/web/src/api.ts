// Types of the HTTP API (`/api/v1`) and a cached client.
import { useEffect, useState } from 'preact/hooks';

export type Verdict = string | Record<string, unknown>;

/** How a figure stands: one of the words that every surface shows. */
export type Word = 'holds' | 'does_not_hold' | 'contested' | 'unchecked';

/** How an output stands as a whole, by this node and by followed publishers. */
export interface OutputStanding {
  word: Word;
  /** Number of figures that do not hold. */
  does_not_hold: number;
  checked_here: CellWord;
  contests: ('forked' | 'retracted' | 'superseded')[];
  retracted_points: number;
  confirmed_by: string[];
  contradicted_by: string[];
  stated: string[];
}

/** A figure that stands otherwise than the others of its release. */
export interface Mark {
  key: string;
  period: string;
  word: 'does_not_hold' | 'contested';
}

export interface Flow {
  publisher: string;
  publisher_name: string;
  dataflow: string;
  indicator: string;
  title: string;
  description: string;
  unit: string;
  official: boolean;
  /** Whether this node signs for the publisher. */
  own: boolean;
  recipe: string;
  release: string;
  seq: number;
  /** Permanent address of the release. */
  address: string;
  output: string;
  output_title: string;
  /** Number of outputs of the dataflow; if above 1, a URL names the output. */
  outputs: number;
  vintage: string;
  published: number;
  dimensions: string[];
  /** Number of series. */
  series: number;
  first_period: string;
  last_period: string;
  frequency: string;
  verdict: Verdict | null;
  standing: OutputStanding;
  forked: boolean;
  retracted: unknown;
  vintages: number;
}

export interface Area {
  code: string;
  name: string;
  alpha2: string | null;
  m49: string | number | null;
  aggregate: boolean;
}

export interface Panel {
  release: string;
  output: string;
  unit: string;
  dimensions: string[];
  /** Key of each series, its codes joined by dots. */
  series: string[];
  key_codes?: string[][];
  periods: string[];
  values: (number | null)[][];
}

export interface Country {
  area: Area;
  flows: { flow: Flow; series: { key: string; periods: string[]; values: (number | null)[]; marks: Mark[] }[] }[];
}

export interface Node {
  kind: string;
  id: string;
  title: string;
  publisher?: string;
  time?: number;
  plausibility_warnings?: string[];
  children: Node[];
}

/** What a run says of one cell. */
export type CellWord = 'holds' | 'does_not_hold' | 'unchecked';

export interface Figure {
  address: string;
  /** Address of the figure in this very release. */
  permanent_address: string;
  value: string | null;
  unit: string;
  flow: Flow;
  /** Release of the figure shown; `flow` describes the latest one. */
  release: string;
  output: string;
  content: string;
  chunk: string | null;
  row: number;
  components: Record<string, string | null>;
  standing: {
    signature: { key: string; entry: string; time: number };
    log: { seq: number; length: number; complete: number };
    latest: boolean;
    newer: string | null;
    sources: { snapshot: string; name: string; url: string | null; agency: string | null; licence: string | null; size: number; sha256: string; stored: boolean }[];
    /** How the figure stands: the one word that every surface shows. */
    word: Word;
    published?: string | null;
    computed?: string | null;
    /** What the run of this node says of the figure. */
    checked_here: { cell: CellWord };
    contests: ('forked' | 'retracted' | 'point_retracted' | 'superseded')[];
    /** Followed publishers whose run gives this figure, and those whose run gives another one. */
    confirmed_by: string[];
    contradicted_by: string[];
    /** Data sets that the publisher states without a document. */
    stated: string[];
    attestations: { publisher: string; name: string; time: number; verdict: Verdict; cell: CellWord; followed: boolean; own: boolean }[];
    own_verdict: Verdict | null;
    forked: boolean;
    superseded: { release: string; seq: number; time: number } | null;
    retracted: { reason: string; time: number } | null;
  };
  provenance: Node;
  revisions: { seq: number; release: string; vintage: string; published: number; value: string | null; reason: string | null }[];
  alternatives: { address: string; output: string; title: string; output_title: string; several_outputs: boolean; official: boolean; unit: string; value: string | null }[];
}

export interface Recipe {
  id: string;
  publisher?: string | null;
  publisher_name?: string | null;
  title: string;
  indicator: string;
  description: string;
  script: string;
  inputs: Record<string, { title: string; components?: { id: string; role: string; type: string }[] }>;
  outputs: Record<string, { title: string; unit: string }>;
  limits: { steps: number; cells: number };
  references?: string[];
  licence?: string;
  deviates_from?: { recipe: string; reasons: string[] } | null;
  used_by?: Flow[];
}

/** A recipe as listed by `/recipes`. */
export interface Listed {
  id: string;
  recipe: Omit<Recipe, 'id'>;
}

export interface Difference {
  steps: { name: string; kind: string; from: string | null; to: string | null; note: string | null }[];
  reasons: string[];
  inputs_from?: string[];
  inputs_to?: string[];
}

export interface Publisher {
  publisher: string;
  name: string;
  roots: string[];
  keys: unknown[];
  length: number;
  complete: number;
  followed: boolean;
  own: boolean;
  forked: boolean;
  flows?: Flow[];
  /** What this node and followed publishers found of its releases. */
  record?: { releases: number; does_not_hold: number; retracted: number; holds: number; unchecked: number };
  confirmed_by?: { publisher: string; name: string; count: number }[];
  forks?: { seq: number; entries: string[] }[];
}

export interface Entry {
  seq: number;
  entry: string;
  kind: string;
  object: string;
  time: number;
  summary: string;
  /** Attested release and verdict; attestations only. */
  release?: string;
  verdict?: Verdict;
}

export interface Status {
  version: string;
  publisher: string | null;
  listening: string[];
  peers: number;
  logs: number;
  releases?: number;
  network?: boolean;
}

export interface Found {
  kind: string;
  title: string;
  detail: string;
  path: string;
}

/** Error of a request: the problem document of the node, or a failed connection. */
export class RequestError extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const API = '/api/v1';
export const part = encodeURIComponent;

const answers = new Map<string, Promise<unknown>>();
const KEPT = 60;

/** Fetches each path once; failed requests are repeated on the next call. */
export function load<T>(path: string): Promise<T> {
  const known = answers.get(path);
  if (known) return known as Promise<T>;
  const answer = ask<T>(path);
  answer.catch(() => answers.delete(path));
  answers.set(path, answer);
  const oldest = answers.keys().next().value;
  if (answers.size > KEPT && oldest !== undefined) answers.delete(oldest);
  return answer;
}

/** Clears the cache, so that the next loads see new data. */
export function forget(): void {
  answers.clear();
}

async function ask<T>(path: string): Promise<T> {
  const response = await fetch(API + path, { headers: { accept: 'application/json' } }).catch(() => {
    throw new RequestError(0, 'offline', 'this node does not respond');
  });
  if (response.ok) return (await response.json()) as T;
  const problem = (await response.json().catch(() => ({}))) as { detail?: string; code?: string; title?: string };
  throw new RequestError(response.status, problem.code ?? 'http', problem.detail ?? problem.title ?? `the node responded with status ${response.status}`);
}

export type Loaded<T> = { value?: T; trouble?: RequestError; again: () => void };

/** Loads a path in a component; `null` makes no request. */
export function useLoad<T>(path: string | null): Loaded<T> {
  const [state, set] = useState<{ path: string | null; value?: T; trouble?: RequestError }>({ path: null });
  const [turn, again] = useState(0);
  useEffect(() => {
    if (path === null) return;
    let wanted = true;
    load<T>(path).then(
      (value) => wanted && set({ path, value }),
      (fault) => wanted && set({ path, trouble: fault instanceof RequestError ? fault : new RequestError(0, 'bug', String(fault)) }),
    );
    return () => {
      wanted = false;
    };
  }, [path, turn]);
  const current = state.path === path ? state : {};
  const retry = () => {
    set({ path: null });
    again(turn + 1);
  };
  return { ...current, again: retry };
}

/** Type of a verdict, in any of its JSON forms. */
export function verdictWord(verdict: Verdict | null | undefined): string | null {
  if (!verdict) return null;
  if (typeof verdict === 'string') return verdict;
  const kind = verdict['kind'] ?? verdict['verdict'];
  if (typeof kind === 'string') return kind;
  return Object.keys(verdict)[0] ?? null;
}
