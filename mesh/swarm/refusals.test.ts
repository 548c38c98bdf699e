/**
 * The contract of protocol.md §2.16: every refusal code can be provoked, is told to the other end in a REJECT or BYE, and
 * stands in the diary of the node that refuses. One row per code; a code without a row fails.
 */
import { describe, expect, test } from 'vitest';
import { concat, fromHex, utf8 } from '#core/bytes/bytes.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { parseToken, tokenPsk } from '#mesh/admission/token.ts';
import { type Checkpoint, encodeCheckpoint, NO_POSITION } from '#mesh/hcth/checkpoint.ts';
import { createIdentity, IDENTITY_RANDOM_BYTES } from '#mesh/hcth/create-identity.ts';
import type { Identity } from '#mesh/hcth/identity-file.ts';
import { LABELS } from '#mesh/hcth/labels.ts';
import { signObject } from '#mesh/hcth/signed-object.ts';
import { SESSION_LIMITS } from '#mesh/session/limits.ts';
import { writeChecksum } from '#mesh/wire/header.ts';
import { FLAG, MESSAGE_TYPE } from '#mesh/wire/message-type.ts';
import type { Hello } from '#mesh/wire/message.ts';
import { type RefusalCode, refusalCodes } from '#mesh/wire/refusal.ts';
import { Outlaw, type OutlawOptions } from './outlaw-for-tests.ts';
import { helloBody, rejectedWith, strangeFrame } from './strange-frames-for-tests.ts';
import type { EventRecord, Invitation } from './views.ts';
import { World, type WorldNode } from './world.ts';

const crypto = createNodeCrypto();

/** What the other end was told, and what the refusing node wrote down. */
interface Provoked {
  readonly told: string | null | undefined;
  readonly events: readonly EventRecord[];
}

// --- a mesh, and those who misbehave towards it ----------------------------------------------------------------------

class Stage {
  readonly world = new World(crypto);
  readonly founder: WorldNode;

  constructor(admission: 'approve' | 'closed' = 'approve') {
    this.founder = this.world.add('founder');
    this.ask(this.founder, { kind: 'found', options: { name: 'attic', admission, trustProfile: 'lab' } });
  }

  ask(node: WorldNode, command: Parameters<World['command']>[1]): unknown {
    const answer = node.replies.get(this.world.command(node, command));
    if (answer?.kind !== 'done') throw new Error(JSON.stringify(answer));
    return answer.value;
  }

  get tag(): Uint8Array {
    return fromHex(this.founder.swarm!.status().mesh!.tag)!;
  }

  invite(expiresInMs = 3_600_000): Invitation {
    return this.ask(this.founder, { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs, label: null } }) as Invitation;
  }

  member(name = 'device'): WorldNode {
    const device = this.world.add(name);
    this.world.command(device, { kind: 'join', options: { mode: 'token', token: this.invite().token, peers: [] } });
    this.world.hint(device, this.founder, this.founder.swarm!.status().mesh!.tag);
    this.world.runUntil(() => this.founder.swarm!.status().nodes.some((node) => node.aid === device.text && node.liveness === 'up'), 5_000);
    this.world.run(500);
    return device;
  }

  stranger(): Identity {
    const binding = { kind: 'none', digest: new Uint8Array(32), secret: new Uint8Array(32), facts: new Map<string, string>() } as const;
    return createIdentity(crypto, this.world.entropy(IDENTITY_RANDOM_BYTES), binding).identity;
  }

  /** Somebody who speaks the protocol until authenticated. */
  outlaw(identity: Identity, more: Partial<OutlawOptions> = {}): Outlaw {
    return new Outlaw(this.world, this.founder, { identity, meshTag: this.tag, ...more }).run();
  }

  /** A member whose machine was taken over, with its link open. */
  turned(more: Partial<OutlawOptions> = {}): Outlaw {
    const device = this.member();
    this.world.kill(device);
    this.world.run(100);
    return this.outlaw(device.identity, { incarnation: 2, ...more });
  }

  /** Raw bytes on a new connection, and what came back. */
  write(...pieces: readonly Uint8Array[]): Provoked {
    const line = this.world.stranger(this.founder);
    for (const piece of pieces) {
      line.write(piece);
      this.world.run(100);
    }
    return { told: rejectIn(line.received), events: this.founder.events };
  }

  end(outlaw: Outlaw): Provoked {
    return { told: outlaw.ending?.by === 'peer' ? outlaw.ending.code : `nothing but ${JSON.stringify(outlaw.ending)}`, events: this.founder.events };
  }
}

const rejectIn = (received: readonly Uint8Array[]): string | undefined => rejectedWith(crypto, received);
const frame = (type: number, payload: Uint8Array, sequence = 0, flags = 0): Uint8Array => strangeFrame(crypto, type, payload, { sequence, flags });
const greeting = (changes: Partial<Hello> = {}): Uint8Array => frame(MESSAGE_TYPE.HELLO, helloBody(changes));

function changed(at: number, value: number, mend = true): Uint8Array {
  const bytes = greeting();
  bytes[at] = value;
  if (mend) writeChecksum(crypto, bytes);
  return bytes;
}

/** A checkpoint of the outlaw for where it stands, with changes. */
function checkpoint(stage: Stage, outlaw: Outlaw, change: Partial<Checkpoint>, key = LABELS.checkpoint as 'HCTH1:ck'): ReturnType<typeof signObject> {
  const { sending } = outlaw.session.link!;
  const { self } = outlaw;
  const body = encodeCheckpoint({
    from: self.aid,
    to: stage.founder.identity.established.aid,
    incarnation: sending.incarnation,
    nonce: sending.nonce,
    sequence: sending.sequence,
    head: sending.head,
    acknowledged: NO_POSITION,
    echo: new Uint8Array(16),
    slot: 0,
    ...change,
  });
  return signObject(crypto, self.signKey, key, body);
}

function withToken(stage: Stage, invitation: Invitation, tokenId?: Uint8Array): OutlawOptions {
  const parsed = parseToken(invitation.token);
  if (parsed.kind !== 'token') throw new Error(parsed.why);
  return { identity: stage.stranger(), meshTag: stage.tag, mode: 1, tokenId: tokenId ?? parsed.token.tokenId, psk: tokenPsk(crypto, parsed.token) };
}

// --- one way to each code --------------------------------------------------------------------------------------------

const PROVOKED: Readonly<Record<RefusalCode, () => Provoked>> = {
  FRAME_MAGIC: () => new Stage().write(utf8('GET / HTTP/1.1\r\n\r\n')),
  FRAME_VERSION: () => new Stage().write(changed(2, 9)),
  FRAME_TYPE: () => new Stage().write(frame(0x7f, new Uint8Array(4))),
  FRAME_CRC: () => new Stage().write(changed(30, 0xff, false)),
  FRAME_SIZE: () => new Stage().write(changed(16, 1)),
  FRAME_FLAGS: () => new Stage().write(frame(MESSAGE_TYPE.HELLO, helloBody(), 0, 0x40)),
  AEAD_FAIL: () => new Stage().write(frame(MESSAGE_TYPE.HELLO, new Uint8Array(40), 0, FLAG.ENC)),
  SEQ: () => new Stage().write(frame(MESSAGE_TYPE.HELLO, helloBody(), 5)),
  RMP_INVALID: () => new Stage().write(frame(MESSAGE_TYPE.HELLO, Uint8Array.of(0xc0))),
  VERSION_FLOOR: () => new Stage().write(greeting({ versions: [7] })),
  MESH_MISMATCH: () => new Stage().write(greeting({ meshTag: new Uint8Array(8).fill(3), mode: 0 })),
  HS_FAIL: () => new Stage().write(greeting(), frame(MESSAGE_TYPE.HS1, new Uint8Array(32), 1)),
  HS_TIMEOUT: () => {
    const stage = new Stage();
    const line = stage.world.stranger(stage.founder);
    line.write(greeting().subarray(0, 10));
    stage.world.run(6_000);
    return { told: rejectIn(line.received), events: stage.founder.events };
  },
  // From many addresses: one address alone is closed without a word, which costs less (§2.15).
  RATE_LIMIT: () => {
    const stage = new Stage();
    const lines = Array.from({ length: 20 }, (_, index) => stage.world.stranger(stage.founder, `10.0.8.${index}`));
    for (const line of lines) line.write(greeting());
    for (const line of lines) line.write(frame(MESSAGE_TYPE.HS1, crypto.dhKey(stage.world.entropy(32)).publicKey, 1));
    stage.world.run(50);
    return { told: lines.map((line) => rejectIn(line.received)).find((code) => code !== undefined), events: stage.founder.events };
  },
  TOKEN_BAD: () => {
    const stage = new Stage();
    return stage.end(new Outlaw(stage.world, stage.founder, withToken(stage, stage.invite(), new Uint8Array(8).fill(9))).run());
  },
  TOKEN_EXPIRED: () => {
    const stage = new Stage();
    const invitation = stage.invite(60_000);
    stage.world.run(61_000);
    return stage.end(new Outlaw(stage.world, stage.founder, withToken(stage, invitation)).run());
  },
  TOKEN_USED: () => {
    const stage = new Stage();
    const invitation = stage.invite();
    new Outlaw(stage.world, stage.founder, withToken(stage, invitation)).run(100);
    return stage.end(new Outlaw(stage.world, stage.founder, withToken(stage, invitation)).run(100));
  },
  LOBBY_FULL: () => {
    const stage = new Stage();
    for (let index = 0; index < 16; index += 1) {
      // Each from a machine of its own: one machine alone is refused long before the list is full (A-27 has its own test).
      expect(stage.outlaw(stage.stranger(), { mode: 2, host: `10.0.8.${index + 1}` }).isOpen).toBe(true);
      stage.world.run(7_000);
    }
    return stage.end(stage.outlaw(stage.stranger(), { mode: 2, host: '10.0.8.99' }));
  },
  APPROVAL_DENIED: () => {
    const stage = new Stage();
    const outlaw = stage.outlaw(stage.stranger(), { mode: 2 });
    const [request] = stage.founder.swarm!.status().requests;
    stage.ask(stage.founder, { kind: 'deny', fingerprint: request!.fingerprint, reason: 'not ours' });
    return stage.end(outlaw.run());
  },
  QUORUM_UNREACHABLE: () => {
    const stage = new Stage();
    const device = stage.member();
    const outlaw = new Outlaw(stage.world, device, withToken(stage, stage.invite())).run();
    return { ...stage.end(outlaw), events: device.events };
  },
  NOT_PERMITTED: () => {
    const stage = new Stage();
    return stage.end(stage.outlaw(stage.stranger()));
  },
  IDENTITY_BAD: () => {
    const stage = new Stage();
    const device = stage.member();
    stage.world.kill(device);
    stage.world.run(100);
    return stage.end(stage.outlaw({ ...device.identity, signKey: stage.stranger().signKey }, { incarnation: 2 }));
  },
  IDENTITY_STALE: () => {
    const stage = new Stage();
    return stage.end(stage.turned({ incarnation: 1 }));
  },
  IDENTITY_CONTESTED: () => {
    const stage = new Stage();
    const device = stage.member();
    return stage.end(stage.outlaw(device.identity, { incarnation: 2 }).run(3_000));
  },
  IDENTITY_BARRED: () => {
    const stage = new Stage();
    const device = stage.member();
    stage.world.kill(device);
    stage.ask(stage.founder, { kind: 'forget', who: 'device' });
    return stage.end(stage.outlaw(device.identity, { incarnation: 2 }));
  },
  DUP_CONN: () => {
    const stage = new Stage();
    const identity = stage.stranger();
    const first = stage.outlaw(identity, { mode: 2 });
    stage.outlaw(identity, { mode: 2, incarnation: 2 });
    return stage.end(first.run());
  },
  CHAIN_MISMATCH: () => {
    const stage = new Stage();
    const outlaw = stage.turned();
    return stage.end(outlaw.send({ kind: 'ckpt', checkpoint: checkpoint(stage, outlaw, { sequence: 900 }) }).run());
  },
  CHALLENGE_STALE: () => {
    const stage = new Stage();
    const outlaw = stage.turned();
    return stage.end(outlaw.send({ kind: 'ckpt', checkpoint: checkpoint(stage, outlaw, { echo: new Uint8Array(16).fill(7) }) }).run());
  },
  EQUIVOCATION: () => {
    const stage = new Stage();
    const outlaw = stage.turned();
    outlaw.send({ kind: 'ping', id: 1, challenge: new Uint8Array(16) }).run(); // the place before the first frame is not one
    const { sequence } = outlaw.session.link!.sending;
    const [one, two] = [checkpoint(stage, outlaw, {}), checkpoint(stage, outlaw, { sequence, head: new Uint8Array(32).fill(5) })];
    return stage.end(outlaw.send({ kind: 'ckpt', checkpoint: one }).run().send({ kind: 'ckpt', checkpoint: two }).run());
  },
  SLOW_PEER: () => {
    const stage = new Stage();
    const outlaw = stage.turned();
    outlaw.bytes(concat(utf8('RN'), Uint8Array.of(1))).run();
    stage.world.run(12_000);
    return stage.end(outlaw.run());
  },
  SLOW_CONSUMER: () => {
    const stage = new Stage();
    const device = stage.member();
    const [connection] = [...stage.founder.ends.entries()].find(([, end]) => end.other?.node === device)!;
    stage.world.input(stage.founder, { kind: 'backlog', connection, bytes: SESSION_LIMITS.outboundBytesMax + 1 });
    stage.world.run(500);
    return { told: device.events.find(({ code }) => code === 'SLOW_CONSUMER')?.code, events: stage.founder.events };
  },
  // Nobody is refused with it: it says of this node itself that its state is damaged.
  STATE_DEGRADED: () => {
    const stage = new Stage();
    const device = stage.member();
    stage.world.kill(device);
    device.disk.ledger = device.disk.ledger.map((record, index) => (index === 1 ? record.map((byte) => byte ^ 1) : record));
    stage.world.start(device);
    return { told: 'STATE_DEGRADED', events: device.events };
  },
};

describe('every refusal code', () => {
  test.each(refusalCodes)('W-17, W-27: %s is told to the other end and stands in the diary', (code) => {
    const { told, events } = PROVOKED[code]();
    expect(told).toBe(code);
    const event = events.find((each) => each.code === code);
    expect(event?.text).toMatch(/\w{3}/);
    expect(['info', 'notice', 'warning', 'critical']).toContain(event?.severity);
  });
});
