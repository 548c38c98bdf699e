/** Measures what `doctor` needs: the multicast probe, TCP attempts, the disk. The judging is in examine.ts. */
import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { LastEnd } from '#agent/api/last-end.ts';
import type { Discovery } from '#agent/discovery/discovery.ts';
import { type Attempt, type DiskFacts, examine } from '#agent/doctor/examine.ts';
import { reach } from '#agent/doctor/reach.ts';
import type { DoctorReport } from '#agent/doctor/report.ts';
import { messageOf } from '#core/node/command-line/report.ts';
import { parseHostPort } from '#core/terminal/address.ts';
import type { StatusView } from '#mesh/swarm/views.ts';

const PROBE_MS = 2_500;
const REACH_MS = 3_000;
const ATTEMPTS_MAX = 128;

export interface DoctorInputs {
  readonly selfName: string;
  readonly discovery: Discovery;
  readonly discoveryEnabled: boolean;
  readonly status: (() => StatusView) | null;
  /** Round trip over the link with a member; rejects where there is none. */
  readonly ping: ((aid: string) => Promise<{ readonly rttMs: number }>) | null;
  /** Typed now and configured addresses. */
  readonly peers: readonly string[];
  readonly portDefault: number;
  readonly stateDirectory: string;
  /** What ended the agent, where it is not running. */
  readonly ended?: LastEnd | undefined;
  readonly binding: string | null;
}

/** Everything at once; takes about as long as its slowest part. */
export async function runDoctor(inputs: DoctorInputs): Promise<DoctorReport> {
  const began = performance.now();
  const [probe, attempts] = await Promise.all([inputs.discoveryEnabled ? inputs.discovery.probe(PROBE_MS) : null, attemptAll(inputs)]);
  const findings = examine({
    selfName: inputs.selfName,
    verdicts: inputs.discovery.verdicts(),
    probe,
    attempts,
    disk: examineDisk(inputs.stateDirectory),
    status: inputs.status?.() ?? null,
    ended: inputs.ended ?? null,
    binding: inputs.binding,
    wallYear: new Date().getUTCFullYear(),
  });
  return { findings, tookMs: Math.round(performance.now() - began) };
}

function attemptAll(inputs: DoctorInputs): Promise<readonly Attempt[]> {
  const members = (inputs.status?.().nodes ?? []).flatMap((node) => {
    const place = node.self || node.address === null ? undefined : placeOf(node.address, inputs.portDefault);
    return place === undefined ? [] : [{ subject: node.name, fingerprint: node.fingerprint, aid: node.aid, up: node.liveness === 'up', ...place }];
  });
  const known = new Set(members.map(({ host, port }) => `${host} ${String(port)}`));
  const typed = inputs.peers.flatMap((text) => {
    const place = placeOf(text, inputs.portDefault);
    return place === undefined || known.has(`${place.host} ${String(place.port)}`)
      ? []
      : [{ subject: text, fingerprint: null, aid: null, up: false, ...place }];
  });
  return Promise.all(
    [...members, ...typed].slice(0, ATTEMPTS_MAX).map(async ({ subject, fingerprint, aid, up, host, port }) => {
      const [outcome, linkMs] = await Promise.all([reach(host, port, REACH_MS), aid !== null && up ? roundTrip(inputs, aid) : null]);
      return { subject, fingerprint, host, port, reach: outcome, linkMs };
    }),
  );
}

async function roundTrip(inputs: DoctorInputs, aid: string): Promise<number | null> {
  // A link that is dying has not noticed yet: its answer is not waited for longer than a TCP attempt.
  const patience = new Promise<null>((resolve) => {
    setTimeout(() => {
      resolve(null);
    }, REACH_MS).unref();
  });
  try {
    return (await Promise.race([inputs.ping?.(aid), patience]))?.rttMs ?? null;
  } catch (error) {
    if (error instanceof Error) return null; // no link: the TCP attempt says why
    throw error;
  }
}

function placeOf(text: string, portDefault: number): { host: string; port: number } | undefined {
  const place = parseHostPort(text);
  return place.kind === 'value' ? { host: place.value.host, port: place.value.port ?? portDefault } : undefined;
}

function examineDisk(directory: string): DiskFacts {
  const probe = join(directory, '.doctor');
  if (!existsSync(directory)) return { path: directory, exists: false, fault: null, freeBytes: null, fsyncMs: null };
  let freeBytes: number | null = null;
  try {
    const space = statfsSync(directory);
    freeBytes = space.bavail * space.bsize;
    const began = performance.now();
    const file = openSync(probe, 'w', 0o600);
    try {
      writeSync(file, Buffer.alloc(4_096));
      fsyncSync(file);
    } finally {
      closeSync(file);
      rmSync(probe, { force: true });
    }
    return { path: directory, exists: true, fault: null, freeBytes, fsyncMs: performance.now() - began };
  } catch (error) {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
    return { path: directory, exists: true, fault: { code, text: messageOf(error) }, freeBytes, fsyncMs: null };
  }
}
