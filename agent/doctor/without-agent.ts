/** What `doctor` can say when the agent is not running: interfaces, multicast, addresses typed, disk. */
import { lastEnd } from '#agent/api/last-end.ts';
import { Discovery } from '#agent/discovery/discovery.ts';
import { runDoctor } from '#agent/doctor/doctor.ts';
import type { DoctorReport } from '#agent/doctor/report.ts';
import { loadConfig } from '#agent/config/load-config.ts';
import { RUN_DIRECTORY, STATE_DIRECTORY } from '#agent/paths.ts';

/** Examine this machine from the command line's own process. */
export async function doctorWithoutAgent(peers: readonly string[]): Promise<DoctorReport> {
  const settings = await loadConfig(undefined, {});
  const discovery = new Discovery({
    chosen: settings.interfaces,
    multicast: settings.discovery,
    onHint: () => undefined,
    onInterfaces: () => undefined,
    log: () => undefined,
  });
  await discovery.start();
  try {
    return await runDoctor({
      selfName: settings.name,
      discovery,
      discoveryEnabled: settings.discovery,
      status: null,
      ping: null,
      peers: [...settings.peers, ...peers],
      portDefault: settings.port,
      stateDirectory: STATE_DIRECTORY,
      ended: lastEnd(RUN_DIRECTORY),
      binding: null,
    });
  } finally {
    await discovery.stop();
  }
}
