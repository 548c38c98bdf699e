/**
 * The properties a roboNet agent publishes about itself, written and read. Reading validates everything: a neighbour may
 * claim what it likes, but not put control characters on our screens.
 */

/** Type of our own service. */
export const ROBONET_SERVICE = '_robonet._tcp';

export type AdvertisedState = 'member' | 'lobby' | 'unjoined';

/** What an agent says of itself; all of it hearsay until the handshake. */
export interface AgentProperties {
  /** 16 hexadecimal digits; null while unjoined. */
  readonly meshTag: string | null;
  readonly state: AdvertisedState;
  readonly name: string;
  /** `XXXX-XXXX-XXXX-XXXX`. */
  readonly fingerprint: string;
  readonly protocolVersion: number;
  readonly agentVersion: string;
}

/** The version of this set of properties. */
const TXT_VERSION = '1';

/** Node names: letters, digits, `-` and `_`, at most 63, starting and ending with a letter or digit. */
export function isNodeName(text: string): boolean {
  return /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$/.test(text);
}

export function encodeTxt(properties: AgentProperties): ReadonlyMap<string, string> {
  return new Map([
    ['v', TXT_VERSION],
    ...(properties.meshTag === null ? [] : ([['mt', properties.meshTag]] as const)),
    ['st', properties.state],
    ['n', properties.name],
    ['fp', properties.fingerprint],
    ['pv', String(properties.protocolVersion)],
    ['av', properties.agentVersion],
  ]);
}

/** The properties, or `undefined` where they are of another version or not of the agreed form. */
export function decodeTxt(txt: ReadonlyMap<string, string>): AgentProperties | undefined {
  const [state, name, fingerprint, protocol, agentVersion] = ['st', 'n', 'fp', 'pv', 'av'].map((key) => txt.get(key) ?? '');
  const meshTag = txt.get('mt') ?? null;
  if (txt.get('v') !== TXT_VERSION || name === undefined || !isNodeName(name)) return undefined;
  if (state !== 'member' && state !== 'lobby' && state !== 'unjoined') return undefined;
  if (fingerprint === undefined || !/^[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}$/i.test(fingerprint)) return undefined;
  if (meshTag !== null && !/^[0-9a-f]{16}$/.test(meshTag)) return undefined;
  if (protocol === undefined || !/^\d{1,3}$/.test(protocol)) return undefined;
  if (agentVersion === undefined || !/^[0-9A-Za-z.+-]{1,32}$/.test(agentVersion)) return undefined;
  return { meshTag, state, name, fingerprint, protocolVersion: Number(protocol), agentVersion };
}

/** The service instance and host name of the identity with this text form (`rn1…`). */
export function instanceName(aid: string): string {
  return `robonet-${aid.replace(/^rn1/, '').slice(0, 12)}`;
}
