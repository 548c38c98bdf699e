/**
 * The schema of `hw-profiles/*.json`, as code. A test holds every file against it and keeps `hw-profiles/profile.schema.json`
 * (what editors use) equal to it. Only tests and tools import this file: the agent trusts what was embedded at build time.
 */
import * as z from 'zod';
import type { HardwareProfile } from './profile.ts';

const sentence = z.string().min(3).max(240);
const arch = z.enum(['arm64', 'x64']);
const rule = z
  .strictObject({
    compatible: z
      .string()
      .regex(/^[a-z0-9.-]+,[a-z0-9.+-]+$/)
      .exactOptional()
      .describe('an entry of the device tree’s "compatible"'),
    modelPrefix: z.string().min(3).exactOptional().describe('beginning of the device tree’s "model"'),
    virtualisation: z.enum(['none', 'vm', 'container']).exactOptional(),
    arch: arch.exactOptional(),
    deviceTree: z.boolean().exactOptional(),
  })
  .refine((clauses) => Object.keys(clauses).length > 0, 'a rule without clauses matches every machine');

/** One profile file; `$schema` is for editors. */
export const profileSchema: z.ZodType<HardwareProfile> = z.strictObject({
  $schema: z.literal('./profile.schema.json').optional(),
  id: z
    .string()
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
    .describe('equal to the file name without .json'),
  name: sentence,
  family: z.enum(['raspberry-pi', 'arm64-sbc', 'pc', 'virtual-machine', 'container']),
  generic: z.boolean().describe('stands in for unknown hardware'),
  rank: z.int().min(1).max(999).describe('the highest matching rank wins: container 300, board 200, virtual machine 100, generic 10'),
  match: z.array(rule).min(1).max(16).describe('any one rule must hold; in a rule, every clause'),
  arch: z.array(arch).min(1),
  memoryMebibytes: z.array(z.int().min(128)).describe('sizes sold; empty for any'),
  pageBytes: z.array(z.union([z.literal(4096), z.literal(16384), z.literal(65536)])).min(1),
  storage: z.array(z.enum(['sd', 'emmc', 'nvme', 'ssd', 'hdd', 'virtual', 'unknown'])).min(1),
  limits: z.strictObject({
    hotCelsius: z.int().min(50).max(105),
    criticalCelsius: z.int().min(60).max(110),
    hysteresisCelsius: z.int().min(1).max(20),
    underVoltageVolts: z.number().min(3).max(24).nullable(),
    storageFreePercentMin: z.int().min(1).max(50),
    memoryAvailablePercentMin: z.int().min(1).max(50),
  }),
  power: sentence,
  cooling: sentence,
  binding: z.strictObject({ otp: z.boolean().describe('the board has OTP rows for a device private key') }),
  quirks: z.array(sentence).max(16),
  checks: z.array(sentence).max(16),
});
