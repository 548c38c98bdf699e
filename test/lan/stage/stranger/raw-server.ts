/**
 * A stranger that answers: listens like an agent and replies to whatever comes with the same bytes, then waits for the
 * other side to give up. Arguments: address, port, reply in hexadecimal.
 */
import { createServer } from 'node:net';

const [address = '', port = '', reply = ''] = process.argv.slice(2);
createServer((socket) => {
  socket.on('error', () => undefined);
  socket.once('data', () => socket.write(Buffer.from(reply, 'hex')));
}).listen(Number(port), address, () => process.stdout.write('listening\n'));
