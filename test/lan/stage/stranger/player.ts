/**
 * A stranger that answers with what another machine once said: one recorded frame for each thing it hears. Arguments: own
 * address, port; standard input: the frames in hexadecimal, one a line. Prints a line for each frame it plays back.
 */
import { createServer } from 'node:net';

const [address = '', port = ''] = process.argv.slice(2);
let input = '';
for await (const chunk of process.stdin) input += String(chunk);
const frames = input.split('\n').filter((line) => line !== '');
createServer((socket) => {
  const left = [...frames];
  socket.on('error', () => undefined);
  socket.on('data', () => {
    const frame = left.shift();
    if (frame === undefined) return;
    process.stdout.write('played back\n');
    socket.write(Buffer.from(frame, 'hex'));
  });
}).listen(Number(port), address, () => process.stdout.write('listening\n'));
