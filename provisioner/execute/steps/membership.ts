/** Invitation, join (or founding), and the confirmation from both ends. */
import { setTimeout as wait } from 'node:timers/promises';
import { Fault } from '#core/errors/fault.ts';
import { confirmIntervalMs, confirmTimeoutMs, joinTimeoutMs, joinWaitSeconds } from '#provisioner/execute/limits.ts';
import { lastWords, mustRun, runScript, stagingOf, type HostRun } from '#provisioner/execute/run.ts';
import { depositScript, joinScript } from '#provisioner/execute/target-scripts.ts';
import { executablePath, manifestPath } from '#provisioner/plan/paths.ts';
import type { Manifest } from '#provisioner/plan/manifest.ts';
import type { StepOf } from '#provisioner/plan/step.ts';
import { readReply, statusSchema } from '#provisioner/sponsor/agent-replies.ts';

/** One single-use invitation, made for this host only. */
export async function makeInvitation(step: StepOf<'make-invitation'>, run: HostRun): Promise<void> {
  if (run.sponsor === null) throw new Fault('RN-PROV-022', `there is no sponsor to invite ${run.label}`);
  run.invitation = await run.sponsor.invite(step.label, run.signal);
}

/** The token goes in on standard input and is forgotten here at once. */
export async function joinMesh(step: StepOf<'join-mesh'>, run: HostRun): Promise<void> {
  const { invitation } = run;
  if (invitation === null) throw new Fault('RN-PROV-022', `there is no invitation for ${run.label}`);
  const argv = ['join', '--token-file', '-', '--json', '--wait', String(joinWaitSeconds), ...run.peers.flatMap((peer) => ['--peer', peer])];
  await enter(run, argv, step.manifest, `${invitation.token}\n`);
  run.invitation = null;
}

/** The first host of a mesh. */
export async function foundMesh(step: StepOf<'found-mesh'>, run: HostRun): Promise<void> {
  await enter(run, ['init', step.name, '--json'], step.manifest, '');
}

async function enter(run: HostRun, argv: readonly string[], manifest: Manifest | null, stdin: string): Promise<void> {
  const staging = stagingOf(run);
  if (manifest !== null)
    await mustRun(run, 'depositing the manifest', depositScript, [staging, 'manifest.complete'], { stdin: `${JSON.stringify(manifest)}\n` });
  const result = await runScript(run, joinScript, [staging, executablePath, manifestPath, ...argv], { stdin, timeoutMs: joinTimeoutMs });
  if (result.exitCode !== 0) {
    const reply = readReply(result, statusSchema);
    const said = reply.kind === 'refused' ? `${reply.code === null ? '' : `${reply.code}: `}${reply.message}` : lastWords(result);
    throw new Fault('RN-PROV-024', `${run.label} was not admitted: ${said}`, reply.kind === 'refused' && reply.next !== null ? { next: reply.next } : {});
  }
}

/** The host says who it is, the sponsor says whom it sees: the same fingerprint, in the same mesh, and alive. */
export async function confirmMembership(run: HostRun): Promise<void> {
  const deadline = performance.now() + confirmTimeoutMs;
  let last = 'neither end has answered yet';
  while (performance.now() < deadline) {
    const reply = readReply(await run.target.run({ argv: [executablePath, 'status', '--json'], timeoutMs: 30_000, signal: run.signal }), statusSchema);
    if (reply.kind === 'refused') last = `the host says: ${reply.message}`;
    else if (reply.value.state !== 'member' || reply.value.mesh === null) last = `the host is ${reply.value.state}`;
    else {
      const { self, mesh } = reply.value;
      run.joined = { fingerprint: self.fingerprint, meshId: mesh.id, meshName: mesh.name };
      if (run.sponsor === null) {
        run.confirmedName = self.name;
        return;
      }
      if (mesh.id !== run.sponsor.meshId)
        throw new Fault(
          'RN-PROV-025',
          `${run.label} is in the mesh ${mesh.name} (${mesh.id.slice(0, 16)}), the sponsor in ${run.sponsor.meshName} (${run.sponsor.meshId.slice(0, 16)})`,
        );
      const seen = await run.sponsor.sees(self.fingerprint, run.signal);
      if (seen?.liveness === 'up') {
        run.confirmedName = seen.name;
        return;
      }
      last = seen === null ? `the sponsor lists nobody with the fingerprint ${self.fingerprint}` : `the sponsor sees it ${seen.liveness}`;
    }
    await wait(confirmIntervalMs, undefined, { signal: run.signal });
  }
  throw new Fault('RN-PROV-025', `${run.label} and ${run.sponsor?.where ?? 'itself'} did not confirm each other within ${confirmTimeoutMs / 1000} s: ${last}`);
}
