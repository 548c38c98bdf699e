/** What the event codes of the agent and of conditions mean; refusal codes of the protocol explain themselves in mesh/wire. */

/** Text per code, for `explain`. */
export const eventCodes: ReadonlyMap<string, string> = new Map([
  ['HARDWARE_CHANGED', 'the machine is not what it was before the last start; the event lists each difference, before and after'],
  ['CONDITION_STARTED', 'something began to be wrong with the machine: power, temperature, storage, memory or clock'],
  ['CONDITION_ENDED', 'it is over; the event holds start, end and worst value'],
  ['CONDITION_WORSENED', 'something that was wrong already got worse'],
  ['INTERFACE_CHANGED', 'the network interfaces in use have changed'],
  ['NO_INTERFACE', 'no network interface that faces a LAN is left; `robonet doctor` says why each was passed over'],
  ['NODE_DOWN', 'a member does not answer any more'],
  ['NODE_SUSPECT', 'a member has fallen silent and is being asked'],
  ['ISOLATED', 'none of the other members can be reached from here'],
  ['UNJOINED', 'this node belongs to no mesh'],
  ['WAITING_FOR_APPROVAL', 'this node stands in the lobby of a mesh until a person approves it'],
  ['REQUESTS_WAITING', 'machines wait for a person to compare their fingerprint and approve them'],
  ['REFUSED', 'the mesh has turned this node away'],
  ['UNDER_VOLTAGE', "the power supply sags; use the board's own supply and a short, thick cable"],
  ['THROTTLED', 'the processor runs slower than it could, because of heat or power'],
  ['HOT', 'the processor is hot; give it air'],
  ['STORAGE_READ_ONLY', 'the system disk is mounted read-only, often because a card fails'],
  ['STORAGE_WORN', 'the card or disk says that its life is nearly used up'],
  ['STORAGE_FILLING', 'the disk is nearly full'],
  ['MEMORY_LOW', 'little memory is left'],
  ['CLOCK_UNSYNCHRONISED', 'the clock is not set from the network'],
]);
