/** What the sources of a scan report, and what a scan makes of it. Everything here is hearsay from the network. */
import type { AgentProperties } from './mdns/txt.ts';

/** One observation by one source. */
export type Sighting =
  /** Anything at all was heard from this address. */
  | { readonly kind: 'heard'; readonly address: string }
  | {
      readonly kind: 'service';
      readonly address: string;
      readonly type: string;
      readonly host: string | null;
      readonly port: number | null;
      readonly agent: AgentProperties | null;
    }
  | { readonly kind: 'name'; readonly address: string; readonly name: string }
  | { readonly kind: 'neighbour'; readonly address: string; readonly mac: string }
  | { readonly kind: 'ssh'; readonly address: string; readonly banner: string }
  | { readonly kind: 'no-ssh'; readonly address: string; readonly why: 'refused' | 'silent' | 'not-ssh' };

/** What a machine is to the person who scans. */
export type Standing = 'member' | 'foreign' | 'pending' | 'candidate' | 'unreachable';

/** One machine, put together from all its sightings. */
export interface HostRow {
  /** The one to connect to. */
  readonly address: string;
  readonly addresses: readonly string[];
  readonly standing: Standing;
  /** Why it stands there, as a sentence fragment. */
  readonly because: string;
  readonly name: string | null;
  readonly mac: string | null;
  readonly maker: string | null;
  readonly os: string | null;
  readonly arch: string | null;
  readonly sshPort: number | null;
  readonly sshBanner: string | null;
  readonly agent: AgentProperties | null;
}
