/**
 * What has been read, before any judgement: plain data, JSON-safe, `null` for absent. `HardwareRecord` changes only when somebody
 * opens the case (it is kept to compare with after the next boot); `LiveFacts` change by the second.
 */

/** What a block device is made of. */
export type StorageKind = 'sd' | 'emmc' | 'nvme' | 'ssd' | 'hdd' | 'virtual' | 'unknown';

/** Whether this is a machine of its own. */
export type Virtualisation = 'none' | 'vm' | 'container';

/** One whole disk or card. */
export interface Disk {
  /** Kernel name, e.g. `mmcblk0`. */
  readonly name: string;
  readonly kind: StorageKind;
  readonly bytes: number;
  readonly model: string | null;
  /** Card CID, disk serial or WWID: what tells two equal disks apart. */
  readonly id: string | null;
  /** Carries the root file system, as far as that can be told. */
  readonly root: boolean;
}

/** A network interface with hardware behind it (in a container: the pair that leads to the LAN). */
export interface NetworkInterface {
  readonly name: string;
  readonly mac: string;
  readonly bus: 'built-in' | 'usb' | 'virtual';
  /** The address comes from the hardware, not from a random number or a setting. */
  readonly permanent: boolean;
}

/** Facts that change only when the machine does. */
export interface HardwareRecord {
  readonly v: 1;
  readonly arch: string;
  readonly os: string;
  readonly kernel: string;
  readonly virtualisation: Virtualisation;
  /** Name of the hypervisor or container runtime, when known. */
  readonly virtualiser: string | null;
  readonly model: string | null;
  /** Device-tree `compatible` entries, most specific first. */
  readonly compatible: readonly string[];
  readonly serial: string | null;
  readonly dmi: {
    readonly vendor: string | null;
    readonly product: string | null;
    readonly productUuid: string | null;
    readonly productSerial: string | null;
    readonly boardSerial: string | null;
  };
  readonly cpu: { readonly model: string | null; readonly cores: number; readonly maxMhz: number | null };
  readonly memoryBytes: number;
  readonly pageBytes: number | null;
  readonly disks: readonly Disk[];
  readonly interfaces: readonly NetworkInterface[];
  readonly gpu: string | null;
  readonly npu: string | null;
  /** Device classes found: `gpio`, `camera`, `audio-input`, `audio-output`, `bluetooth`, `i2c`, `spi`. */
  readonly devices: readonly string[];
}

/** Facts that change by the second; what a poll reads. */
export interface LiveFacts {
  readonly temperatureCelsius: number | null;
  /** Sags right now. */
  readonly underVoltage: boolean | null;
  /** Slowed down right now, by the firmware or by the kernel's thermal governor. */
  readonly throttled: boolean | null;
  /** Has sagged / was slowed at some moment since boot. */
  readonly underVoltageSinceBoot: boolean | null;
  readonly throttledSinceBoot: boolean | null;
  /** The file system that holds the agent's state has been set read-only (by an error or by a person). */
  readonly storageReadOnly: boolean | null;
  readonly storage: { readonly bytes: number; readonly freeBytes: number } | null;
  /** Used lifetime in percent as an eMMC reports it (10 % steps; 110 for "exceeded"). */
  readonly wornPercent: number | null;
  /** eMMC reserve blocks: 1 normal, 2 four fifths used, 3 nearly all used. */
  readonly reserveState: number | null;
  /** Errors the ext4 file system has recorded. */
  readonly fileSystemErrors: number | null;
  readonly memory: { readonly bytes: number; readonly availableBytes: number } | null;
  /** Share of the last 10 s in which all work waited for memory, percent. */
  readonly memoryStallPercent: number | null;
  readonly clockSynchronised: boolean | null;
  readonly uptimeSeconds: number | null;
}
