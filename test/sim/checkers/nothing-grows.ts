/** What machines hold is bounded: open connections and dials, and what waits at a cut cable for a peer that is not there. */
import type { MakeChecker } from './checker.ts';

/** Two per peer are plenty: one that is open, one that is being judged; copies of peers come on top. */
const CONNECTIONS_MAX = 32;
const WAITING_BYTES_MAX = 1_048_576;

export const nothingGrows: MakeChecker = ({ world }) => ({
  name: 'nothing-grows',
  onView(machine) {
    if (machine.ends.size > CONNECTIONS_MAX) return `${machine.name} holds ${machine.ends.size} connections`;
    if (machine.dials.size > CONNECTIONS_MAX) return `${machine.name} dials ${machine.dials.size} times at once`;
    const waiting = world.network.waitingBytesMax;
    return waiting > WAITING_BYTES_MAX ? `${waiting} bytes wait for one end of a cut cable` : undefined;
  },
});
