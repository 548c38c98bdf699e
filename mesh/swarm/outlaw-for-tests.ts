/**
 * A peer that speaks the protocol properly until it is authenticated, and then whatever a test wants: what the hostile
 * tests attack a node with. Its memory is empty at every connection, so it always comes as somebody who restarted.
 */
import { assert } from '#core/errors/assert.ts';
import { decodeBoot, makeBoot } from '#mesh/hcth/boot-event.ts';
import { NO_ANCHOR } from '#mesh/hcth/chain.ts';
import type { Identity } from '#mesh/hcth/identity-file.ts';
import { aidText } from '#mesh/hcth/identity-text.ts';
import { decideResume, genesisPosition, resumeSending } from '#mesh/hcth/resume.ts';
import type { Ending, LocalIdentity, PeerIdentity, PeerVerdict, SessionHost } from '#mesh/session/host.ts';
import { Link } from '#mesh/session/link.ts';
import { LinkChain } from '#mesh/hcth/link-chain.ts';
import type { SealedChannel } from '#mesh/session/sealed-channel.ts';
import { Session } from '#mesh/session/session.ts';
import type { FrameFields } from '#mesh/wire/header.ts';
import { HEADER_BYTES_COVERED } from '#mesh/wire/limits.ts';
import type { Accept, HelloMode, ResumeBlock, SessionMessage } from '#mesh/wire/message.ts';
import { labelled } from '#mesh/hcth/labels.ts';
import type { World, WorldNode } from './world.ts';

/** How an outlaw comes. */
export interface OutlawOptions {
  readonly identity: Identity;
  readonly meshTag: Uint8Array;
  readonly incarnation?: number;
  readonly mode?: HelloMode;
  readonly tokenId?: Uint8Array;
  readonly psk?: Uint8Array;
  readonly record?: Uint8Array | null;
  readonly name?: string;
  /** Stops before its own ACCEPT until {@link Outlaw.proceed}. */
  readonly holdAccept?: boolean;
  /** Where it comes from. */
  readonly host?: string;
  readonly limits?: Accept['limits'];
  readonly block?: (own: ResumeBlock) => ResumeBlock;
}

/** See the header. */
export class Outlaw {
  readonly session: Session;
  readonly messages: SessionMessage[] = [];
  ending: Ending | null = null;
  accepted: Accept | null = null;
  isOpen = false;
  readonly #world: World;
  readonly #line: ReturnType<World['stranger']>;
  readonly #options: OutlawOptions;
  readonly self: LocalIdentity;
  #channel: SealedChannel | null = null;
  #taken = 0;
  #held: Uint8Array[] = [];
  #holding = false;

  constructor(world: World, to: WorldNode, options: OutlawOptions) {
    this.#world = world;
    this.#options = options;
    const { established, signKey, staticKey } = options.identity;
    const bootObject = makeBoot(world.crypto, signKey, {
      aid: established.aid,
      incarnation: options.incarnation ?? 1,
      nonce: world.entropy(16),
      establishmentHead: established.head,
      previousBoot: new Uint8Array(32),
      previousStatement: new Uint8Array(32),
      why: 'start',
      software: 'outlaw',
    });
    const boot = decodeBoot(bootObject.body);
    assert(boot !== undefined, 'a boot event of our own decodes');
    this.self = { aid: established.aid, text: aidText(established.aid), signKey, staticKey, established, bootObject, boot };
    this.#line = world.stranger(to, options.host);
    this.session = new Session(
      this.#host(),
      { id: 1, initiator: true, remote: to.address, mode: options.mode ?? 0, tokenId: options.tokenId ?? null, psk: options.psk ?? null, rates: [] },
      world.now,
    );
    // The keys are taken as they pass by.
    const open = this.session.open.bind(this.session);
    this.session.open = (peer, channel, start, theirs) => {
      this.#channel = channel;
      open(peer, channel, start, theirs);
    };
    this.#write();
  }

  /** A frame with any header and any contents, properly sealed and chained on our own side. */
  raw(fields: FrameFields, payload: Uint8Array): this {
    return this.bytes(this.sealed(fields, payload));
  }

  /** The same, not sent yet. */
  sealed(fields: FrameFields, payload: Uint8Array): Uint8Array {
    const { link } = this.session;
    assert(this.#channel !== null && link !== null, 'a session that is open has keys and a link');
    const frame = this.#channel.seal(this.#world.crypto, fields, payload);
    link.sending.append(frame.subarray(0, HEADER_BYTES_COVERED), payload);
    return frame;
  }

  /** Bytes as they are. */
  bytes(bytes: Uint8Array): this {
    this.#line.write(bytes);
    return this;
  }

  /** All that came back so far. */
  get bytesReceived(): number {
    return this.#line.received.reduce((sum, { length }) => sum + length, 0);
  }

  /** Let the network deliver, in both directions, for a while. */
  run(span = 20): this {
    for (let round = 0; round < span / 5; round += 1) {
      this.#world.run(5);
      const fresh = this.#line.received.slice(this.#taken);
      this.#taken += fresh.length;
      for (const bytes of fresh) this.session.receive(bytes, this.#world.now);
      this.#write();
    }
    return this;
  }

  /** Send messages, all in one frame where they fit. */
  send(...messages: readonly SessionMessage[]): this {
    for (const message of messages) this.session.send(message);
    this.session.flush(this.#world.now);
    this.#write();
    return this;
  }

  /** Send the ACCEPT that was held back. */
  proceed(): this {
    this.#holding = false;
    for (const bytes of this.#held.splice(0)) this.#line.write(bytes);
    return this;
  }

  get isClosed(): boolean {
    return this.#line.isClosed();
  }

  #write(): void {
    for (const bytes of this.session.takeOutput().bytes) {
      if (this.#holding) this.#held.push(bytes);
      else this.#line.write(bytes);
    }
  }

  #host(): SessionHost {
    const { crypto, entropy } = this.#world;
    const self = this.self;
    const refuse = { kind: 'refuse', code: 'NOT_PERMITTED', why: 'an outlaw only calls' } as const;
    return {
      crypto,
      entropy,
      self,
      onHello: () => refuse,
      onHelloAnswer: () => undefined,
      maySpendHandshake: () => true,
      beganHandshake: () => undefined,
      recognize: () => undefined,
      completedHandshake: () => undefined,
      onResponder: () => {
        const { incarnation, nonce } = self.boot;
        const own: ResumeBlock = { ownCheckpoint: null, peerCheckpoint: null, sent: { incarnation, nonce, sequence: 0, head: NO_ANCHOR }, received: null };
        return { kind: 'go', resume: this.#options.block?.(own) ?? own };
      },
      onInitiator: () => refuse,
      onAccepted: (_session: Session, peer: PeerIdentity, accept: Accept) => this.#onAccepted(peer, accept),
      onOpen: () => {
        this.isOpen = true;
      },
      onMessage: (_session, message) => {
        this.messages.push(message);
      },
      onFrame: () => undefined,
      onViolation: () => undefined,
      onTooLarge: () => undefined,
      onEnded: (_session, ending) => {
        this.ending = ending;
      },
      establishedOf: () => undefined,
      establishedByHead: () => undefined,
      onOldKey: () => undefined,
      onEquivocation: () => undefined,
      ledgerPosition: () => ({ term: 1, commit: 0 }),
      membershipRecord: () => this.#options.record ?? null,
      hostName: () => this.#options.name ?? 'outlaw',
      helloTag: () => this.#options.meshTag,
    };
  }

  #onAccepted(peer: PeerIdentity, accept: Accept): PeerVerdict {
    this.accepted = accept;
    this.#holding = this.#options.holdAccept === true;
    const limits = this.#options.limits ?? { payloadBytesMax: 262_144, framesPerSecond: 1_000, bytesPerSecond: 1_000_000 };
    const own: Accept = { kind: 'accept', meshId: null, level: 4, role: 'member', verdict: 'first-contact', resume: null, limits, proof: null };
    return {
      kind: 'accept',
      accept: own,
      link: { link: accept.role === 'lobby' ? this.#lobbyLink(peer) : this.#memberLink(peer, accept), announce: null, recorded: false },
    };
  }

  #lobbyLink(peer: PeerIdentity): Link {
    const { crypto } = this.#world;
    const anchor = crypto.sha256(labelled('HCTH1:lobby'));
    return new Link({
      sending: new LinkChain(crypto, genesisPosition(crypto, this.self.aid, peer.aid, this.self.boot, anchor)),
      receiving: new LinkChain(crypto, genesisPosition(crypto, peer.aid, this.self.aid, peer.boot, anchor)),
      ownCheckpoint: null,
      peerCheckpoint: null,
    });
  }

  #memberLink(peer: PeerIdentity, accept: Accept): Link {
    const { crypto } = this.#world;
    const { established, boot } = this.self;
    const sending = resumeSending(crypto, {
      self: { aid: established.aid, signKeys: established.signKeys, incarnation: boot.incarnation, nonce: boot.nonce },
      peer: peer.aid,
      sending: null,
      ownCheckpoint: null,
      theirs: accept.resume,
    });
    const decision = decideResume(
      crypto,
      { self: established, peer: peer.established, known: null, received: null, peerCheckpoint: null, peerBoot: null, earlier: 'none', simultaneous: false },
      { incarnation: peer.boot.incarnation, nonce: peer.boot.nonce, block: accept.resume },
    );
    assert(sending.kind === 'send' && decision.kind === 'continue', 'an empty memory fits any history');
    return new Link({ sending: sending.chain, receiving: new LinkChain(crypto, decision.receive), ownCheckpoint: null, peerCheckpoint: null });
  }
}
