import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openFacts } from '#agent/hardware/facts/facts-root.ts';
import { stageBoard, stageFacts, stagings } from '#agent/hardware/stage-facts.ts';
import { HardwareWatch, type OwnEvent } from '#agent/runtime/hardware-watch.ts';
import type { Condition } from '#mesh/swarm/views.ts';

let folder = '';
let events: OwnEvent[] = [];
let announced: (readonly Condition[])[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'watch-'));
  mkdirSync(join(folder, 'state'));
  stageBoard(join(folder, 'facts'), 'raspberry-pi-4b');
  events = [];
  announced = [];
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

function open(): Promise<HardwareWatch> {
  return HardwareWatch.open({
    facts: openFacts(join(folder, 'facts')),
    stateDirectory: join(folder, 'state'),
    agentVersion: '1.0.0',
    onChange: (_capabilities, conditions) => void announced.push(conditions),
    onEvent: (event) => void events.push(event),
    log: () => undefined,
  });
}

describe('the hardware watch', () => {
  it('reads the board and says nothing of a machine that is as it was', async () => {
    expect((await open()).capabilities.profile).toBe('raspberry-pi-4b');
    const again = await open();
    expect(events).toEqual([]);
    expect(again.conditions.filter((condition) => condition.kind === 'hardware-changed')).toEqual([]);
  });

  it('PHYS-08: less memory after a restart is an event with before and after, and a condition', async () => {
    await open();
    stageFacts(join(folder, 'facts'), stagings['less-memory']);
    const watch = await open();
    expect(events).toEqual([expect.objectContaining({ code: 'HARDWARE_CHANGED', severity: 'warning', text: expect.stringContaining('memory') })]);
    expect(Object.keys(events[0]?.data ?? {})).toEqual(expect.arrayContaining(['memory: before', 'memory: after']));
    expect(watch.conditions.map((condition) => condition.kind)).toContain('hardware-changed');
    expect(await open().then(() => events.length)).toBe(1);
  });

  it('another board serial is critical', async () => {
    await open();
    stageFacts(join(folder, 'facts'), stagings['other-serial']);
    await open();
    expect(events[0]?.severity).toBe('critical');
  });

  it('PHYS-08: once a person has admitted the changed machine, the change is over and kept with its end', async () => {
    await open();
    stageFacts(join(folder, 'facts'), stagings['other-serial']);
    const watch = await open();
    watch.acknowledge();
    expect(watch.conditions.find((condition) => condition.kind === 'hardware-changed')?.until).not.toBeNull();
    expect(events.map((event) => event.code)).toEqual(['HARDWARE_CHANGED', 'CONDITION_ENDED']);
  });

  it('PHYS-09: a condition is announced within one poll, and again when it is over', async () => {
    vi.useFakeTimers();
    const watch = await open();
    watch.start();
    stageFacts(join(folder, 'facts'), stagings['under-voltage']);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(events.map((event) => event.code)).toContain('CONDITION_BEGAN');
    expect(announced.at(-1)?.some((condition) => condition.kind === 'under-voltage' && condition.until === null)).toBe(true);
    stageFacts(join(folder, 'facts'), stagings['under-voltage-over']);
    await vi.advanceTimersByTimeAsync(10_000);
    watch.stop();
    expect(events.map((event) => event.code)).toContain('CONDITION_ENDED');
    expect(announced.at(-1)?.some((condition) => condition.kind === 'under-voltage' && condition.until !== null)).toBe(true);
  });
});
