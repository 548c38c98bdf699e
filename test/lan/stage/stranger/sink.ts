/**
 * A plain service that takes every connection, reads what comes and says nothing: what an attack costs a machine whatever
 * runs on it. Arguments: address, port.
 */
import { createServer } from 'node:net';

const [address = '', port = ''] = process.argv.slice(2);
createServer((socket) => {
  socket.on('error', () => undefined);
  socket.resume();
}).listen(Number(port), address, () => process.stdout.write('listening\n'));
