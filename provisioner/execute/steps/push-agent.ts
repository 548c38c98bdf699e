/** Send the compressed agent and unpack it on the way in; SSH's flow control is the only buffer. */
import { Transform } from 'node:stream';
import { pushTimeoutMs } from '#provisioner/execute/limits.ts';
import { mustRun, stagingOf, type HostRun } from '#provisioner/execute/run.ts';
import { pushScript } from '#provisioner/execute/target-scripts.ts';
import type { StepOf } from '#provisioner/plan/step.ts';

const reportIntervalMs = 200;

/** Reports the bytes handed to the connection and their rate since the beginning. */
export async function pushAgent(step: StepOf<'push-agent'>, run: HostRun): Promise<void> {
  const began = performance.now();
  let bytes = 0;
  let reportedAt = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      const now = performance.now();
      if (now - reportedAt >= reportIntervalMs || bytes === step.image.gzipBytes) {
        reportedAt = now;
        run.report({ kind: 'sent', bytes, bytesAll: step.image.gzipBytes, bytesPerSecond: Math.round((bytes * 1000) / Math.max(1, now - began)) });
      }
      done(null, chunk);
    },
  });
  const source = run.openImage(step.image);
  source.on('error', (error) => meter.destroy(error));
  meter.on('close', () => source.destroy());
  await mustRun(run, 'receiving the agent', pushScript, [stagingOf(run)], { stdin: source.pipe(meter), timeoutMs: pushTimeoutMs });
}
