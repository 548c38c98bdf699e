/** Whether a UNIX socket has somebody behind it: a live agent, or only the file of a dead one. */
import { connect } from 'node:net';

/** True when a connection is accepted; false when there is no file or nobody listens. Other errors are thrown. */
export function somebodyListens(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT' || error.code === 'ENOTSOCK') resolve(false);
      else reject(error);
    });
  });
}
