/**
 * What a hardware profile says: facts about a board as data (hw-profiles/*.json), so that a board is added without touching code.
 * The schema in `profile-schema.ts` describes the same shape and is checked against every file by a test; at run time the embedded
 * files are trusted.
 */
import type { StorageKind, Virtualisation } from '../facts/facts.ts';

/** One way to recognise the board: every given clause must hold. */
export interface MatchRule {
  /** An entry of the device tree's `compatible`, exactly. */
  readonly compatible?: string;
  /** Beginning of the device tree's `model`. */
  readonly modelPrefix?: string;
  readonly virtualisation?: Virtualisation;
  readonly arch?: string;
  /** True: a device tree must be there; false: it must not. */
  readonly deviceTree?: boolean;
}

/** One board, or one family that needs no finer distinction. */
export interface HardwareProfile {
  readonly id: string;
  readonly name: string;
  readonly family: 'raspberry-pi' | 'arm64-sbc' | 'pc' | 'virtual-machine' | 'container';
  /** True for the profiles that stand in for unknown hardware. */
  readonly generic: boolean;
  /** The highest matching rank wins: container 300, board 200, virtual machine 100, generic 10. */
  readonly rank: number;
  readonly match: readonly MatchRule[];
  readonly arch: readonly string[];
  /** Sizes sold, in MiB; empty for "any". */
  readonly memoryMebibytes: readonly number[];
  readonly pageBytes: readonly number[];
  readonly storage: readonly StorageKind[];
  readonly limits: {
    /** Warning from here up. */
    readonly hotCelsius: number;
    /** Critical from here up; most boards slow down or stop above. */
    readonly criticalCelsius: number;
    /** A temperature condition clears this far below the threshold that raised it. */
    readonly hysteresisCelsius: number;
    /** Supply voltage below which the board reports under-voltage; null where it cannot tell. */
    readonly underVoltageVolts: number | null;
    readonly storageFreePercentMin: number;
    readonly memoryAvailablePercentMin: number;
  };
  /** What to do about the power supply, in one sentence. */
  readonly power: string;
  /** What to do about heat, in one sentence. */
  readonly cooling: string;
  readonly binding: { readonly otp: boolean };
  readonly quirks: readonly string[];
  /** What a person should look at when this board misbehaves. */
  readonly checks: readonly string[];
}
