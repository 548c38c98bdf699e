/**
 * The systemd unit of the agent, as text. Hardened as far as Node permits: never MemoryDenyWriteExecute, which kills V8 at
 * start. Pure.
 */
import { UNIT_NAME } from '#agent/paths.ts';

/** Exit code that must not be answered with a restart: the configuration is wrong until somebody changes it. */
const EXIT_BAD_CONFIGURATION = 78;
/** The agent reports that it is alive three times in this period. */
export const WATCHDOG_SECONDS = 120;

/** Variables that would let a stranger change what runs inside the sealed executable. */
const UNSET = [
  'NODE_OPTIONS',
  'NODE_PATH',
  'NODE_EXTRA_CA_CERTS',
  'NODE_TLS_REJECT_UNAUTHORIZED',
  'NODE_V8_COVERAGE',
  'NODE_REPL_EXTERNAL_MODULE',
  'NODE_ICU_DATA',
  'NODE_PENDING_DEPRECATION',
  'SSLKEYLOGFILE',
  'LD_PRELOAD',
  'LD_LIBRARY_PATH',
];

/** The unit that runs `command`, e.g. `['/usr/local/bin/robonet']`. */
export function unitText(command: readonly string[]): string {
  return `# ${UNIT_NAME}: written by \`robonet agent install\`, removed by \`robonet agent uninstall\`.
[Unit]
Description=roboNet agent
Documentation=man:robonet(8)
Wants=network.target
After=network.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=all
ExecStart=${[...command, 'agent'].map(quote).join(' ')}
Restart=always
RestartSec=2
RestartPreventExitStatus=${String(EXIT_BAD_CONFIGURATION)}
WatchdogSec=${String(WATCHDOG_SECONDS)}
TimeoutStartSec=90
TimeoutStopSec=20
StateDirectory=robonet
StateDirectoryMode=0700
RuntimeDirectory=robonet
RuntimeDirectoryMode=0750
RuntimeDirectoryPreserve=yes
UMask=0077
UnsetEnvironment=${UNSET.join(' ')}
MemoryMax=512M
TasksMax=256
LimitNOFILE=8192

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectHostname=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
RestrictNamespaces=yes
LockPersonality=yes
RemoveIPC=yes
KeyringMode=private
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`;
}

// systemd's own quoting: blanks and specifiers.
function quote(word: string): string {
  const escaped = word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /[\s"']/.test(word) ? `"${escaped}"` : escaped;
}
