import { describe, expect, it } from 'vitest';
import { SERVICES_MAX } from '#provisioner/discover/mdns/limits.ts';
import { answersTo, type MdnsRecord, questionsIn, recordsIn, recordsOf } from '#provisioner/discover/mdns/records.ts';
import { ServiceCache } from '#provisioner/discover/mdns/service-cache.ts';
import { type AgentProperties, decodeTxt, encodeTxt, instanceName, ROBONET_SERVICE } from '#provisioner/discover/mdns/txt.ts';

const properties: AgentProperties = {
  meshTag: '0123456789abcdef',
  state: 'member',
  name: 'attic-pi',
  fingerprint: 'ABCD-EFGH-IJKL-2345',
  protocolVersion: 1,
  agentVersion: '0.1.0',
};
const advertisement = { instance: 'robonet-abcdefghijkl', type: ROBONET_SERVICE, host: 'robonet-abcdefghijkl.local', port: 7_411, txt: encodeTxt(properties) };
const own = recordsOf(advertisement, ['10.0.0.5']);

describe('our own records', () => {
  it("answer a browse with everything a browser asks next, and only this interface's addresses", () => {
    const { answers, additionals } = answersTo({ name: '_ROBONET._tcp.local', type: 'PTR' }, own);
    expect(answers).toEqual([expect.objectContaining({ type: 'PTR', data: 'robonet-abcdefghijkl._robonet._tcp.local' })]);
    expect(additionals.map((record) => record.type)).toEqual(['SRV', 'TXT', 'A']);
  });
  it('answer for the host name and stay silent about others', () => {
    expect(answersTo({ name: 'robonet-abcdefghijkl.local', type: 'A' }, own).answers).toHaveLength(1);
    expect(answersTo({ name: 'printer.local', type: 'A' }, own).answers).toHaveLength(0);
  });
});

describe('a service cache', () => {
  it('completes a service from one packet', () => {
    const cache = new ServiceCache([ROBONET_SERVICE]);
    const { changed, questions } = cache.absorb(own, '10.0.0.5', 'eth0', 1_000);
    expect(questions).toEqual([]);
    expect(changed).toEqual([
      expect.objectContaining({ instance: 'robonet-abcdefghijkl', host: 'robonet-abcdefghijkl.local', port: 7_411, from: '10.0.0.5', addresses: ['10.0.0.5'] }),
    ]);
    expect(decodeTxt(changed[0]?.txt ?? new Map())).toEqual(properties);
  });

  it('asks for what a packet left out and completes it from the next', () => {
    const cache = new ServiceCache([ROBONET_SERVICE]);
    const [pointer, ...rest] = own;
    const first = cache.absorb(pointer === undefined ? [] : [pointer], '10.0.0.5', 'eth0', 1_000);
    expect(first.questions).toEqual([{ name: 'robonet-abcdefghijkl._robonet._tcp.local', type: 'SRV' }]);
    cache.absorb(rest, '10.0.0.5', 'eth0', 1_100);
    expect(cache.list()[0]).toMatchObject({ port: 7_411, addresses: ['10.0.0.5'] });
  });

  it('follows an address change and a goodbye', () => {
    const cache = new ServiceCache([ROBONET_SERVICE]);
    cache.absorb(own, '10.0.0.5', 'eth0', 1_000);
    cache.absorb(
      [
        { type: 'A', name: advertisement.host, ttl: 0, data: '10.0.0.5' },
        { type: 'A', name: advertisement.host, ttl: 120, data: '10.0.0.6' },
      ],
      '10.0.0.6',
      'eth0',
      2_000,
    );
    expect(cache.list()[0]?.addresses).toEqual(['10.0.0.6']);
    const goodbye = cache.absorb(
      own.map((record) => ({ ...record, ttl: 0 })),
      '10.0.0.6',
      'eth0',
      3_000,
    );
    expect(goodbye.gone.map((service) => service.instance)).toEqual(['robonet-abcdefghijkl']);
    expect(cache.list()).toEqual([]);
  });

  it('expires what is not confirmed, however long it claims to live', () => {
    const cache = new ServiceCache([ROBONET_SERVICE]);
    cache.absorb([{ type: 'PTR', name: '_robonet._tcp.local', ttl: 4_000_000_000, data: 'x._robonet._tcp.local' }], '10.0.0.5', 'eth0', 0);
    expect(cache.expire(74 * 60_000)).toEqual([]);
    expect(cache.expire(76 * 60_000)).toHaveLength(1);
  });

  it('remembers at most its limit of services under a flood', () => {
    const cache = new ServiceCache([ROBONET_SERVICE]);
    for (let index = 0; index < SERVICES_MAX + 50; index += 1) {
      cache.absorb([{ type: 'PTR', name: '_robonet._tcp.local', ttl: 120, data: `n${String(index)}._robonet._tcp.local` }], '10.0.0.5', 'eth0', 0);
    }
    expect(cache.list()).toHaveLength(SERVICES_MAX);
  });
});

describe('hostile packets', () => {
  it('leave nothing but well-formed records', () => {
    const packet = {
      answers: [
        null,
        7,
        { type: 'PTR' },
        { type: 'SRV', name: 'a', ttl: 1, data: { target: 'b', port: 99_999 } },
        { type: 'A', name: 'ok', ttl: 1, data: '10.0.0.1' },
      ],
      additionals: 'nonsense',
    };
    expect(recordsIn(packet)).toEqual([{ type: 'A', name: 'ok', ttl: 1, data: '10.0.0.1' } satisfies MdnsRecord]);
    expect(recordsIn(undefined)).toEqual([]);
    expect(questionsIn({ questions: [{ name: 1 }, { name: 'x', type: 'PTR' }] })).toEqual([{ name: 'x', type: 'PTR' }]);
  });

  it.each([
    ['a name with an escape sequence', 'n', 'x\u001b[2J'],
    ['a name with a blank', 'n', 'a b'],
    ['a fingerprint of another form', 'fp', 'ABCD'],
    ['another version', 'v', '2'],
    ['an unknown state', 'st', 'king'],
    ['a mesh tag that is not hexadecimal', 'mt', 'zzzzzzzzzzzzzzzz'],
  ])('%s makes the properties unreadable', (_name, key, value) => {
    expect(decodeTxt(new Map([...encodeTxt(properties), [key, value]]))).toBeUndefined();
  });

  it('instance names carry twelve characters of the identity', () => {
    expect(instanceName('rn1abcdefghijklmnop')).toBe('robonet-abcdefghijkl');
  });
});
