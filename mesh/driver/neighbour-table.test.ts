import { expect, test } from 'vitest';
import { NeighbourTable, parseNeighbours } from './neighbour-table.ts';

const TABLE = `IP address       HW type     Flags       HW address            Mask     Device
10.77.0.9        0x1         0x2         02:AB:00:00:00:09     *        eth0
10.77.0.8        0x1         0x0         00:00:00:00:00:00     *        eth0
10.77.0.9        0x1         0x2         02:ab:00:00:00:ff     *        wlan0
10.77.0.7        0x1         0x6         02:ab:00:00:00:07     *        eth0
torn lin
`;

test('the complete entries of the kernel’s table are read, the first of an address counts', () => {
  expect([...parseNeighbours(TABLE)]).toEqual([
    ['10.77.0.9', '02:ab:00:00:00:09'],
    ['10.77.0.7', '02:ab:00:00:00:07'],
  ]);
  expect(parseNeighbours('').size).toBe(0);
});

test('a machine that nobody knows has no hardware address', () => {
  expect(new NeighbourTable().macOf('203.0.113.1')).toBeNull();
});
