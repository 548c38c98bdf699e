/**
 * What members tell each other about themselves: capabilities, conditions, addresses, who waits at a voter.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { Millis } from '#core/time/time.ts';
import { isNodeName, nodeNameOf } from '#mesh/admission/names.ts';
import { type Aid, aidText, type AidText } from '#mesh/hcth/identity-text.ts';
import { type Address, addressText, isLocalAddress } from '#mesh/membership/address-policy.ts';
import type { Session } from '#mesh/session/session.ts';
import { GOSSIP_TOPIC } from '#mesh/wire/message.ts';
import type { SwarmCore } from '../core.ts';
import {
  decodeAddresses,
  decodeCapabilities,
  decodeConditions,
  decodeRequests,
  encodeAddresses,
  encodeCapabilities,
  encodeConditions,
  encodeRequests,
} from '../facts-codec.ts';
import { SWARM_LIMITS as LIMITS } from '../limits.ts';
import type { Peer } from '../peer.ts';
import type { Condition } from '../views.ts';
import type { GossipDoor } from '../rooms.ts';

/** See the header. */
export class GossipDesk implements GossipDoor {
  readonly #core: SwarmCore;
  #factsSerial = 0;
  readonly #renamedAt = new Map<string, Millis>();

  constructor(core: SwarmCore) {
    this.#core = core;
  }

  gossipFacts(): void {
    this.#factsSerial += 1;
    this.#core.factsAt = this.#core.now.mono + LIMITS.factsRepeatMs;
    for (const peer of this.#core.peers.values()) if (peer.session !== null) this.tellFacts(peer.session);
  }

  tellFacts(session: Session): void {
    const tell = (topic: number, body: Uint8Array): void => {
      session.send({ kind: 'gossip', topic, origin: this.#core.self.aid, serial: this.#factsSerial, body });
    };
    tell(GOSSIP_TOPIC.CAPABILITIES, encodeCapabilities(this.#core.facts.name, this.#core.facts.capabilities));
    tell(GOSSIP_TOPIC.CONDITIONS, encodeConditions(this.#core.facts.conditions));
    tell(GOSSIP_TOPIC.ADDRESSES, encodeAddresses(this.#core.addresses));
    // Members that multicast does not reach learn of each other through those they are linked with.
    for (const peer of this.#core.peers.values()) {
      const addresses = this.#core.dials.addressesOf(peer.text);
      if (peer.session !== null && peer.session !== session && addresses.length > 0)
        session.send({ kind: 'gossip', topic: GOSSIP_TOPIC.ADDRESSES, origin: peer.aid, serial: 0, body: encodeAddresses(addresses) });
    }
    if (this.#core.mesh?.log.decides === true) tell(GOSSIP_TOPIC.MEMBERSHIP, encodeRequests(this.#core.rooms.admission.requests()));
    this.#core.touched.add(session);
  }

  gossipRequests(): void {
    if (this.#core.mesh?.log.decides !== true) return;
    for (const peer of this.#core.peers.values()) {
      peer.session?.send({
        kind: 'gossip',
        topic: GOSSIP_TOPIC.MEMBERSHIP,
        origin: this.#core.self.aid,
        serial: this.#factsSerial,
        body: encodeRequests(this.#core.rooms.admission.requests()),
      });
      if (peer.session !== null) this.#core.touched.add(peer.session);
    }
  }

  onGossip(peer: Peer, topic: number, body: Uint8Array, origin: Uint8Array): void {
    const own = bytesEqual(origin, peer.aid);
    // Evidence may come from anybody: it is judged by itself (§2.13).
    if (topic === GOSSIP_TOPIC.PROOF) return this.#core.rooms.evidence.onProof(peer, body.slice());
    if (topic === GOSSIP_TOPIC.CONTEST) return this.#core.rooms.contests.onNotice(peer, body.slice());
    if (topic === GOSSIP_TOPIC.ADDRESSES) return this.#onAddresses(peer, aidText(origin), body);
    if (topic === GOSSIP_TOPIC.STATEMENT) return this.#core.rooms.statements.onStatement(peer, body, origin);
    if (!own) return;
    if (topic === GOSSIP_TOPIC.CAPABILITIES) {
      const facts = decodeCapabilities(body);
      if (facts === undefined) return;
      peer.name = facts.name;
      peer.capabilities = facts.capabilities;
      this.maybeRename(peer.aid, facts.name);
    }
    if (topic === GOSSIP_TOPIC.CONDITIONS) this.#onConditions(peer, decodeConditions(body) ?? []);
    if (topic === GOSSIP_TOPIC.MEMBERSHIP && this.#core.mesh?.isVoter(peer.text) === true) this.#core.remoteRequests = decodeRequests(body) ?? [];
  }

  #onAddresses(from: Peer, about: AidText, body: Uint8Array): void {
    if (about === this.#core.self.text) return;
    const addresses = (decodeAddresses(body) ?? []).filter((address) => isLocalAddress(address.host));
    if (addresses.length === 0) return;
    const text = addresses.map(addressText).join(' ');
    const news = this.#core.heardAddresses.get(about) !== text;
    if (this.#core.heardAddresses.size >= LIMITS.addressBooksMax) this.#core.heardAddresses.clear();
    this.#core.heardAddresses.set(about, text);
    this.learnAddresses(about, addresses);
    // Only the owner's own word is passed on, and once: news travels one hop, links are direct.
    if (!news || about !== from.text) return;
    this.#core.rooms.members.storePeerCache();
    for (const peer of this.#core.peers.values()) {
      if (peer === from || peer.session === null) continue;
      peer.session.send({ kind: 'gossip', topic: GOSSIP_TOPIC.ADDRESSES, origin: from.aid, serial: 0, body: encodeAddresses(addresses) });
      this.#core.touched.add(peer.session);
    }
  }

  learnAddresses(about: AidText, addresses: readonly Address[]): void {
    for (const address of [...addresses].reverse()) this.#core.dials.addressOf(about, address, this.#core.now.mono);
  }

  /** The voter keeps the name that a machine's host has; one entry in the log per change, and not often. */
  maybeRename(aid: Aid, wanted: string): void {
    const mesh = this.#core.mesh;
    const member = mesh?.registry.members.get(aidText(aid));
    if (mesh === null || member === undefined || !mesh.log.decides) return;
    const name = isNodeName(wanted) ? wanted : nodeNameOf(wanted);
    if (member.name === name || member.name.startsWith(`${name}-`)) return;
    const last = this.#renamedAt.get(member.text);
    if (last !== undefined && this.#core.now.mono - last < LIMITS.renameMsMin) return;
    this.#renamedAt.set(member.text, this.#core.now.mono);
    this.#core.rooms.decisions.commit({ kind: 'rename', aid, name });
  }

  #onConditions(peer: Peer, conditions: readonly Condition[]): void {
    for (const condition of conditions) {
      const before = peer.conditions.find((known) => known.kind === condition.kind && known.since === condition.since);
      const data = { kind: condition.kind, value: condition.value, worst: condition.worst };
      if (before === undefined && condition.until === null)
        this.#core.incident('CONDITION_BEGAN', condition.severity, `${this.#core.nameOf(peer.text)}: ${condition.text}`, peer.text, peer.text, data);
      if (condition.until !== null && before?.until === null)
        this.#core.incident('CONDITION_ENDED', 'info', `${this.#core.nameOf(peer.text)}: no longer ${condition.kind}`, peer.text, peer.text, data);
    }
    peer.conditions = conditions;
  }
}
