/**
 * What membership costs and how long news takes, measured over one world: the figures of docs/SCALE.md.
 */
import type { Millis } from '#core/time/time.ts';
import { SwimWorld } from './swim-world.ts';

/** The news of one event: when the first and when all others knew; null where not all did in time. */
export interface Spread {
  readonly event: 'process killed' | 'power cut' | 'stopped in order' | 'started again' | 'joined';
  readonly firstMs: Millis;
  readonly allMs: Millis | null;
}

/** See docs/SCALE.md for what each figure means. */
export interface Measured {
  readonly nodes: number;
  readonly seed: string;
  readonly linksMean: number;
  readonly linksMax: number;
  /** Messages per node and second with nothing happening. */
  readonly idlePerSecond: number;
  /** … while one of a hundred machines fails in each minute, and comes back after 20 s. */
  readonly failingPerSecond: number;
  readonly spreads: readonly Spread[];
  /** Members seen as suspect or worse that were there; must be zero without loss. */
  readonly falseSuspicions: number;
  readonly heapBytesPerNode: number;
  /** Virtual seconds per real second while idle. */
  readonly speed: number;
}

/** Measured with a clock and a heap that the caller has. */
export interface Instruments {
  nowMs(): number;
  heapBytes(): number;
}

const SPREAD_MS_MAX = 120_000;
/** Between two events, so that one does not disturb the next. */
const QUIET_MS = 10_000;
/** Worlds of so many members are watched for a shorter time. */
const LARGE = 1_000;

/** Run one world of this size through the events of {@link Spread}. */
export function measure(nodes: number, seed: string, instruments: Instruments): Measured {
  const heapBefore = instruments.heapBytes();
  const world = new SwimWorld({ seed, nodes, settled: true });
  const gone = new Set<string>();
  let falseSuspicions = 0;
  world.onChange = (_, { id, to }) => {
    if (to !== 'up' && !gone.has(id)) falseSuspicions += 1;
  };
  world.run(5_000);
  const realBefore = instruments.nowMs();
  const idle = rate(world, nodes >= LARGE ? 10_000 : 60_000);
  const speed = idle.spanMs / Math.max(1, instruments.nowMs() - realBefore);
  const links = [...world.nodes.values()].map((node) => node.links.size);
  const [a, b, c] = [`n${pad(1)}`, `n${pad(2)}`, `n${pad(3)}`];
  for (const id of [a, b, c]) gone.add(id);
  const spreads = [
    spread(world, 'process killed', a, 'down', () => world.kill(a)),
    spread(world, 'power cut', b, 'down', () => world.powerOff(b)),
    spread(world, 'stopped in order', c, 'stopped', () => world.stop(c, false)),
    spread(world, 'started again', a, 'up', () => world.start(a)),
  ];
  const joining = 'newcomer';
  spreads.push(
    spread(world, 'joined', joining, 'up', () => {
      world.setMembers([...world.directory.ids(), joining]);
      world.begin(joining);
    }),
  );
  const spanMs = nodes > LARGE ? 20_000 : 60_000;
  const failures = Math.max(1, Math.round((nodes * spanMs) / 60_000 / 100));
  const failing = rate(world, spanMs, () => {
    for (let index = 0; index < failures; index += 1) {
      const id = `n${pad(4 + (index * 7 + 4 < nodes ? index * 7 : 0))}`;
      gone.add(id);
      const at = (spanMs * index) / failures;
      world.after(at, () => world.powerOff(id));
      world.after(at + 20_000, () => world.start(id));
    }
  });
  return {
    nodes,
    seed,
    linksMean: links.reduce((sum, count) => sum + count, 0) / nodes,
    linksMax: Math.max(...links),
    idlePerSecond: idle.perNodeSecond,
    failingPerSecond: failing.perNodeSecond,
    spreads,
    falseSuspicions,
    heapBytesPerNode: Math.max(0, Math.round((instruments.heapBytes() - heapBefore) / nodes)),
    speed,
  };
}

function rate(world: SwimWorld, spanMs: Millis, begin: () => void = () => undefined): { readonly perNodeSecond: number; readonly spanMs: Millis } {
  const before = world.messages;
  begin();
  world.run(spanMs);
  return { perNodeSecond: ((world.messages - before) * 1_000) / spanMs / world.nodes.size, spanMs };
}

/** How long until all others see this member so. */
function spread(world: SwimWorld, event: Spread['event'], id: string, wanted: 'down' | 'stopped' | 'up', begin: () => void): Spread {
  const startedAt = world.now;
  let firstMs = Number.NaN;
  const waiting = new Set<string>();
  const before = world.onChange;
  world.onChange = (at, change) => {
    before(at, change);
    if (change.id !== id) return;
    if (change.to !== wanted) {
      waiting.add(at.id);
      return;
    }
    if (Number.isNaN(firstMs)) firstMs = world.now - startedAt;
    waiting.delete(at.id);
  };
  for (const node of world.running) if (node.id !== id && (wanted !== 'up' || node.machine.state(id) !== 'up')) waiting.add(node.id);
  begin();
  const all = world.run(SPREAD_MS_MAX, () => waiting.size === 0);
  const allMs = all ? world.now - startedAt : null;
  world.onChange = before;
  world.run(QUIET_MS);
  return { event, firstMs, allMs };
}

function pad(index: number): string {
  return String(index).padStart(5, '0');
}
