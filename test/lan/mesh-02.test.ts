/**
 * MESH-02: a node with a docker-style bridge, a VLAN sub-interface and a dead NIC joins over the LAN NIC; `doctor` names
 * the interface used and why each other was passed over; disabling that NIC moves it to the next usable one or says none
 * is left.
 */
import { expect, test } from 'vitest';
import { record } from './lab/report.ts';
import { waitFor } from './lab/wait-for.ts';
import { nodesOf } from './stage/documents.ts';
import { useLan } from './stage/lan.ts';
import { adopt, expectHealthy, found, waitForMembers } from './stage/mesh.ts';
import { robonetProgram } from './stage/programs.ts';

const programs = (): { readonly robonet: string } => ({ robonet: robonetProgram() });

const lan = useLan(
  () => [
    { name: 'founder', programs: programs(), cards: 2 },
    { name: 'bystander', programs: programs() },
    {
      name: 'gateway',
      programs: programs(),
      cards: 2,
      extras: [
        { kind: 'idle-bridge', name: 'docker0', address: '172.17.0.1/16' },
        { kind: 'vlan', parent: 'eth0', id: 20, address: '10.20.0.12/24' },
        { kind: 'dead-card', name: 'eth9', mac: 'd0:94:66:09:09:09', address: '10.99.0.12/24' },
      ],
    },
  ],
  async () => {
    await found(lan.host('founder'));
    await adopt(lan.host('founder'), [lan.host('bystander')]);
  },
);

/** The lines of `doctor` that speak of one interface. */
async function doctorOn(name: string): Promise<string> {
  return (await lan.host('gateway').run(['robonet', 'doctor', '--no-color'])).stdout
    .split('\n')
    .filter((line) => new RegExp(`\\b${name.replace('.', '\\.')}(?![.\\w])`).test(line))
    .join('\n');
}

test('MESH-02 a node with a container bridge, a VLAN and a dead card joins over the LAN card', async () => {
  const startedAt = performance.now();
  await adopt(lan.host('founder'), [lan.host('gateway')]);
  const seen = await waitForMembers(lan.host('founder'), ['founder', 'bystander', 'gateway'], lan.evidence);
  record({ useCase: 'MESH-02', what: 'joined and seen up', measuredMs: Math.round(performance.now() - startedAt), promisedMs: null });
  const gateway = seen.value.find((node) => node.name === 'gateway');
  expect(gateway?.address).toMatch(/^10\.77\.[01]\./);
});

test('MESH-02 doctor names the interface used and why each other was passed over', async () => {
  expect(await doctorOn('eth0')).toMatch(/: used\b/);
  expect(await doctorOn('docker0')).toMatch(/bridge/i);
  expect(await doctorOn('eth0.20')).toMatch(/vlan/i);
  expect(await doctorOn('eth9')).toMatch(/carrier|cable|no link/i);
  expect(await doctorOn('lo')).toMatch(/loopback/i);
});

test('MESH-02 disabling that card moves the node to the next usable one', async () => {
  const gateway = lan.host('gateway');
  const startedAt = performance.now();
  await gateway.check(['ip', 'link', 'set', 'eth0', 'down']);
  await waitFor('the founder reaches the gateway over the second card', { withinMs: 60_000, evidence: lan.evidence }, async () => {
    const node = (await nodesOf(lan.host('founder'))).find((each) => each.name === 'gateway');
    return node?.liveness === 'up' && node.address?.startsWith('10.77.1.') === true;
  });
  record({ useCase: 'MESH-02', what: 'moved to the second card', measuredMs: Math.round(performance.now() - startedAt), promisedMs: null });
  await waitFor(
    'doctor names eth1',
    { withinMs: 20_000 },
    async () => /: used\b/.test(await doctorOn('eth1')) && /switched off|down|disabled/i.test(await doctorOn('eth0')),
  );
  expect((await nodesOf(lan.host('bystander'))).find((node) => node.name === 'founder')?.liveness).toBe('up');
});

test('MESH-02 with no usable card left doctor says so, and the others stay healthy', async () => {
  const gateway = lan.host('gateway');
  await gateway.check(['ip', 'link', 'set', 'eth1', 'down']);
  await waitFor('doctor says that no usable interface is left', { withinMs: 30_000, evidence: lan.evidence }, async () =>
    /no (usable )?interface/i.test((await gateway.run(['robonet', 'doctor', '--no-color'])).stdout),
  );
  const doctor = await gateway.run(['robonet', 'doctor', '--no-color']);
  expect(doctor.code).not.toBe(0);
  for (const observer of ['founder', 'bystander']) {
    await waitFor(`${observer} sees the gateway down and the rest up`, { withinMs: 60_000, evidence: lan.evidence }, async () => {
      const nodes = await nodesOf(lan.host(observer));
      return nodes.every((node) => (node.name === 'gateway' ? node.liveness === 'down' : node.liveness === 'up'));
    });
  }
});

test('MESH-02 when the cards are back the node is back', async () => {
  const gateway = lan.host('gateway');
  for (const card of ['eth0', 'eth1']) await gateway.check(['ip', 'link', 'set', card, 'up']);
  await waitForMembers(lan.host('founder'), ['founder', 'bystander', 'gateway'], lan.evidence);
  await expectHealthy([lan.host('founder'), lan.host('bystander'), gateway]);
});
