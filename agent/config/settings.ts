/**
 * Every setting of the agent with its default: the one description from which the file is checked and the documentation
 * is made. Reading files and command lines is elsewhere. docs/OPERATING.md explains each at length.
 */
import * as z from 'zod';
import { parseHostPort } from '#core/terminal/address.ts';
import { isNodeName } from '#provisioner/discover/mdns/txt.ts';

/** TCP port of the mesh where nothing else is configured. */
export const PORT_DEFAULT = 7_411;

const interfaceName = z
  .string()
  .regex(/^[^\s/]{1,15}$/)
  .describe('the name of a network interface, for example eth0');
const label = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/)
  .describe('letters, digits and . _ / -, at most 63');

/** The shape of /etc/robonet/config.yaml. Unknown keys are errors, not silence. */
export const settingsSchema = z.strictObject({
  name: z.string().refine(isNodeName).optional().describe("the node's name: letters, digits, - and _, at most 63; default: the host name"),
  port: z.int().min(1).max(65_535).default(PORT_DEFAULT).describe('TCP port other nodes connect to: a number from 1 to 65535'),
  interfaces: z
    .array(interfaceName)
    .max(16)
    .default([])
    .describe('only these network interfaces take part; a list such as [eth0, wlan0]; default: all that face a LAN'),
  discovery: z.boolean().default(true).describe('true: find and be found by multicast DNS; false: only `peers`, cached and learnt addresses'),
  peers: z
    .array(z.string().refine((text) => parseHostPort(text).kind === 'value'))
    .max(64)
    .default([])
    .describe('addresses to try besides those found: a list of HOST or HOST:PORT'),
  labels: z.record(label, label).default({}).describe('words about this node for people and rules: KEY: VALUE pairs'),
  hardware_binding: z.enum(['auto', 'none', 'soft', 'otp', 'tpm']).default('auto').describe('what a new identity is bound to: auto, none, soft, otp or tpm'),
  log_level: z.enum(['error', 'warning', 'notice', 'info', 'debug']).default('info').describe('how much is logged: error, warning, notice, info or debug'),
  facts: z.string().startsWith('/').optional().describe('tests: a folder that stands in front of /sys and /proc; an absolute path'),
  clock_rate: z
    .number()
    .min(1)
    .max(100_000)
    .default(1)
    .describe(
      "tests: how much faster this node's clock runs, so that trust ages and time-outs shrink alike; a number from 1; refused unless the mesh's trust profile is lab",
    ),
});

/** All settings with defaults applied. */
export type Settings = z.infer<typeof settingsSchema>;

/** Names of the settings, for "did you mean". */
export const settingNames: readonly string[] = Object.keys(settingsSchema.shape);

/** What a setting expects, as a phrase. */
export function expectedForm(key: string): string {
  const field = Object.entries(settingsSchema.shape).find(([name]) => name === key)?.[1];
  return field?.description ?? 'one of the known settings';
}
