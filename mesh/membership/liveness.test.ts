import { describe, expect, it } from 'vitest';
import { LivenessTable } from './liveness.ts';

describe('liveness', () => {
  it('a member with an open link that falls silent is suspect after 15 s and down 6 s later', () => {
    const table = new LivenessTable();
    expect(table.linkUp('a', 0)).toMatchObject({ from: 'down', to: 'up' });
    expect(table.tick(14_999).changes).toEqual([]);
    expect(table.tick(15_000).changes).toMatchObject([{ id: 'a', to: 'suspect', why: 'no frame for 15000 ms' }]);
    expect(table.tick(20_999).changes).toEqual([]);
    expect(table.tick(21_000).changes).toMatchObject([{ id: 'a', from: 'suspect', to: 'down' }]);
  });

  it('a steady heartbeat makes the silence that φ allows shorter than 15 s', () => {
    const table = new LivenessTable();
    table.linkUp('a', 0);
    for (let now = 5_000; now <= 60_000; now += 5_000) table.heard('a', now);
    expect(table.wakeAt()).toBeLessThan(75_000);
    expect(table.tick(72_000).changes).toMatchObject([{ to: 'suspect' }]);
  });

  it('a broken connection whose redial is refused makes its member suspect at once and down within 10 s', () => {
    const table = new LivenessTable();
    table.linkUp('a', 0);
    table.linkBroken('a', 1_000);
    expect(table.state('a')).toBe('up');
    expect(table.probeFailed('a', 1_020, 'redial refused')).toMatchObject({ to: 'suspect', why: 'connection lost, redial refused' });
    expect(table.tick(7_020).changes).toMatchObject([{ to: 'down' }]);
  });

  it('a broken connection whose redial is not answered makes its member suspect within 3 s', () => {
    const table = new LivenessTable();
    table.linkUp('a', 0);
    table.linkBroken('a', 1_000);
    expect(table.wakeAt()).toBe(3_000);
    expect(table.tick(3_000).changes).toMatchObject([{ to: 'suspect' }]);
  });

  it('our own stall is subtracted from the silence of others', () => {
    const table = new LivenessTable();
    table.linkUp('a', 0);
    table.stalled(10_000);
    expect(table.tick(20_000).changes).toEqual([]);
    expect(table.tick(25_000).changes).toMatchObject([{ to: 'suspect' }]);
  });

  it('a farewell is believed at once', () => {
    const table = new LivenessTable();
    table.linkUp('a', 0);
    expect(table.farewell('a', 10, false)).toMatchObject({ to: 'down', why: 'stopped in an orderly way' });
    table.linkUp('a', 20);
    expect(table.farewell('a', 30, true)).toMatchObject({ to: 'left' });
  });

  it('every open link is pinged each 5 s', () => {
    const table = new LivenessTable();
    table.linkUp('a', 0);
    table.linkUp('b', 1_000);
    expect(table.tick(5_000).pings).toEqual(['a']);
    expect(table.tick(6_000).pings).toEqual(['b']);
    expect(table.tick(10_000).pings).toEqual(['a']);
  });
});
