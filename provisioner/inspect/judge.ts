/**
 * May this host be colonized? Pure: facts and wishes in, a verdict with its fault code out. Every refusal says what was
 * found and with which numbers; the catalogue says what to do.
 */
import type { FaultCode } from '#core/errors/fault.ts';
import type { Facts } from './facts.ts';

export type AgentArch = 'x64' | 'arm64';

/** What the run wants from the host. */
export interface Wish {
  /** The mesh it shall belong to; null when the host shall found one. */
  readonly meshId: string | null;
  /** Size of the executable on disk; null while it is not known. */
  readonly agentBytes: number | null;
}

export type Verdict =
  | { readonly kind: 'fit'; readonly arch: AgentArch; readonly warnings: readonly string[] }
  /** Nothing to install: it is a member of the wanted mesh. */
  | { readonly kind: 'member'; readonly fingerprint: string | null; readonly meshName: string | null }
  | { readonly kind: 'refused'; readonly code: FaultCode; readonly message: string };

/** Room beside the executable for its first days of state. */
export const stateBytesFree = 16 * 1024 * 1024;
/** Beyond this the invitation's expiry may be misjudged by a person reading logs; it is only a warning. */
export const clockSkewSecondsNotable = 120;
const glibcMinimum = [2, 28] as const;

/** The processor and userland decide which agent fits; null for none. */
export function archOf(machine: string): AgentArch | null {
  if (machine === 'x86_64' || machine === 'amd64') return 'x64';
  if (machine === 'aarch64' || machine === 'arm64') return 'arm64';
  return null;
}

/** First reason against, or how to go on. */
export function judge(facts: Facts, wish: Wish): Verdict {
  const refuse = (code: FaultCode, message: string): Verdict => ({ kind: 'refused', code, message });
  const arch = archOf(facts.machine);
  if (arch === null) return refuse('RN-PROV-012', `the processor is ${facts.machine}, and there is no agent for it`);
  if (facts.bits === 32) return refuse('RN-PROV-013', `the processor is ${facts.machine} but the system installed is 32-bit`);
  const agent = judgeAgent(facts, wish);
  if (agent !== null) return agent;
  if (facts.glibc === null) return refuse('RN-PROV-016', facts.musl ? 'the system uses the musl C library' : 'no GNU C library was found');
  const [major, minor] = facts.glibc;
  if (major < glibcMinimum[0] || (major === glibcMinimum[0] && minor < glibcMinimum[1]))
    return refuse('RN-PROV-016', `the GNU C library is ${major}.${minor}, and ${glibcMinimum.join('.')} is needed`);
  if (facts.missingLibraries.length > 0)
    return refuse('RN-PROV-016', `${facts.missingLibraries.join(' and ')} ${facts.missingLibraries.length === 1 ? 'is' : 'are'} missing`);
  if (facts.missingTools.length > 0)
    return refuse(
      'RN-PROV-016',
      `the program${facts.missingTools.length === 1 ? '' : 's'} ${facts.missingTools.join(', ')} needed for the transfer ${facts.missingTools.length === 1 ? 'is' : 'are'} missing`,
    );
  for (const [place, folder] of [
    ['programs', '/usr/local/bin'],
    ['state', '/var/lib'],
  ] as const)
    if (!facts.disks[place].writable) return refuse('RN-PROV-015', `${folder} cannot be written: its file system is read-only`);
  const needed = (wish.agentBytes ?? 0) + stateBytesFree;
  const free = facts.disks.programs.freeKib * 1024;
  if (free < needed) return refuse('RN-PROV-014', `/usr/local/bin has ${mib(free)} free, and ${mib(needed)} are needed (${mib(needed - free)} short)`);
  const stateFree = facts.disks.state.freeKib * 1024;
  if (stateFree < stateBytesFree) return refuse('RN-PROV-014', `/var/lib has ${mib(stateFree)} free, and ${mib(stateBytesFree)} are needed`);
  return { kind: 'fit', arch, warnings: warningsOf(facts) };
}

function judgeAgent(facts: Facts, wish: Wish): Verdict | null {
  const { agent, manifest } = facts;
  if (agent === null) return null;
  if (!agent.running) {
    // Half a run of ours may be taken up again; anything else that is stopped is somebody's decision.
    const ours = manifest?.state === 'begun' && !agent.ledger;
    return ours || (manifest === null && !agent.ledger && facts.leftovers.length > 0)
      ? null
      : { kind: 'refused', code: 'RN-PROV-018', message: 'an agent is installed but does not answer' };
  }
  const name = agent.meshName ?? agent.meshId?.slice(0, 16) ?? 'unknown';
  switch (agent.state) {
    case 'unjoined':
      return null;
    case 'lobby':
    case 'joining':
      return agent.meshId !== null && agent.meshId !== wish.meshId
        ? { kind: 'refused', code: 'RN-PROV-017', message: `its agent waits for admission to the mesh "${name}"` }
        : { kind: 'refused', code: 'RN-PROV-036', message: `its agent (${agent.fingerprint ?? 'unknown'}) waits for approval by itself` };
    default:
      return agent.meshId !== null && agent.meshId === wish.meshId
        ? { kind: 'member', fingerprint: agent.fingerprint, meshName: agent.meshName }
        : { kind: 'refused', code: 'RN-PROV-017', message: `its agent belongs to the mesh "${name}" (${agent.state ?? 'state unknown'})` };
  }
}

function warningsOf(facts: Facts): readonly string[] {
  const warnings: string[] = [];
  const skew = Math.abs(facts.clockSkewSeconds);
  if (skew > clockSkewSecondsNotable) warnings.push(`its clock is ${skew} s ${facts.clockSkewSeconds > 0 ? 'ahead' : 'behind'}; set up time synchronisation`);
  if (facts.init !== 'systemd') warnings.push(`its init is ${facts.init}: the agent runs as a supervised process and does not start by itself after a reboot`);
  if (facts.memoryKib !== null && facts.memoryKib < 400_000)
    warnings.push(`it has ${mib(facts.memoryKib * 1024)} of memory; the agent needs about 60 MiB of them`);
  return warnings;
}

function mib(bytes: number): string {
  return `${Math.ceil(bytes / 1_048_576)} MiB`;
}
