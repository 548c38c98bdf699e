/** Whether a TCP port answers, and if not how: refused and silent mean different things to the person who must fix it. */
import { connect } from 'node:net';

export type Reach =
  | { readonly kind: 'open'; readonly tookMs: number }
  | { readonly kind: 'refused' }
  | { readonly kind: 'silent'; readonly waitedMs: number }
  | { readonly kind: 'unreachable'; readonly why: string };

/** Try to connect once; says nothing to the other side. */
export function reach(host: string, port: number, waitMs: number): Promise<Reach> {
  return new Promise((resolve) => {
    const began = performance.now();
    const socket = connect({ host, port });
    const finish = (outcome: Reach): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => {
      finish({ kind: 'silent', waitedMs: waitMs });
    }, waitMs);
    socket.once('connect', () => {
      finish({ kind: 'open', tookMs: Math.round((performance.now() - began) * 10) / 10 });
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      finish(error.code === 'ECONNREFUSED' ? { kind: 'refused' } : { kind: 'unreachable', why: explain(error) });
    });
  });
}

function explain(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EHOSTUNREACH':
      return 'no host answers at this address (switched off, or another network)';
    case 'ENETUNREACH':
      return 'there is no route to this network';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name cannot be resolved';
    case 'EACCES':
    case 'EPERM':
      return 'a local firewall rule forbids the connection';
    default:
      return error.message;
  }
}
