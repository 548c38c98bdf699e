/**
 * The power cut of a real machine: a real process on a real ext4, killed, and of its disk exactly what had been written out.
 * The file system lies in an image behind a loop device; a copy of the image, taken the moment after SIGKILL and before
 * anything is unmounted, holds what the kernel had handed to the disk and nothing of what it still kept in memory. Mounting
 * the copy replays the journal of ext4, as after a real cut.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startOnce } from '#test/power-cut/judge.ts';

const IMAGE_BYTES = 24 * 1024 * 1024;
const ROUNDS = 6;

let folder = '';
const mounted: string[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'robonet-ext4-'));
});
afterAll(() => {
  for (const path of mounted.splice(0).reverse()) execFileSync('umount', ['-l', path]);
  rmSync(folder, { recursive: true, force: true });
});

function mount(image: string, name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  execFileSync('mount', ['-o', 'loop', image, path]);
  mounted.push(path);
  return path;
}

/** The disk as the power cut leaves it, mounted; what was in memory only is gone. */
function afterTheCut(image: string, name: string): string {
  const copy = join(folder, `${name}.img`);
  copyFileSync(image, copy);
  return mount(copy, name);
}

/** A founder in a process of its own that tells, line by line, what it has promised. */
function founder(state: string): { readonly child: ChildProcess; readonly lines: string[] } {
  const script = `
    import { createMeshNode } from '#mesh/driver/create-mesh-node.ts';
    import { nodeOptions } from '#test/power-cut/workloads.ts';
    const node = createMeshNode(nodeOptions(${JSON.stringify(state)}));
    await node.start();
    const tell = (what) => console.log(JSON.stringify(what));
    tell({ aid: node.status().self.aid, incarnation: node.status().self.incarnation });
    if (node.status().mesh === null) await node.found({ name: 'attic', admission: 'approve', trustProfile: 'lab' });
    for (;;) {
      await node.invite({ role: 'member', uses: 1, expiresInMs: 3_600_000, label: null });
      tell({ committed: node.status().mesh.commitIndex });
      await new Promise((resolve) => setTimeout(resolve, 7));
    }
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  let rest = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  return { child, lines };
}

describe('a power cut of a process on ext4', () => {
  test('P-1: what the process had told is on the disk that the cut leaves; what it had not confirmed may be gone', async () => {
    const image = join(folder, 'card.img');
    writeFileSync(image, '');
    truncateSync(image, IMAGE_BYTES);
    execFileSync('mkfs.ext4', ['-q', '-F', image]);
    const card = mount(image, 'card');
    const state = join(card, 'robonet');
    // The method works at all: what nobody confirmed is not on the disk after the cut.
    writeFileSync(join(card, 'unconfirmed'), 'in memory only');
    expect(existsSync(join(afterTheCut(image, 'control'), 'unconfirmed'))).toBe(false);
    let incarnation = 0;
    let committed = 0;
    let aid = '';
    for (let round = 0; round < ROUNDS; round += 1) {
      const { child, lines } = founder(state);
      const enough = 3 + round * 5;
      const from = performance.now();
      while (lines.length < enough && performance.now() - from < 30_000) await new Promise((resolve) => setTimeout(resolve, 3));
      child.kill('SIGKILL');
      const found = afterTheCut(image, `cut-${round}`);
      await new Promise((resolve) => child.once('exit', resolve));
      expect(lines.length).toBeGreaterThanOrEqual(enough);
      for (const line of lines) {
        const told = JSON.parse(line) as { aid?: string; incarnation?: number; committed?: number };
        if (aid !== '' && told.aid !== undefined) expect(told.aid).toBe(aid);
        aid = told.aid ?? aid;
        incarnation = told.incarnation ?? incarnation;
        committed = told.committed ?? committed;
      }
      for (const start of [await startOnce(join(found, 'robonet')), await startOnce(join(found, 'robonet'))]) {
        if ('refused' in start) throw new Error(`round ${round}: refused with ${start.refused}`);
        expect(start).toMatchObject({ aid, mesh: 'attic' });
        expect(start.incarnation).toBeGreaterThan(incarnation);
        expect(start.commitIndex).toBeGreaterThanOrEqual(committed);
        expect(start.events).not.toContain('STATE_DEGRADED');
        incarnation = start.incarnation;
      }
      incarnation = Number(JSON.parse(lines[0] ?? '{}').incarnation);
    }
    expect(committed).toBeGreaterThan(ROUNDS * 5);
    expect(readFileSync('/proc/mounts', 'utf8')).toContain(card);
  });
});
