/**
 * What every transport must do, as one list of claims; `conformance.test.ts` runs it against each implementation. The
 * claims use the port only, wait for conditions and never for time.
 */
import { concat, utf8 } from '#core/bytes/bytes.ts';
import { isFault } from '#core/errors/fault.ts';
import type { Address, CloseReason, Connection, Listener, Transport } from './transport.ts';

/** One implementation under examination. */
export interface Subject {
  readonly dialer: Transport;
  readonly listener: Transport;
  /** Where to listen; port 0. */
  readonly address: Address;
}

/** One claim: resolves when it holds, rejects with the reason when not. */
export interface Claim {
  readonly name: string;
  readonly check: (subject: Subject) => Promise<void>;
}

/** Both ends of a connection, with what they have seen. */
interface Pair {
  readonly near: Witness;
  readonly far: Witness;
  readonly listener: Listener;
}

/** All claims. */
export const claims: readonly Claim[] = [
  {
    name: 'carries bytes both ways, in order',
    check: (subject) =>
      withPair(subject, async ({ near, far }) => {
        near.connection.write(utf8('one '));
        near.connection.write(utf8('two'));
        far.connection.write(utf8('three'));
        await far.until(() => far.text === 'one two', 'the listener to read "one two"');
        await near.until(() => near.text === 'three', 'the dialler to read "three"');
      }),
  },
  {
    name: 'carries a mebibyte unchanged',
    check: (subject) =>
      withPair(subject, async ({ near, far }) => {
        const sent = Uint8Array.from({ length: 1_048_576 }, (_, index) => (index * 31) & 0xff);
        near.connection.write(sent);
        await far.until(() => far.byteCount === sent.length, 'everything to arrive');
        require(concat(...far.chunks).every((byte, index) => byte === sent[index]), 'the bytes differ');
      }),
  },
  {
    name: 'names both ends alike',
    check: (subject) =>
      withPair(subject, ({ near, far, listener }) => {
        require(near.connection.outgoing && !far.connection.outgoing, 'exactly the dialler is outgoing');
        require(near.connection.remote.port === listener.address.port, 'the dialler sees the listener’s port');
        require(far.connection.remote.port === near.connection.local.port, 'the listener sees the dialler’s port');
        require(far.connection.remote.host === near.connection.local.host, 'the listener sees the dialler’s host');
        return Promise.resolve();
      }),
  },
  {
    name: 'delivers what was written before end, then says the remote side closed',
    check: (subject) =>
      withPair(subject, async ({ near, far }) => {
        near.connection.write(utf8('last words'));
        near.connection.end();
        await far.until(() => far.closed === 'remote', 'the listener to see an orderly end');
        require(far.text === 'last words', `read "${far.text}" before the end`);
        far.connection.end();
        await near.until(() => near.closed === 'local', 'the dialler to have closed');
      }),
  },
  {
    name: 'reports a destroyed connection as closed on both ends, once',
    check: (subject) =>
      withPair(subject, async ({ near, far }) => {
        near.connection.destroy();
        near.connection.destroy();
        await near.until(() => near.closed === 'local', 'the dialler to have closed');
        await far.until(() => far.closed !== undefined, 'the listener to notice');
        require(near.closedCount === 1 && far.closedCount === 1, 'closed came more than once');
        require(near.connection.write(utf8('x')), 'writing to a closed connection does nothing');
      }),
  },
  {
    name: 'holds bytes back while paused, and lets the writer see it',
    check: (subject) =>
      withPair(subject, async ({ near, far }) => {
        far.connection.pause();
        const piece = new Uint8Array(65_536);
        let pieces = 0;
        while (near.connection.write(piece) && pieces < 1_024) pieces += 1;
        pieces += 1;
        require(pieces < 1_024, 'write never asked to wait, although nobody reads');
        require(near.connection.writableLength > 0, 'writableLength shows nothing although bytes wait');
        far.connection.resume();
        await near.until(() => near.drainedCount > 0, 'drained after the reader went on');
        await far.until(() => far.byteCount === pieces * piece.length, 'all bytes to arrive after the pause');
      }),
  },
  {
    name: 'loses nothing that arrives before anybody listens to the connection',
    check: async (subject) => {
      const accepted = deferred<Connection>();
      const listener = await subject.listener.listen(subject.address, accepted.resolve);
      const near = await dial(subject.dialer, listener.address);
      near.connection.write(utf8('early'));
      near.connection.end();
      const connection = await accepted.promise;
      await turns(3);
      const far = new Witness(connection);
      await far.until(() => far.closed === 'remote', 'the end');
      require(far.text === 'early', `read "${far.text}" instead of "early"`);
      await listener.close();
    },
  },
  {
    name: 'says why dialling failed',
    check: async (subject) => {
      const listener = await subject.listener.listen(subject.address, () => undefined);
      await listener.close();
      const why = deferred<string>();
      subject.dialer.dial(listener.address, {
        connected: () => {
          why.resolve('connected');
        },
        failed: why.resolve,
      });
      require((await why.promise) === 'ECONNREFUSED', `dialling a closed port: ${await why.promise}`);
    },
  },
  {
    name: 'says nothing more after a dial was cancelled',
    check: async (subject) => {
      const listener = await subject.listener.listen(subject.address, (connection) => {
        connection.destroy();
      });
      let calls = 0;
      const count = (): void => {
        calls += 1;
      };
      subject.dialer.dial(listener.address, { connected: count, failed: count }).cancel();
      const other = await dial(subject.dialer, listener.address);
      await other.until(() => other.closed !== undefined, 'a later connection to come and go');
      require(calls === 0, 'a cancelled dial called back');
      await listener.close();
    },
  },
  {
    name: 'refuses a port that is taken, with a fault',
    check: async (subject) => {
      const listener = await subject.listener.listen(subject.address, () => undefined);
      const second = await subject.listener
        .listen(listener.address, () => undefined)
        .then(
          () => 'listened',
          (error: unknown) => (isFault(error, 'RN-MESH-003') ? 'refused' : String(error)),
        );
      require(second === 'refused', `the second listener: ${second}`);
      await listener.close();
    },
  },
  {
    name: 'frees the port at once and keeps connections when their listener closes',
    check: (subject) =>
      withPair(subject, async ({ near, far, listener }) => {
        await listener.close();
        near.connection.write(utf8('still here'));
        await far.until(() => far.text === 'still here', 'bytes after the listener closed');
        const again = await subject.listener.listen(listener.address, () => undefined);
        await again.close();
      }),
  },
];

/** One end of a connection and everything it has reported. */
class Witness {
  readonly connection: Connection;
  readonly chunks: Uint8Array[] = [];
  byteCount = 0;
  drainedCount = 0;
  closedCount = 0;
  closed: CloseReason | undefined;
  #waiting: (() => void)[] = [];

  constructor(connection: Connection) {
    this.connection = connection;
    connection.listen({
      bytes: (chunk) => {
        this.chunks.push(chunk);
        this.byteCount += chunk.length;
        this.#notify();
      },
      drained: () => {
        this.drainedCount += 1;
        this.#notify();
      },
      closed: (reason) => {
        this.closed = reason;
        this.closedCount += 1;
        this.#notify();
      },
    });
  }

  get text(): string {
    return String.fromCharCode(...concat(...this.chunks));
  }

  /** Resolves as soon as the condition holds; a deadline of the test runner ends a wait in vain. */
  async until(condition: () => boolean, what: string): Promise<void> {
    while (!condition()) {
      if (this.closed !== undefined) {
        await turns(3);
        if (condition()) return;
        throw new Error(`waited for ${what}, but the connection was closed (${this.closed})`);
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #notify(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

async function withPair(subject: Subject, examine: (pair: Pair) => Promise<void>): Promise<void> {
  const accepted = deferred<Connection>();
  const listener = await subject.listener.listen(subject.address, accepted.resolve);
  const near = await dial(subject.dialer, listener.address);
  const far = new Witness(await accepted.promise);
  try {
    await examine({ near, far, listener });
  } finally {
    near.connection.destroy();
    far.connection.destroy();
    await listener.close();
  }
}

function dial(transport: Transport, address: Address): Promise<Witness> {
  return new Promise((resolve, reject) => {
    transport.dial(address, {
      connected: (connection) => {
        resolve(new Witness(connection));
      },
      failed: (why) => {
        reject(new Error(`dialling failed: ${why}`));
      },
    });
  });
}

function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

function require(condition: boolean, why: string): void {
  if (!condition) throw new Error(why);
}
