import { describe, test } from 'vitest';
import { claims } from './conformance.ts';
import { createMemoryNetwork } from './memory.ts';
import { createTcpTransport } from './tcp.ts';

describe('TCP', () => {
  test.each(claims.map((claim) => [claim.name, claim.check] as const))('%s', async (_name, check) => {
    const transport = createTcpTransport();
    await check({ dialer: transport, listener: transport, address: { host: '127.0.0.1', port: 0 } });
  });
});

describe('memory', () => {
  test.each(claims.map((claim) => [claim.name, claim.check] as const))('%s', async (_name, check) => {
    const network = createMemoryNetwork();
    await check({ dialer: network.machine('a'), listener: network.machine('b'), address: { host: 'b', port: 0 } });
  });
});
