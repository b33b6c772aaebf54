// Starts what the tests look at: the demonstration with its three nodes, a node of a publisher whose
// name is a script and who has figures of the whole world, and an empty one. Ends them afterwards.
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const EVIL = '<script>alert("owned")</script><img src=x onerror=alert(1)>';
const SCENE_MILLIS = 180_000;

export interface Stage {
  /** Nodes of the demonstration: office, rival who falsified a figure, university. */
  office: Actor;
  rival: Actor;
  university: Actor;
  /** The figures of the whole world, by the publisher whose name is a script. */
  world: Actor;
  empty: Actor;
  /** A publisher who stated data without a document, published figures of them, and retracted the release. */
  withdrawn: Actor;
}

export interface Actor {
  api: string;
  publisher: string;
  data: string;
}

/** A folder, and what runs in it; gone when it is put down, and also when the tests are killed. */
export interface Scene {
  dir: string;
  children: ChildProcess[];
  add: (child: ChildProcess) => void;
  down: () => Promise<void>;
}

export function scene(): Scene {
  const dir = mkdtempSync(join(tmpdir(), 'assay-dashboard-'));
  const children: ChildProcess[] = [];
  // The watcher has a group of its own, so that what ends the tests does not end it.
  const watcher = spawn(process.execPath, [fileURLToPath(new URL('watch.mjs', import.meta.url))], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  watcher.unref();
  watcher.stdin.write(`dir ${dir}\n`);
  const add = (child: ChildProcess) => {
    children.push(child);
    watcher.stdin.write(`id ${child.pid}\n`);
  };
  const down = async () => {
    const alive = children.filter((child) => child.exitCode === null && child.signalCode === null);
    const ended = alive.map((child) => new Promise((end) => child.once('exit', end)));
    // Each is the leader of a group of its own, with the nodes that it started.
    for (const child of alive) if (child.pid) process.kill(-child.pid, 'SIGINT');
    await Promise.all(ended);
    rmSync(dir, { recursive: true, force: true });
    watcher.stdin.end('done\n');
  };
  return { dir, children, add, down };
}

export default async function setup(): Promise<() => Promise<void>> {
  const here = scene();
  try {
    const demo = run(here, ['--json', 'demo', '--keep']);
    const world = await wide(here, join(here.dir, 'world'), here.dir);
    const empty = await node(here, join(here.dir, 'empty'), null);
    const withdrawn = await withdrawing(here, join(here.dir, 'withdrawn'), here.dir);
    const told = (await document(demo, (value) => 'nodes' in value)) as { nodes: Actor[] };
    const [office, rival, university] = told.nodes as [Actor, Actor, Actor];
    const stage: Stage = { office, rival, university, world, empty, withdrawn };
    process.env['ASSAY_STAGE'] = JSON.stringify(stage);
  } catch (fault) {
    await here.down();
    throw fault;
  }
  return here.down;
}

export const stage = (): Stage => JSON.parse(process.env['ASSAY_STAGE'] ?? '{}') as Stage;

function program(): string {
  const path = process.env['ASSAY_BIN'];
  if (!path) throw new Error('ASSAY_BIN names the program under test');
  return path;
}

/** Runs a verb to its end. */
export function assay(data: string, ...args: string[]): string {
  return execFileSync(program(), ['--data', data, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function run(here: Scene, args: string[]): ChildProcess {
  const child = spawn(program(), args, { detached: true, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, TMPDIR: here.dir } });
  here.add(child);
  return child;
}

/** Waits for a document on stdout: one line, or many up to here. */
function document(child: ChildProcess, wanted: (value: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
  return new Promise((found, failed) => {
    let text = '';
    const late = setTimeout(() => failed(new Error(`nothing but this was said in time: ${text}`)), SCENE_MILLIS);
    child.once('exit', (code) => failed(new Error(`it ended (${code}) after: ${text}`)));
    child.stdout?.on('data', (bytes: Buffer) => {
      text += bytes.toString();
      for (const part of [text, ...text.split('\n')]) {
        try {
          const value = JSON.parse(part) as Record<string, unknown>;
          if (!wanted(value)) continue;
          clearTimeout(late);
          found(value);
          return;
        } catch {
          // Not whole yet.
        }
      }
    });
  });
}

export async function node(here: Scene, data: string, name: string | null): Promise<Actor> {
  if (name !== null) assay(data, 'init', '--name', name);
  const child = run(here, ['--data', data, '--json', 'node', '--api', '127.0.0.1:0', '--listen', '/ip4/127.0.0.1/tcp/0']);
  const started = await document(child, (value) => value['event'] === 'started');
  const api = String(started['api']);
  const status = (await (await fetch(`${api}/api/v1/status`)).json()) as { own: string | null };
  return { api, publisher: status.publisher ?? '', data };
}

export const AREAS =
  'AFG ALB DZA AND AGO ARG ARM AUS AUT AZE BHS BHR BGD BRB BLR BEL BLZ BEN BTN BOL BIH BWA BRA BRN BGR BFA BDI CPV KHM CMR CAN CAF TCD CHL CHN COL COM COG COD CRI CIV HRV CUB CYP CZE DNK DJI DMA DOM ECU EGY SLV GNQ ERI EST SWZ ETH FJI FIN FRA GAB GMB GEO DEU GHA GRC GRD GTM GIN GNB GUY HTI HND HUN ISL IND IDN IRN IRQ IRL ISR ITA JAM JPN JOR KAZ KEN KIR KOR KWT KGZ LAO LVA LBN LSO LBR LBY LIE LTU LUX MDG MWI MYS MDV MLI MLT MHL MRT MUS MEX FSM MDA MCO MNG MNE MAR MOZ MMR NAM NRU NPL NLD NZL NIC NER NGA MKD NOR OMN PAK PLW PAN PNG PRY PER PHL POL PRT QAT ROU RUS RWA KNA LCA VCT WSM SMR STP SAU SEN SRB SYC SLE SGP SVK SVN SLB SOM ZAF SSD ESP LKA SDN SUR SWE CHE SYR TJK TZA THA TLS TGO TON TTO TUN TUR TKM TUV UGA UKR ARE GBR USA URY UZB VUT VEN VNM YEM ZMB ZWE'.split(' ');
const [FIRST, LAST] = [1960, 2024];

/** A price index that no office published, of every country; a few have none before 1995. */
function prices(): string {
  const rows = ['REF_AREA,TIME_PERIOD,OBS_VALUE'];
  AREAS.forEach((area, place) => {
    let index = 10 + (place % 7);
    for (let year = FIRST; year <= LAST; year++) {
      index *= 1 + ((place * 37 + (year - FIRST) * 13) % 90) / 1000 - 0.006;
      if (place % 9 !== 3 || year >= 1995) rows.push(`${area},${year},${index.toFixed(6)}`);
    }
  });
  return `${rows.join('\n')}\n`;
}

const RIVAL = `title = "Inflation against the middle of two years"
indicator = "inflation"
licence = "CC0-1.0"
description = "Change of the index, measured against the mean of both years."
references = ["https://example.org/midpoint"]

[inputs.CPI]
title = "Consumer price index"
identifiers = ["REF_AREA", "TIME_PERIOD:time_period"]
measures = ["OBS_VALUE:number"]

[outputs.INFLATION]
title = "Inflation against the middle"
unit = "per cent a year"

[deviates_from]
recipe = "inflation/cpi-annual"
reasons = ["A rise and a fall of one size cancel out."]
`;

const TWO = `title = "Inflation, and the factor"
indicator = "inflation"
licence = "CC0-1.0"
description = "Two outputs of one run, measured differently."

[inputs.CPI]
title = "Consumer price index"
identifiers = ["REF_AREA", "TIME_PERIOD:time_period"]
measures = ["OBS_VALUE:number"]

[outputs.FACTOR]
title = "The factor"
unit = "factor"

[outputs.RATE]
title = "The rate"
unit = "per cent"

[deviates_from]
recipe = "inflation/cpi-annual"
reasons = ["The factor is given too."]
`;

async function wide(here: Scene, data: string, dir: string): Promise<Actor> {
  const file = join(dir, 'cpi.csv');
  writeFileSync(file, prices());
  writeFileSync(join(dir, 'middle.toml'), RIVAL);
  writeFileSync(join(dir, 'middle.vtl'), 'before := timeshift(CPI, 1);\nINFLATION <- round((CPI - before) / ((CPI + before) / 2) * 100, 6);\n');
  const actor = await node(here, data, EVIL);
  assay(data, 'import', 'csv', file, '--dataflow', 'CPI', '--title', 'Consumer price index', '--licence', 'CC0-1.0', '--force');
  assay(data, 'publish', 'inflation/cpi-annual', '--input', 'CPI=CPI', '--dataflow', 'inflation', '--vintage', 'first');
  assay(data, 'publish', join(dir, 'middle.toml'), '--input', 'CPI=CPI', '--dataflow', 'middle');
  writeFileSync(join(dir, 'two.toml'), TWO);
  writeFileSync(join(dir, 'two.vtl'), 'FACTOR <- round(CPI / timeshift(CPI, 1), 8);\nRATE <- round((FACTOR - 1) * 100, 3);\n');
  assay(data, 'publish', join(dir, 'two.toml'), '--input', 'CPI=CPI', '--dataflow', 'two');
  return actor;
}

async function withdrawing(here: Scene, data: string, dir: string): Promise<Actor> {
  const file = join(dir, 'stated.csv');
  writeFileSync(file, 'REF_AREA,TIME_PERIOD,OBS_VALUE\nTUR,2018,100\nTUR,2019,120\nTUR,2020,130\n');
  const actor = await node(here, data, 'Office of Withdrawn Figures');
  assay(data, 'import', 'csv', file, '--stated', '--dataflow', 'CPI', '--title', 'Consumer price index', '--licence', 'CC0-1.0', '--force');
  assay(data, 'publish', 'inflation/cpi-annual', '--input', 'CPI=CPI', '--dataflow', 'inflation');
  assay(data, 'retract', `assay://${actor.publisher}/inflation`, '--reason', 'a row was read twice');
  return actor;
}
