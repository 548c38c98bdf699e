/**
 * A stranger in between: whoever connects to it is passed on to another machine, in both directions, byte by byte. It changes
 * nothing. Arguments: own address, port, target. Prints a line for each connection it passes on.
 */
import { connect, createServer } from 'node:net';

const [address = '', port = '', target = ''] = process.argv.slice(2);
createServer((client) => {
  const server = connect({ host: target, port: Number(port), localAddress: address });
  process.stdout.write(`passed on to ${target}\n`);
  for (const socket of [client, server]) socket.on('error', () => undefined);
  client.pipe(server);
  server.pipe(client);
}).listen(Number(port), address, () => process.stdout.write('listening\n'));
