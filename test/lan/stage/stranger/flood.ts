/**
 * A stranger in a hurry: from each of its faces it opens connections as fast as it is let, sends half a frame or garbage,
 * and never finishes. Arguments: host, port, faces. Prints how many connections it has opened, every half second.
 */
import { connect } from 'node:net';
import { setInterval as everyMs } from 'node:timers/promises';

const [host = '', port = '', ...faces] = process.argv.slice(2);
const BETWEEN_MS = 20;
const LINGER_MS = 4_000;
const CONNECTIONS_MAX = 20_000;
let opened = 0;
let shownAt = performance.now();

for await (const _ of everyMs(BETWEEN_MS)) {
  const from = faces[opened % faces.length];
  if (from === undefined || opened >= CONNECTIONS_MAX) break;
  opened++;
  const socket = connect({ host, port: Number(port), localAddress: from });
  socket.on('error', () => undefined);
  // Alternately the beginning of a true header, and noise.
  socket.write(Buffer.from(opened % 2 === 0 ? '524e0101000000' : '00112233445566778899', 'hex'));
  setTimeout(() => socket.destroy(), LINGER_MS);
  if (performance.now() - shownAt > 500) {
    shownAt = performance.now();
    process.stdout.write(`${opened} connections\n`);
  }
}
