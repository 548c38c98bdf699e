/** Every file of hw-profiles/, embedded. Generated (docs/HARDWARE.md, "Adding a board"): do not edit. */
import container from '../../../hw-profiles/container.json' with { type: 'json' };
import genericArm64Sbc from '../../../hw-profiles/generic-arm64-sbc.json' with { type: 'json' };
import genericX8664MiniPc from '../../../hw-profiles/generic-x86-64-mini-pc.json' with { type: 'json' };
import raspberryPi3b from '../../../hw-profiles/raspberry-pi-3b.json' with { type: 'json' };
import raspberryPi3bPlus from '../../../hw-profiles/raspberry-pi-3b-plus.json' with { type: 'json' };
import raspberryPi400 from '../../../hw-profiles/raspberry-pi-400.json' with { type: 'json' };
import raspberryPi4b from '../../../hw-profiles/raspberry-pi-4b.json' with { type: 'json' };
import raspberryPi5 from '../../../hw-profiles/raspberry-pi-5.json' with { type: 'json' };
import raspberryPiCm4 from '../../../hw-profiles/raspberry-pi-cm4.json' with { type: 'json' };
import raspberryPiCm5 from '../../../hw-profiles/raspberry-pi-cm5.json' with { type: 'json' };
import raspberryPiZero2W from '../../../hw-profiles/raspberry-pi-zero-2-w.json' with { type: 'json' };
import virtualMachine from '../../../hw-profiles/virtual-machine.json' with { type: 'json' };
import type { HardwareProfile } from './profile.ts';

// A decoder: JSON imports widen literals to string; the profile test holds every file against the schema.
const embedded: readonly unknown[] = [
  container,
  genericArm64Sbc,
  genericX8664MiniPc,
  raspberryPi3b,
  raspberryPi3bPlus,
  raspberryPi400,
  raspberryPi4b,
  raspberryPi5,
  raspberryPiCm4,
  raspberryPiCm5,
  raspberryPiZero2W,
  virtualMachine,
];

/** All hardware profiles known to this build. */
export const profiles = embedded as readonly HardwareProfile[];
