/**
 * A stand-in for the agent executable: a shell script with the same verbs and answers, whose "mesh" is a folder. It lets the
 * whole way over a real sshd be tested without building an agent; the real one is used on the virtual LAN.
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { createIdentity, IDENTITY_RANDOM_BYTES } from '#mesh/hcth/create-identity.ts';
import { type IdentityDocument, identityDocument } from '#mesh/hcth/identity-document.ts';
import { fingerprintOf } from '#mesh/hcth/identity-text.ts';
import { nextKeyText } from '#mesh/hcth/next-key.ts';

const crypto = createNodeCrypto();
const { identity } = createIdentity(
  crypto,
  Uint8Array.from({ length: IDENTITY_RANDOM_BYTES }, (_, index) => (index * 7 + 3) % 256),
  { kind: 'none', digest: new Uint8Array(32), secret: new Uint8Array(32), facts: new Map() },
);
/** The identity that the stand-in agent shows. */
export const FINGERPRINT = fingerprintOf(identity.established.aid);
/** How it knows its next key. */
export const NEXT_KEY_DIGEST = Buffer.from(identity.established.nextDigest).toString('hex');

/** What it hands over to escrow. */
export function nextKeyDocument(change: Partial<IdentityDocument> = {}): IdentityDocument {
  const { established, nextSeed } = identity;
  const parts = { established, name: 'host', mesh: null, membership: null, peers: [] };
  return { ...identityDocument(parts, 0, nextKeyText(crypto, established.aid, 1, nextSeed ?? new Uint8Array(32))), ...change };
}

export interface TestMesh {
  /** Folder with robonet-linux-x64.gz, for `--agents`. */
  readonly agents: string;
  /** Folder with a `robonet` that is the sponsor's, for PATH. */
  readonly sponsorPath: string;
  /** The mesh's folder: `invites`, `revoked`, `members`, and `refuse` to make it refuse joins. */
  readonly mesh: string;
}

/** Lay out agents and sponsor below `dir`. */
export function makeTestMesh(dir: string): TestMesh {
  const mesh = join(dir, 'mesh');
  const agents = join(dir, 'agents');
  const sponsorPath = join(dir, 'sponsor');
  for (const path of [mesh, agents, sponsorPath]) mkdirSync(path);
  chmodSync(mesh, 0o777);
  writeFileSync(join(mesh, 'next-key.json'), `${JSON.stringify(nextKeyDocument())}\n`);
  // Padding that does not compress makes the transfer take more than one packet.
  const padding = Buffer.from(Array.from({ length: 600_000 }, (_, index) => 33 + ((index * index * 31 + index * 7) % 89)))
    .toString('latin1')
    .replaceAll('\\', 'x');
  writeFileSync(join(agents, 'robonet-linux-x64.gz'), gzipSync(`${agentScript(mesh)}\nexit 0\n: <<'PADDING'\n${padding}\nPADDING\n`));
  writeFileSync(join(sponsorPath, 'robonet'), sponsorScript(mesh), { mode: 0o755 });
  return { agents, sponsorPath, mesh };
}

const status = `printf '{"v":1,"type":"status","state":"%s","self":{"fingerprint":"%s","name":"%s","aid":"rn1x","address":null},"mesh":%s}\\n'`;

function agentScript(mesh: string): string {
  return `#!/bin/sh
S=/var/lib/robonet
show() {
  [ -e $S/running ] || { echo '{"v":1,"type":"error","error":{"code":"RN-AGENT-001","message":"not running"}}'; exit 69; }
  if [ -e $S/member ]; then ${status} member ${FINGERPRINT} host '{"id":"m1","name":"home"}'; else ${status} unjoined ${FINGERPRINT} host null; fi
}
case "$1 $2" in
  "agent install") mkdir -p $S; : > $S/running ;;
  "agent uninstall") if [ "$3" = --purge ]; then rm -rf $S; else rm -f $S/running; fi ;;
  status*) show ;;
  init*) : > $S/member; show ;;
  join*) read token
    if [ -e ${mesh}/refuse ]; then echo '{"v":1,"type":"error","error":{"code":"TOKEN_EXPIRED","message":"the invitation has expired","next":"Ask for another one."}}'; exit 77; fi
    echo "$token" >> ${mesh}/tokens; echo ${FINGERPRINT} >> ${mesh}/members; : > $S/member; show ;;
  "identity export-next")
    if [ -e ${mesh}/mute ]; then echo '{"v":1,"type":"error","error":{"code":"RN-AGENT-002","message":"no answer"}}'; exit 75; fi
    if [ ! -e $S/member ] || [ -e $S/key-gone ]; then echo '{"v":1,"type":"error","error":{"code":"RN-MESH-061","message":"the next key is not on this device","next":"Look elsewhere."}}'; exit 65; fi
    cat ${mesh}/next-key.json ;;
  "identity forget-next")
    if [ -e ${mesh}/stubborn ]; then echo '{"v":1,"type":"error","error":{"code":"RN-MESH-102","message":"the disk is full"}}'; exit 69; fi
    echo "$*" >> ${mesh}/forgotten; : > $S/key-gone; echo '{"v":1,"type":"next-key"}' ;;
  leave*) if [ -e $S/member ]; then rm $S/member; echo left >> ${mesh}/departures; sed -i /${FINGERPRINT}/d ${mesh}/members; fi; echo '{"v":1,"type":"leave"}' ;;
esac
exit 0
`;
}

function sponsorScript(mesh: string): string {
  return `#!/bin/sh
case "$1 $2" in
  status*) ${status} member EEEE-FFFF-GGGG-HHHH sponsor '{"id":"m1","name":"home"}' ;;
  "invite revoke") echo "$3" >> ${mesh}/revoked; echo '{"v":1,"type":"invitation"}' ;;
  invite*) echo "$*" >> ${mesh}/invites; echo '{"v":1,"type":"invitation","token":"rnj1.secret","tokenId":"t1","meshId":"m1","meshName":"home","expiresAt":1,"uses":1,"role":"member"}' ;;
  nodes*) printf '{"v":1,"type":"nodes","nodes":['; sep=; while read fp; do printf '%s{"fingerprint":"%s","name":"host","aid":"rn1x","self":false,"liveness":"up"}' "$sep" "$fp"; sep=,; done < ${mesh}/members; echo ']}' ;;
esac
`;
}
