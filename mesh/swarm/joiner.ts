/**
 * How this node gets into a mesh: what it was told (an invitation, or a request), whom it may believe, when it gives up
 * reporting. The intent is stored, so that a machine with an invitation on its card goes on trying after every boot.
 */
import { bytesEqual, fromHex, hex } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { decodeRmp } from '#core/msgpack/decode.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import { listField, mapOf, strField, strOf } from '#core/msgpack/fields.ts';
import type { Millis } from '#core/time/time.ts';
import { parseToken, type Token, tokenPsk } from '#mesh/admission/token.ts';
import { parseFingerprint } from '#mesh/hcth/identity-text.ts';
import type { HelloMode } from '#mesh/wire/message.ts';
import type { Refusal } from './step.ts';
import type { JoinOptions } from './views.ts';

/** What this node was told about the way in. */
export interface Intent {
  readonly options: JoinOptions;
  readonly token: Token | null;
  readonly psk: Uint8Array | null;
  /** Tag of the mesh to join; null for "by name" or "whichever". */
  readonly meshTag: Uint8Array | null;
  readonly meshName: string | null;
  /** Fingerprint of the member to be believed; null for trust on first use. */
  readonly expect: string | null;
}

const ANY_MESH = new Uint8Array(8);

/** Understand a person's wish, or say what is wrong with it. */
export function readIntent(
  crypto: CryptoPort,
  options: JoinOptions,
): { readonly kind: 'intent'; readonly intent: Intent } | { readonly kind: 'refused'; readonly refusal: Refusal } {
  const refused = (code: Refusal['code'], text: string): { readonly kind: 'refused'; readonly refusal: Refusal } => ({
    kind: 'refused',
    refusal: { code, text },
  });
  if (options.mode === 'token') {
    const outcome = parseToken(options.token);
    if (outcome.kind !== 'token') return refused('RN-MESH-006', outcome.why);
    const { token } = outcome;
    return { kind: 'intent', intent: { options, token, psk: tokenPsk(crypto, token), meshTag: token.meshId.slice(0, 8), meshName: null, expect: null } };
  }
  const expect = options.expect === null ? null : parseFingerprint(options.expect);
  if (expect === undefined) return refused('RN-MESH-026', `"${options.expect ?? ''}" is not a complete fingerprint of 16 characters`);
  const tag = options.mesh !== null && /^([0-9a-f]{16}|[0-9a-f]{64})$/.test(options.mesh) ? (fromHex(options.mesh)?.slice(0, 8) ?? null) : null;
  return { kind: 'intent', intent: { options, token: null, psk: null, meshTag: tag, meshName: tag === null ? options.mesh : null, expect } };
}

/** Bytes of a stored intent. A secret: it may hold an invitation. */
export function encodeIntent(options: JoinOptions): Uint8Array {
  return options.mode === 'token'
    ? encodeRmp({ m: 'token', p: [...options.peers], t: options.token })
    : encodeRmp({ e: options.expect, m: 'request', n: options.mesh, p: [...options.peers] });
}

/** The counterpart of {@link encodeIntent}. */
export function decodeIntent(bytes: Uint8Array): JoinOptions | undefined {
  const decoded = decodeRmp(bytes);
  const map = decoded.kind === 'ok' ? mapOf(decoded.value) : undefined;
  if (map === undefined) return undefined;
  const peers = (listField(map, 'p', 64) ?? []).flatMap((value) => strOf(value, 256) ?? []);
  const token = strField(map, 't');
  if (map.get('m') === 'token') return token === undefined ? undefined : { mode: 'token', token, peers };
  return map.get('m') === 'request' ? { mode: 'request', mesh: strField(map, 'n', 64) ?? null, expect: strField(map, 'e', 19) ?? null, peers } : undefined;
}

/** The attempt under way. Owned by the swarm. */
export class Joiner {
  readonly intent: Intent;
  /** The command that waits for an answer; null after it was answered, and for an intent taken up at start. */
  command: number | null;
  readonly until: Millis;
  /** The most telling refusal so far, for the report at the end. */
  refusal: Refusal | null = null;
  /** Standing in a lobby, by connection. */
  lobby: number | null = null;
  /** Addresses that turned out to be somebody else; not asked again. */
  readonly rejected = new Set<string>();
  /** Tags of meshes in sight. */
  readonly tags = new Set<string>();

  constructor(intent: Intent, command: number | null, until: Millis) {
    this.intent = intent;
    this.command = command;
    this.until = until;
  }

  get mode(): HelloMode {
    return this.intent.token === null ? 2 : 1;
  }

  /** The tag that our HELLO names. */
  get helloTag(): Uint8Array {
    return this.intent.meshTag ?? ANY_MESH;
  }

  /** Whether a hint may lead to the mesh we look for. */
  wants(meshTag: string | null): boolean {
    if (meshTag === null) return true;
    this.tags.add(meshTag);
    return this.intent.meshTag === null || meshTag === hex(this.intent.meshTag);
  }

  /** Whether the mesh of this tag, as told in a HELLO, is the one. */
  acceptsTag(meshTag: Uint8Array): boolean {
    return this.intent.meshTag === null ? meshTag.some((byte) => byte !== 0) : bytesEqual(meshTag, this.intent.meshTag);
  }

  /** Several meshes are in sight and nothing says which: a person has to choose. */
  get isAmbiguous(): boolean {
    return (
      this.intent.token === null &&
      this.intent.meshTag === null &&
      this.intent.meshName === null &&
      this.intent.options.peers.length === 0 &&
      this.tags.size > 1
    );
  }
}
