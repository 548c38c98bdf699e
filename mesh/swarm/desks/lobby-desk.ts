/**
 * The conversation of the lobby, on both of its sides. Its history is thrown away: nothing is signed or remembered about
 * strangers.
 */
import { ADMISSION_LIMITS } from '#mesh/admission/limits.ts';
import { isNodeName, nodeNameOf } from '#mesh/admission/names.ts';
import { fingerprintOf } from '#mesh/hcth/identity-text.ts';
import { labelled } from '#mesh/hcth/labels.ts';
import { LinkChain } from '#mesh/hcth/link-chain.ts';
import { genesisPosition } from '#mesh/hcth/resume.ts';
import { addressText } from '#mesh/membership/address-policy.ts';
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { PeerIdentity } from '#mesh/session/host.ts';
import { Link, type LinkStart } from '#mesh/session/link.ts';
import { encodeMessage } from '#mesh/wire/codec.ts';
import type { SessionMessage } from '#mesh/wire/message.ts';
import type { Context } from '../context.ts';
import type { SwarmCore } from '../core.ts';
import { encodeCapabilitiesAlone } from '../facts-codec.ts';
import type { LobbyDoor } from '../rooms.ts';

const LOBBY_ANCHOR_LABEL = labelled('HCTH1:lobby');

/** See the header. */
export class LobbyDesk implements LobbyDoor {
  readonly #core: SwarmCore;

  constructor(core: SwarmCore) {
    this.#core = core;
  }

  /** A throw-away history: nothing is signed or remembered about strangers, and its heads meet no member's. */
  lobbyLink(peer: PeerIdentity): LinkStart {
    const anchor = this.#core.crypto.sha256(LOBBY_ANCHOR_LABEL);
    const link = new Link({
      sending: new LinkChain(this.#core.crypto, genesisPosition(this.#core.crypto, this.#core.self.aid, peer.aid, this.#core.self.boot, anchor)),
      receiving: new LinkChain(this.#core.crypto, genesisPosition(this.#core.crypto, peer.aid, this.#core.self.aid, peer.boot, anchor)),
      ownCheckpoint: null,
      peerCheckpoint: null,
    });
    return { link, announce: null, recorded: false };
  }

  onLobbyOpen(context: Context, peer: PeerIdentity): void {
    const { session } = context;
    if (context.lobby === 'guest') {
      session.send({
        kind: 'admit-req',
        name: this.#core.facts.name.slice(0, 63),
        role: 'member',
        capabilities: encodeCapabilitiesAlone(this.#core.facts.capabilities),
      });
      if (this.#core.joiner !== null) {
        this.#core.joiner.lobby = session.id;
        this.#core.rooms.joining.joined(null);
      }
      return;
    }
    // It was approved while its handshake was still under way: the welcome could not be sent before now.
    const member = this.#core.mesh?.member(peer.text);
    if (member !== undefined) {
      this.#core.lobbySessions.set(peer.text, session);
      return this.#core.rooms.admission.welcomeIfWaiting(member);
    }
    session.send({ kind: 'admit-status', state: 'waiting', remainingMs: ADMISSION_LIMITS.lobbyMsMax, reason: null });
    this.#core.incident(
      'ADMIT_REQUESTED',
      'notice',
      `a machine asks to join: ${fingerprintOf(peer.aid)} at ${addressText(session.remote)}; compare with its screen, then \`robonet approve ${fingerprintOf(peer.aid)}\``,
      context.source,
      peer.text,
    );
    this.#core.rooms.gossip.gossipRequests();
  }

  onLobbyMessage(context: Context, peer: PeerIdentity, message: SessionMessage): void {
    const { session } = context;
    if (message.kind === 'ping') {
      session.send({ kind: 'pong', id: message.id, challenge: message.challenge });
      return;
    }
    if (context.lobby === 'host' && message.kind === 'admit-req') {
      const name = isNodeName(message.name) ? message.name : nodeNameOf(message.name);
      const before = this.#core.lobby.entries.find((entry) => bytesEqual(entry.aid, peer.aid));
      const capabilities = message.capabilities.slice();
      this.#core.lobby.enter(
        { aid: peer.aid, name, role: 'member', address: addressText(session.remote), machine: context.machine, capabilities },
        this.#core.now,
      );
      if (before === undefined || before.name !== name) this.#core.rooms.gossip.gossipRequests();
      return;
    }
    if (context.lobby !== 'guest') return;
    if (message.kind === 'welcome') {
      const refusal = this.#core.rooms.joining.believeWelcome(encodeMessage(message), peer);
      if (refusal !== undefined) {
        session.refuse(refusal);
        return;
      }
      // From here on we are a member, and come back as one: the lobby's history is not continued.
      const { remote } = session;
      session.close('RENEW');
      this.#core.touched.add(session);
      this.#core.rooms.members.watch(peer.aid);
      this.#core.dials.addressOf(peer.text, remote, this.#core.now.mono);
      this.#core.dials.broken(peer.text, this.#core.now.mono);
    } else if (message.kind === 'admit-status' && (message.state === 'denied' || message.state === 'expired')) {
      const text = message.state === 'denied' ? `the request was denied: ${message.reason ?? 'no reason given'}` : 'the request lapsed';
      this.#core.event('APPROVAL_DENIED', 'warning', text, peer.text, context.source);
      this.#core.refused = text;
      this.#core.rooms.joining.endJoin({ code: 'RN-MESH-013', text });
      session.close('SHUTDOWN');
      this.#core.touched.add(session);
    }
  }
}
