/**
 * Every fault code of the product in one place; one file per area, so that an area's codes are read together.
 * A code is never reused for another meaning.
 */
import { agentFaults } from '#core/errors/catalogue/agent.ts';
import { commandLineFaults } from '#core/errors/catalogue/command-line.ts';
import { hardwareFaults } from '#core/errors/catalogue/hardware.ts';
import { meshFaults } from '#core/errors/catalogue/mesh.ts';
import { provisionFaults } from '#core/errors/catalogue/provision.ts';

export const catalogue = {
  ...commandLineFaults,
  ...agentFaults,
  ...hardwareFaults,
  ...meshFaults,
  ...provisionFaults,
};
