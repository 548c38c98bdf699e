/** Frames of a recorded conversation: what each side of a handshake once said. */
import { type TcpDirection, tcpDirections } from '../../lab/pcap.ts';
import { frameTypes } from './frames.ts';

const HEADER_BYTES = 24;

/** A handshake that was recorded. */
export interface RecordedHandshake {
  /** The addresses of both ends, without ports. */
  readonly initiator: string;
  readonly responder: string;
  /** Its frames in hexadecimal, in order. */
  readonly asked: readonly string[];
  readonly answered: readonly string[];
}

/** The complete handshakes in a capture: HELLO, HS1 and HS3 of one side, HELLO and HS2 of the other. */
export function handshakesIn(pcap: Buffer): readonly RecordedHandshake[] {
  const directions = tcpDirections(pcap);
  return directions.flatMap((asked) => {
    const answered = directions.find((other) => other.from === asked.to && other.to === asked.from);
    const [mine, theirs] = [framesOf(asked), answered === undefined ? [] : framesOf(answered)];
    const isInitiator = mine[0]?.[3] === frameTypes.hello && mine[1]?.[3] === frameTypes.hs1 && mine[2]?.[3] === frameTypes.hs3;
    if (!isInitiator || theirs.length < 2) return [];
    const hex = (frames: readonly Buffer[]): readonly string[] => frames.map((each) => each.toString('hex'));
    return [{ initiator: hostOf(asked.from), responder: hostOf(asked.to), asked: hex(mine.slice(0, 3)), answered: hex(theirs.slice(0, 2)) }];
  });
}

function framesOf({ bytes }: TcpDirection): readonly Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length;) {
    const end = at + HEADER_BYTES + bytes.readUInt32BE(at + 16);
    if (end > bytes.length) break;
    frames.push(bytes.subarray(at, end));
    at = end;
  }
  return frames;
}

function hostOf(end: string): string {
  return end.slice(0, end.lastIndexOf(':'));
}
