import { describe, expect, it } from 'vitest';
import { problemsOf, quorumMargin } from '#agent/status/problems.ts';
import type { NodeView, StatusView } from '#mesh/swarm/views.ts';

const node: NodeView = {
  aid: 'rn1a',
  fingerprint: 'AAAA-AAAA-AAAA-AAAA',
  name: 'a',
  self: true,
  role: 'voter',
  voter: true,
  leader: true,
  liveness: 'up',
  lastSeen: null,
  rttMs: null,
  address: null,
  trust: null,
  incarnation: 1,
  rotation: 0,
  capabilities: null,
  conditions: [],
  joinedAt: 0,
  contest: null,
};
const other: NodeView = { ...node, aid: 'rn1b', name: 'b', fingerprint: 'BBBB-BBBB-BBBB-BBBB', self: false, role: 'member', voter: false, leader: false };
const healthy: StatusView = {
  state: 'member',
  stateReason: null,
  self: node,
  startReason: 'clean',
  degraded: [],
  mesh: { id: '', tag: '', name: 'home', admission: 'approve', trustProfile: 'home', quorum: 1, voters: 1, leader: 'a', term: 1, commitIndex: 1, foundedAt: 0 },
  nodes: [node, other],
  requests: [],
  closed: [],
  strangers: [],
  barred: [],
};
const codes = (status: Partial<StatusView>, used: number | null = 1): readonly string[] =>
  problemsOf({ ...healthy, ...status }, used, 10_000).map(({ severity, code }) => `${severity} ${code}`);

describe('problems', () => {
  it('are none on a healthy member', () => {
    expect(codes({})).toEqual([]);
    expect(quorumMargin(healthy)).toBe(0);
  });
  it('come worst first', () => {
    const hot = { kind: 'hot', severity: 'warning', text: 'hot', value: 85, worst: 85, unit: '°C', since: 0, until: null } as const;
    const waiting = { fingerprint: 'C', aid: 'c', name: 'c', address: 'x', since: 0, expiresAt: 1, capabilities: null };
    expect(codes({ degraded: ['peers'], nodes: [node, { ...other, conditions: [hot] }], requests: [waiting] }, 0)).toEqual([
      'critical NO_INTERFACE',
      'critical STATE_DEGRADED',
      'warning HOT',
      'notice REQUESTS_WAITING',
    ]);
  });
  it('tell one lost node from isolation and lost quorum', () => {
    const down = { ...other, liveness: 'down' } as const;
    expect(codes({ nodes: [node, down, other] })).toEqual(['warning NODE_DOWN']);
    expect(codes({ nodes: [node, down] })).toEqual(['critical ISOLATED', 'warning NODE_DOWN']);
    expect(codes({ nodes: [{ ...node, voter: false }, { ...down, voter: true }, other] })).toEqual(['critical QUORUM_UNREACHABLE', 'warning NODE_DOWN']);
  });
  it('forget conditions that are over', () => {
    const over = { kind: 'hot', severity: 'warning', text: 'hot', value: 85, worst: 85, unit: '°C', since: 0, until: 5 } as const;
    expect(codes({ nodes: [{ ...node, conditions: [over] }] })).toEqual([]);
  });
  it.each([
    ['unjoined', 'notice UNJOINED'],
    ['lobby', 'notice WAITING_FOR_APPROVAL'],
    ['refused', 'critical REFUSED'],
    ['contested', 'critical IDENTITY_CONTESTED'],
  ] as const)('a node that is %s says what to do', (state, expected) => {
    expect(codes({ state, mesh: null, nodes: [node] })).toEqual([expected]);
  });
});
