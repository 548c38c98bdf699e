/** The contestants, in the order of the table. */
import type { WireSystem } from './system.ts';
import { floor } from './systems/floor.ts';
import { httpJson } from './systems/http-json.ts';
import { nats } from './systems/nats.ts';
import { robonet } from './systems/robonet.ts';

export const systems: readonly WireSystem[] = [httpJson, nats, robonet, floor];
