/**
 * Reads TCP conversations out of a capture of one Ethernet card: enough of pcap, Ethernet, IPv4 and TCP to get at the
 * bytes each side sent, in order. No loss is expected on the lab's switch; a gap is an error.
 */

/** What one side of one connection sent. */
export interface TcpDirection {
  /** `address:port`. */
  readonly from: string;
  readonly to: string;
  readonly bytes: Buffer;
}

const GLOBAL_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const ETHERNET_HEADER_BYTES = 14;
const LINK_ETHERNET = 1;

/** The directions of all TCP connections in a capture, in order of their first segment. */
export function tcpDirections(pcap: Buffer): readonly TcpDirection[] {
  if (pcap.readUInt32LE(20) !== LINK_ETHERNET) throw new Error('the capture is not of an Ethernet card');
  const directions = new Map<string, { from: string; to: string; start: number; chunks: Map<number, Buffer> }>();
  for (let at = GLOBAL_HEADER_BYTES; at + RECORD_HEADER_BYTES <= pcap.length;) {
    const length = pcap.readUInt32LE(at + 8);
    const packet = pcap.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + length);
    at += RECORD_HEADER_BYTES + length;
    const segment = tcpSegment(packet);
    if (segment === undefined) continue;
    const key = `${segment.from} ${segment.to}`;
    const known = directions.get(key);
    // A new SYN is a new connection, even from the same port.
    if (known === undefined || segment.isSyn)
      directions.set(key, { from: segment.from, to: segment.to, start: segment.sequence + (segment.isSyn ? 1 : 0), chunks: new Map() });
    if (segment.data.length > 0) directions.get(key)?.chunks.set(segment.sequence, segment.data);
  }
  return [...directions.values()].map(({ from, to, start, chunks }) => ({ from, to, bytes: inOrder(start, chunks) }));
}

function inOrder(start: number, chunks: ReadonlyMap<number, Buffer>): Buffer {
  const parts: Buffer[] = [];
  let next = start >>> 0;
  for (const [sequence, data] of [...chunks].sort(([a], [b]) => ((a - start) % 2 ** 32) - ((b - start) % 2 ** 32))) {
    const skipped = (next - sequence) >>> 0;
    if (skipped >= data.length && skipped < 2 ** 31) continue;
    if (sequence !== next && skipped >= 2 ** 31) throw new Error('the capture has a gap');
    parts.push(data.subarray(sequence === next ? 0 : skipped));
    next = (sequence + data.length) >>> 0;
  }
  return Buffer.concat(parts);
}

function tcpSegment(packet: Buffer): { from: string; to: string; sequence: number; isSyn: boolean; data: Buffer } | undefined {
  if (packet.length < ETHERNET_HEADER_BYTES + 40 || packet.readUInt16BE(12) !== 0x0800) return undefined;
  const ip = packet.subarray(ETHERNET_HEADER_BYTES);
  const ipBytes = ((ip[0] ?? 0) & 0x0f) * 4;
  if (ip[9] !== 6) return undefined;
  const tcp = ip.subarray(ipBytes, ip.readUInt16BE(2));
  const tcpBytes = ((tcp[12] ?? 0) >> 4) * 4;
  const address = (offset: number): string => [...ip.subarray(offset, offset + 4)].join('.');
  return {
    from: `${address(12)}:${tcp.readUInt16BE(0)}`,
    to: `${address(16)}:${tcp.readUInt16BE(2)}`,
    sequence: tcp.readUInt32BE(4),
    isSyn: ((tcp[13] ?? 0) & 0x02) !== 0,
    data: tcp.subarray(tcpBytes),
  };
}
