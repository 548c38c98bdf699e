/**
 * The member that vouches for new hosts: it makes one invitation per host, says afterwards who is in the mesh, and takes
 * an invitation back. Spoken to only through its command line, here or over SSH. Only a voter can invite; today that is the founder.
 */
import type { z } from 'zod';
import { Fault } from '#core/errors/fault.ts';
import type { Session } from '#provisioner/ssh/session.ts';
import { invitationSchema, nodesSchema, readReply, statusSchema, type AgentInvitation, type AgentStatus, type Reply } from './agent-replies.ts';

/** How long an invitation lives; the run itself takes about a minute. */
const invitationLife = '1h';

export class Sponsor {
  readonly where: string;
  readonly status: AgentStatus;
  /** Where targets reach it, as far as known (null: on this machine); a help where multicast is blocked. */
  readonly address: string | null;
  readonly port: number;
  readonly #session: Session;
  readonly #program: string;

  private constructor(session: Session, program: string, status: AgentStatus, address: string | null, port: number) {
    this.where = session.where;
    this.status = status;
    this.address = address;
    this.port = port;
    this.#session = session;
    this.#program = program;
  }

  /** The member behind `session`; a fault that says what is missing when it is none. `session` must be allowed to use the agent's socket. */
  static async at(session: Session, options: { readonly program?: string; readonly address?: string | null } = {}): Promise<Sponsor> {
    const program = options.program ?? 'robonet';
    const reply = readReply(await session.run({ argv: [program, 'status', '--json'], timeoutMs: 30_000 }), statusSchema);
    if (reply.kind === 'refused') throw new Fault('RN-PROV-022', `no usable agent answers on ${session.where}: ${reply.message}`);
    const { state, mesh, self } = reply.value;
    if (mesh === null || (state !== 'member' && state !== 'contested'))
      throw new Fault('RN-PROV-022', `the agent on ${session.where} is ${state}, not a member of a mesh`);
    const port = /:(\d{1,5})$/.exec(self.address ?? '')?.[1] ?? '7411';
    return new Sponsor(session, program, reply.value, options.address ?? null, Number(port));
  }

  get meshId(): string {
    return this.status.mesh?.id ?? '';
  }

  get meshName(): string {
    return this.status.mesh?.name ?? '';
  }

  async invite(label: string, signal?: AbortSignal): Promise<AgentInvitation> {
    const argv = ['invite', '--role', 'member', '--uses', '1', '--expires', invitationLife, '--label', label];
    const reply = await this.#ask(argv, invitationSchema, signal);
    if (reply.kind === 'refused')
      throw new Fault('RN-PROV-023', `${this.where} made no invitation for ${label}: ${reply.message}`, {
        ...(reply.next === null ? {} : { next: reply.next }),
        // Waiting helps against some refusals only; the sponsor knows against which.
        ...(reply.retry === null ? {} : { retry: reply.retry }),
      });
    return reply.value;
  }

  /** Taking back is best effort: an unused invitation expires by itself within the hour. */
  async revoke(tokenId: string): Promise<boolean> {
    const result = await this.#session.run({ argv: [this.#program, 'invite', 'revoke', tokenId, '--json'], timeoutMs: 20_000 });
    return result.exitCode === 0;
  }

  /** How the member with this fingerprint is seen from here; null when it is not listed. */
  async sees(fingerprint: string, signal?: AbortSignal): Promise<{ readonly name: string; readonly liveness: string } | null> {
    const reply = await this.#ask(['nodes'], nodesSchema, signal);
    if (reply.kind === 'refused') throw new Fault('RN-PROV-022', `${this.where} does not list its mesh: ${reply.message}`);
    return reply.value.nodes.find((node) => node.fingerprint === fingerprint) ?? null;
  }

  /** Remove a member whose host is gone or was refused at the last moment. */
  async forget(name: string): Promise<boolean> {
    const result = await this.#session.run({ argv: [this.#program, 'node', 'forget', name, '--json'], timeoutMs: 20_000 });
    return result.exitCode === 0;
  }

  async #ask<Value>(argv: readonly string[], schema: z.ZodType<Value>, signal?: AbortSignal): Promise<Reply<Value>> {
    return readReply(await this.#session.run({ argv: [this.#program, ...argv, '--json'], timeoutMs: 45_000, signal }), schema);
  }
}
