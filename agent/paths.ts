/** Where everything of the agent lies on a node; the service files and the documentation say the same. */

export const STATE_DIRECTORY = '/var/lib/robonet';
export const RUN_DIRECTORY = '/run/robonet';
export const CONFIG_DIRECTORY = '/etc/robonet';

export const SOCKET_NAME = 'agent.sock';
export const UNIT_NAME = 'robonet.service';
export const UNIT_PATH = '/etc/systemd/system/robonet.service';
