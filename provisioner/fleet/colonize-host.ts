/** One host from first contact to member: connect, inspect, judge, plan, execute. Its outcome is a value; nothing it meets stops another host. */
import { Fault, isFault } from '#core/errors/fault.ts';
import type { AgentImages } from '#provisioner/agents/agent-images.ts';
import type { EscrowStore } from '#provisioner/escrow/escrow-store.ts';
import { execute } from '#provisioner/execute/execute.ts';
import type { HostRun, Progress } from '#provisioner/execute/run.ts';
import { findRootAccess, inspect } from '#provisioner/inspect/inspect.ts';
import { archOf, judge } from '#provisioner/inspect/judge.ts';
import { plan } from '#provisioner/plan/planner.ts';
import type { Sponsor } from '#provisioner/sponsor/sponsor.ts';
import { asRoot } from '#provisioner/ssh/as-root.ts';
import type { SshSession } from '#provisioner/ssh/over-ssh.ts';
import type { Session } from '#provisioner/ssh/session.ts';
import type { HostOutcome } from './outcome.ts';

/** A host of a run, with the ways to reach it already bound. */
export interface FleetHost {
  readonly label: string;
  readonly connect: (signal: AbortSignal) => Promise<SshSession>;
  readonly sudoPassword: () => Promise<string | null>;
}

/** What happens on the way, for the screen. */
export type HostNews = Progress | { readonly kind: 'phase'; readonly text: string };

export interface ColonizeOptions {
  readonly images: AgentImages;
  readonly sponsor: Sponsor | null;
  /** Name of the mesh this host shall found; null to join the sponsor's. */
  readonly found: string | null;
  /** Where next keys are kept on this machine; null to leave them on the devices. */
  readonly escrow: EscrowStore | null;
  readonly dryRun: boolean;
  readonly report: (host: FleetHost, news: HostNews) => void;
  readonly signal: AbortSignal;
  /** Keeps the session of a founder open: it becomes the sponsor of the others. */
  readonly onFounder?: (root: Session, address: string) => void;
}

/** Everything for one host; faults become its outcome. */
export async function colonizeHost(host: FleetHost, options: ColonizeOptions): Promise<HostOutcome> {
  const began = performance.now();
  let session: SshSession | null = null;
  const base = (): { label: string; address: string | null; seconds: number } => ({
    label: host.label,
    address: session?.address ?? null,
    seconds: (performance.now() - began) / 1000,
  });
  let keep = false;
  try {
    options.report(host, { kind: 'phase', text: 'connecting' });
    session = await host.connect(options.signal);
    options.report(host, { kind: 'phase', text: 'inspecting' });
    const access = await findRootAccess(session, host.sudoPassword, options.signal);
    const root = asRoot(session, access);
    const facts = await inspect(session, access, options.signal);
    const founded = options.found !== null && facts.agent?.state === 'member' && facts.agent.meshName === options.found;
    const meshId = founded ? (facts.agent?.meshId ?? null) : (options.sponsor?.meshId ?? null);
    const arch = archOf(facts.machine);
    const image = arch === null ? null : await options.images.describe(arch).catch((error: unknown) => (isFault(error) ? error : Promise.reject(error)));
    const verdict = judge(facts, { meshId, agentBytes: image === null || image instanceof Fault ? null : image.bytes });
    if (verdict.kind === 'refused') throw new Fault(verdict.code, `${host.label}: ${verdict.message}`);
    if (verdict.kind === 'member') {
      if (options.found !== null && options.onFounder !== undefined) {
        keep = true;
        options.onFounder(root, session.address);
      }
      return { ...base(), kind: 'already-member', fingerprint: verdict.fingerprint, meshName: verdict.meshName };
    }
    if (image instanceof Fault) throw image;
    if (image === null) throw new Fault('RN-PROV-012', `${host.label}: the processor is ${facts.machine}`);
    for (const text of verdict.warnings) options.report(host, { kind: 'warning', text });
    const steps = plan(facts, {
      label: host.label,
      image,
      escrow: options.escrow?.folder ?? null,
      way: options.found === null ? { kind: 'join', meshId: meshId ?? '' } : { kind: 'found', name: options.found },
    });
    if (options.dryRun) return { ...base(), kind: 'planned', steps, warnings: verdict.warnings };
    const run: HostRun = {
      label: host.label,
      target: root,
      sponsor: options.found === null ? options.sponsor : null,
      peers: peersFor(options.sponsor, session),
      openImage: (wanted) => options.images.open(wanted),
      report: (progress) => options.report(host, progress),
      signal: options.signal,
      escrow: options.escrow,
      warnings: [...verdict.warnings],
      staging: null,
      invitation: null,
      joined: null,
      confirmedName: null,
      escrowed: null,
    };
    await execute(steps, run);
    if (run.joined === null) throw new Fault('RN-PROV-025', `${host.label} was not confirmed`);
    if (options.found !== null && options.onFounder !== undefined) {
      keep = true;
      options.onFounder(root, session.address);
    }
    return {
      ...base(),
      kind: 'joined',
      name: run.confirmedName ?? host.label,
      fingerprint: run.joined.fingerprint,
      meshName: run.joined.meshName,
      escrow: run.escrowed?.path ?? null,
      warnings: run.warnings,
    };
  } catch (error) {
    if (!isFault(error)) throw error;
    return { ...base(), kind: 'failed', fault: error };
  } finally {
    if (!keep) await session?.close();
  }
}

/** Where the target can find the sponsor when multicast is blocked: its own address, or ours when it runs here. */
function peersFor(sponsor: Sponsor | null, session: SshSession): readonly string[] {
  if (sponsor === null) return [];
  const address = sponsor.address ?? session.ownAddress;
  if (address === null || address.startsWith('127.') || address === '::1') return [];
  return [address.includes(':') ? `[${address}]:${sponsor.port}` : `${address}:${sponsor.port}`];
}
