/**
 * The registry of message types and channels (protocol.md §2.5, §2.6). Numbers here are the protocol: they change only
 * with the protocol version.
 */

/** Message types of version 1. */
export const MESSAGE_TYPE = {
  HELLO: 0x01,
  HS1: 0x02,
  HS2: 0x03,
  HS3: 0x04,
  ACCEPT: 0x05,
  REJECT: 0x06,
  BYE: 0x07,
  PING: 0x10,
  PONG: 0x11,
  CKPT: 0x12,
  VOID: 0x13,
  EVIDENCE: 0x14,
  EST_FETCH: 0x15,
  EST: 0x16,
  RAFT: 0x20,
  GOSSIP: 0x30,
  REQ: 0x40,
  RES: 0x41,
  ERR: 0x42,
  CANCEL: 0x43,
  BULK_OFFER: 0x50,
  BULK_CHUNK: 0x51,
  BULK_ACK: 0x52,
  ADMIT_REQ: 0x60,
  ADMIT_STATUS: 0x61,
  WELCOME: 0x62,
  SENTINEL: 0x70,
} as const;

/** The number of a known message type. */
export type MessageType = (typeof MESSAGE_TYPE)[keyof typeof MESSAGE_TYPE];

/** Types from here on may be ignored by who does not know them; they are still chained and counted. */
export const MESSAGE_TYPE_IGNORABLE_MIN = 0x80;

/** Channels: which queue and which part of the node a message belongs to. */
export const CHANNEL = { CONTROL: 0, RAFT: 1, GOSSIP: 2, RPC: 3, BULK: 4, PLUGIN: 5 } as const;

/** The number of a channel. */
export type Channel = (typeof CHANNEL)[keyof typeof CHANNEL];
/** Largest channel number of version 1. */
export const CHANNEL_MAX = 5;

/** Frame flags. */
export const FLAG = { ENC: 1, BATCH: 2 } as const;
/** All flags of version 1; any other bit is reserved. */
export const FLAGS_KNOWN = FLAG.ENC | FLAG.BATCH;

const names = new Map<number, string>(Object.entries(MESSAGE_TYPE).map(([name, type]) => [type, name]));

/** Whether a type may appear in a frame at all: known, or ignorable. */
export function isPermittedType(type: number): boolean {
  return type >= MESSAGE_TYPE_IGNORABLE_MIN ? type <= 0xff : names.has(type);
}

/** Whether a type is part of opening a connection; those frames are never chained and never batched. */
export function isOpeningType(type: number): boolean {
  return type >= MESSAGE_TYPE.HELLO && type <= MESSAGE_TYPE.REJECT;
}

/** Name for logs and events: `PING`, or `0x91` for a type without one. */
export function messageTypeName(type: number): string {
  return names.get(type) ?? `0x${type.toString(16).padStart(2, '0')}`;
}

/** The channel on which a type travels unless its sender has reason to choose another. */
export function channelOf(type: number): Channel {
  if (type === MESSAGE_TYPE.RAFT) return CHANNEL.RAFT;
  if (type === MESSAGE_TYPE.GOSSIP) return CHANNEL.GOSSIP;
  if (type >= MESSAGE_TYPE.REQ && type <= MESSAGE_TYPE.CANCEL) return CHANNEL.RPC;
  if (type >= MESSAGE_TYPE.BULK_OFFER && type <= MESSAGE_TYPE.BULK_ACK) return CHANNEL.BULK;
  return type >= MESSAGE_TYPE_IGNORABLE_MIN ? CHANNEL.PLUGIN : CHANNEL.CONTROL;
}
