/**
 * What the kernel's files leave open, asked of systeminformation: two functions of an allow-list, no arguments, never anything from
 * outside (the library runs shell commands; libraries.md §2.3), loaded only when needed because loading costs start time, and never
 * for a staged machine. Its answer only fills gaps.
 */
import type { FactsRoot } from './facts-root.ts';
import type { HardwareRecord } from './facts.ts';
import { limits } from '../limits.ts';
import { cleanName, isPlaceholder } from './names.ts';

/** The record with processor and model name filled in where the files had none. */
export async function describeMachine(root: FactsRoot, record: HardwareRecord): Promise<HardwareRecord> {
  const model = record.model === null && record.virtualisation === 'none';
  const cpu = record.cpu.model === null;
  if (root.staged || (!model && !cpu)) return record;
  const answer = await Promise.race([ask(), late()]);
  if (answer === null) return record;
  return {
    ...record,
    model: record.model ?? (model ? usable(answer.model) : null),
    cpu: { ...record.cpu, model: record.cpu.model ?? usable(answer.cpu) },
  };
}

async function ask(): Promise<{ model: string; cpu: string } | null> {
  const { cpu, system } = await import('systeminformation');
  const [processor, machine] = await Promise.all([cpu(), system()]);
  return { model: `${machine.manufacturer} ${machine.model}`.trim(), cpu: processor.brand };
}

function late(): Promise<null> {
  return new Promise((resolve) => setTimeout(resolve, limits.reportTimeoutMs, null).unref());
}

function usable(text: string): string | null {
  return isPlaceholder(text) ? null : cleanName(text);
}
