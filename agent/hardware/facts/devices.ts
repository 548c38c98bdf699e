/** Reads what is plugged into the board that work could use: graphics processors, accelerators, cameras, sound, pins. */
import type { FactsRoot } from './facts-root.ts';

const GPU_VENDORS = new Map([
  ['0x10de', 'NVIDIA'],
  ['0x1002', 'AMD'],
  ['0x8086', 'Intel'],
]);

/** Drivers of small boards and the names people know. */
const EMBEDDED_GPUS: readonly (readonly [RegExp, string])[] = [
  [/bcm2835-v3d/, 'VideoCore IV'],
  [/bcm2711-v3d/, 'VideoCore VI'],
  [/2712-v3d/, 'VideoCore VII'],
  [/mali/, 'Mali'],
  [/adreno/, 'Adreno'],
  [/vivante|powervr|img/, 'embedded GPU'],
];

/** The graphics processor with the most promise for computing, by maker. Emulated displays are none. */
export function readGpu(root: FactsRoot): string | null {
  const found: string[] = [];
  for (const card of root.list('/sys/class/drm')) {
    if (!/^(card|renderD)\d+$/.test(card)) continue;
    const vendor = GPU_VENDORS.get(root.text(`/sys/class/drm/${card}/device/vendor`) ?? '');
    const compatible = /^OF_COMPATIBLE_0=(.+)$/m.exec(root.text(`/sys/class/drm/${card}/device/uevent`) ?? '')?.[1];
    const embedded = EMBEDDED_GPUS.find(([pattern]) => pattern.test(compatible ?? ''))?.[1];
    if (vendor !== undefined) found.push(vendor);
    else if (embedded !== undefined) found.push(embedded);
  }
  if (root.exists('/proc/driver/nvidia/version')) found.push('NVIDIA');
  for (const maker of GPU_VENDORS.values()) if (found.includes(maker)) return maker;
  return found[0] ?? null;
}

/** Neural accelerators: the kernel's own class, and the two add-ons people really plug into small boards. */
export function readNpu(root: FactsRoot): string | null {
  if (root.list('/sys/class/hailo_chardev').length > 0) return 'Hailo';
  if (root.list('/sys/class/apex').length > 0) return 'Coral Edge TPU';
  const accelerator = root.list('/sys/class/accel')[0];
  if (accelerator === undefined) return null;
  return /^DRIVER=(.+)$/m.exec(root.text(`/sys/class/accel/${accelerator}/device/uevent`) ?? '')?.[1] ?? 'accelerator';
}

/** Classes of devices found, sorted: what the skills of the same names rest on. */
export function readDevices(root: FactsRoot): readonly string[] {
  const found = new Set<string>();
  if (root.list('/sys/bus/gpio/devices').some((name) => name.startsWith('gpiochip'))) found.add('gpio');
  if (root.list('/sys/class/i2c-dev').length > 0) found.add('i2c');
  if (root.list('/sys/class/spidev').length > 0) found.add('spi');
  if (root.list('/sys/class/bluetooth').length > 0) found.add('bluetooth');
  for (const name of root.list('/sys/class/sound')) {
    if (/^pcmC\d+D\d+c$/.test(name)) found.add('audio-input');
    if (/^pcmC\d+D\d+p$/.test(name)) found.add('audio-output');
  }
  for (const video of root.list('/sys/class/video4linux')) {
    // Decoders, scalers and image processors of the board are video devices too, and no cameras.
    const name = root.text(`/sys/class/video4linux/${video}/name`) ?? '';
    if (name !== '' && !/codec|isp|pispbe|hevc|vpu|decod|encod|rga|hantro|loopback/i.test(name)) found.add('camera');
  }
  return [...found].sort();
}
