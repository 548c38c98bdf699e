/**
 * The members this node keeps a link to and an eye on, and what of them is written to disk, when.
 */
import { hex, utf8 } from '#core/bytes/bytes.ts';
import { RECORD_BYTES_MAX } from '#core/journal/limits.ts';
import { decodeRmp } from '#core/msgpack/decode.ts';
import { listOf } from '#core/msgpack/fields.ts';
import { type Instant, type Millis, MINUTE, NEVER } from '#core/time/time.ts';
import { type Aid, aidText, type AidText } from '#mesh/hcth/identity-text.ts';
import { unpackObject } from '#mesh/hcth/packed-object.ts';
import { decodePeerRecord } from '#mesh/hcth/peer-record.ts';
import { openSealedRecord } from '#mesh/hcth/sealed-record.ts';
import { parseAddress } from '#mesh/membership/address-policy.ts';
import { SESSION_LIMITS } from '#mesh/session/limits.ts';
import { slotOf } from '#mesh/session/link.ts';
import { decodeHistory } from '#mesh/trust/history-codec.ts';
import { PeerTrust } from '#mesh/trust/peer-trust.ts';
import { TRUST_PROFILES } from '#mesh/trust/profiles.ts';
import { SlotMeter } from '#mesh/trust/slot-meter.ts';
import { decodeMessage } from '#mesh/wire/codec.ts';
import { MESSAGE_TYPE } from '#mesh/wire/message-type.ts';
import type { CachedAddress } from '../step.ts';
import { type SwarmCore, turned } from '../core.ts';
import { decodeIntent } from '../joiner.ts';
import { SWARM_LIMITS as LIMITS } from '../limits.ts';
import { Peer } from '../peer.ts';
import type { MemberDoor } from '../rooms.ts';

/** See the header. */
export class MemberDesk implements MemberDoor {
  readonly #core: SwarmCore;
  #storedCache = '';
  #flushedAt: Millis;

  constructor(core: SwarmCore) {
    this.#core = core;
    this.#flushedAt = core.now.mono;
  }

  /** Keep a link to this member and an eye on it. */
  watch(aid: Aid): void {
    const text = aidText(aid);
    if (text === this.#core.self.text) return;
    this.#core.peerOf(aid);
    this.#core.liveness.add(text, this.#core.now.mono);
    this.#core.dials.addMember(text, this.#core.now.mono);
    const heard = this.#core.heardAddresses.get(text)?.split(' ') ?? [];
    this.#core.rooms.gossip.learnAddresses(
      text,
      heard.flatMap((address) => parseAddress(address, this.#core.options.port) ?? []),
    );
  }

  unwatch(text: AidText, how: 'leave' | 'forget' | 'bar'): void {
    const peer = this.#core.peers.get(text);
    const session = peer?.session ?? null;
    // A bar may be lifted again: then our side of the history goes on where it stood.
    if (how === 'bar' && peer?.sending != null) this.#core.formerSending.set(text, peer.sending);
    this.#core.peers.delete(text);
    this.#core.liveness.remove(text);
    this.#core.dials.removeMember(text);
    this.#core.fx.persist({ kind: 'peer', key: text, record: null, urgent: false });
    if (session === null) return;
    // Who leaves in order is bidden farewell; the ledger may bring the news before its own farewell does.
    if (how === 'leave') session.close('LEAVE');
    else session.refuse(turned('IDENTITY_BARRED', how === 'bar' ? 'it is barred' : 'it is no longer a member'));
    this.#core.touched.add(session);
  }

  firstRecord(peer: Peer): void {
    if (peer.stored) return;
    peer.stored = true;
    this.#core.storePeer(peer, true);
  }

  wakeFlush(): void {
    this.#flushWithin(LIMITS.flushMs);
  }

  #flushWithin(span: Millis): void {
    this.#core.flushPeersAt = Math.min(this.#core.flushPeersAt, this.#core.now.mono + span);
  }

  flushPeers(all: boolean): void {
    this.#core.flushPeersAt = NEVER;
    const minutes = Math.max(1, (this.#core.now.mono - this.#flushedAt) / MINUTE);
    this.#flushedAt = this.#core.now.mono;
    let busy = false;
    let linked = false;
    for (const peer of this.#core.peers.values()) {
      if (!peer.changed || this.#core.mesh?.member(peer.text) === undefined) continue;
      this.#core.storePeer(peer, all);
      const sequence = peer.received?.sequence ?? 0;
      if (sequence - peer.flushedSequence > LIMITS.idleFramesPerMinuteMax * minutes) busy = true;
      peer.flushedSequence = sequence;
      if (peer.session !== null) linked = true;
    }
    // An idle mesh says nothing that is worth the wear of a card each minute (§2.10).
    if (linked) this.#flushWithin(busy ? LIMITS.flushMs : LIMITS.flushIdleMs);
    this.storePeerCache();
  }

  /** Written only when something has changed: cards are worn by writes. */
  storePeerCache(): void {
    const cache: CachedAddress[] = [];
    for (const peer of this.#core.peers.values())
      for (const { host, port } of this.#core.dials.addressesOf(peer.text)) cache.push({ aid: peer.text, host, port });
    const text = JSON.stringify(cache, undefined, 1);
    if (cache.length === 0 || text === this.#storedCache) return;
    this.#storedCache = text;
    this.#core.fx.persist({ kind: 'document', name: 'peer-cache', record: utf8(text) });
  }

  /** A record with a right checksum that we have not written: nothing of it is believed, and it is kept to be looked at. */
  #onForged(record: Uint8Array): void {
    const { crypto, self } = this.#core;
    const claimed = unpackObject(record, RECORD_BYTES_MAX);
    const about = claimed === undefined ? undefined : decodePeerRecord(claimed.body)?.aid;
    const whom = about === undefined ? 'a peer' : this.#core.nameOf(aidText(about));
    const name = `record-${hex(crypto.sha256(record))}`;
    const text = `the stored record of ${whom} was edited (its checksum holds, this node's signature does not); trust in ${whom} begins at 0 again`;
    this.#core.degraded.push(text);
    this.#core.fx.persist({ kind: 'evidence', name, record });
    this.#core.event('PAST_DAMAGED', 'critical', `${text}; it is kept as evidence/${name}`, self.text, null, { kind: 'edited', evidence: name });
  }

  load(now: Instant): void {
    const { crypto } = this.#core;
    const { documents } = this.#core.options;
    const decoded = documents.membership === null ? undefined : decodeMessage(MESSAGE_TYPE.WELCOME, documents.membership);
    if (decoded?.kind === 'ok' && decoded.message.kind === 'welcome') this.#core.rooms.ledger.loadMesh(decoded.message);
    if (this.#core.mesh === null) this.#core.rooms.ledger.recoverMembership();
    for (const record of this.#core.options.peers) {
      const body = openSealedRecord(crypto, this.#core.self.established.signKeys, record);
      if (body === undefined) this.#onForged(record);
      const stored = body === undefined ? undefined : decodePeerRecord(body);
      if (stored === undefined || this.#core.mesh?.member(aidText(stored.aid)) === undefined) continue;
      const text = aidText(stored.aid);
      const profile = TRUST_PROFILES[this.#core.mesh.mesh.genesis.trustProfile];
      const meter = new SlotMeter(slotOf(now.mono) * SESSION_LIMITS.slotMs);
      const peer = new Peer(stored.aid.slice(), new PeerTrust(profile, decodeHistory(stored.trust)), meter);
      peer.restore(crypto, stored);
      peer.stored = true;
      this.#core.peers.set(text, peer);
    }
    this.#core.rooms.identities.sealOwn();
    for (const cached of documents.peerCache) {
      if (this.#core.mesh !== null) this.#core.dials.addressOf(cached.aid, { host: cached.host, port: cached.port }, now.mono);
    }
    const secrets = documents.tokenSecrets === null ? undefined : decodeRmp(documents.tokenSecrets);
    for (const pair of secrets?.kind === 'ok' ? (listOf(secrets.value) ?? []) : []) {
      const [text, psk] = listOf(pair, 2) ?? [];
      if (typeof text === 'string' && psk instanceof Uint8Array) this.#core.psks.set(text, psk.slice());
    }
    this.#core.rooms.evidence.load();
    this.#core.rooms.contests.load();
    const intent = documents.intent === null || this.#core.mesh !== null ? undefined : decodeIntent(documents.intent);
    if (intent !== undefined) this.#core.rooms.joining.startJoin(null, intent);
  }
}
