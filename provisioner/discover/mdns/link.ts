/**
 * One multicast DNS socket on one interface: sends on that interface only, hears what arrives, answers questions about
 * what we advertise. bonjour-service's socket carries it, with the settings without which it is deaf or blind
 * (`interface` and `bind` together, error listeners on everything). Knows nothing of caches or timers for browsing.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { Server } from 'bonjour-service/dist/lib/mdns-server.js';
import { assert } from '#core/errors/assert.ts';
import { ANNOUNCE_DELAYS_MS, QUESTIONS_PER_PACKET_MAX, RESPONSES_PER_SECOND_MAX } from '#provisioner/discover/mdns/limits.ts';
import { PacketGuard } from '#provisioner/discover/mdns/packet-guard.ts';
import { type Advertisement, answersTo, type MdnsQuestion, type MdnsRecord, questionsIn, recordsIn, recordsOf } from '#provisioner/discover/mdns/records.ts';

/** The few members of the multicast socket that we use. */
interface MulticastSocket {
  on(event: string, listener: (packet: unknown, from: { readonly address: string }) => void): unknown;
  removeAllListeners(event: string): unknown;
  query(query: { questions: readonly MdnsQuestion[] }, sent: (error?: Error | null) => void): void;
  respond(response: { answers: readonly MdnsRecord[]; additionals?: readonly MdnsRecord[] }, sent: (error?: Error | null) => void): void;
  destroy(done: () => void): void;
}

export interface LinkEvents {
  /** Records somebody multicast, with the sender's address. */
  readonly onRecords: (records: readonly MdnsRecord[], from: string) => void;
  /** Questions somebody asked, our own among them (they loop back). */
  readonly onQuestions?: (questions: readonly MdnsQuestion[], from: string) => void;
  /** The socket complains; discovery goes on where it can. */
  readonly onProblem: (problem: string) => void;
}

export class MdnsLink {
  readonly interface: string;
  readonly addresses: readonly string[];
  readonly #mdns: MulticastSocket;
  readonly #events: LinkEvents;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #own: readonly MdnsRecord[] = [];
  #responsesLeft = RESPONSES_PER_SECOND_MAX;
  #responsesResetAt = 0;

  /** @param addresses IPv4 addresses of the interface; the first one selects it */
  constructor(interfaceName: string, addresses: readonly string[], events: LinkEvents) {
    this.interface = interfaceName;
    this.addresses = addresses;
    this.#events = events;
    const udp = createSocket({ type: 'udp4', reuseAddr: true });
    const options = { port: 5_353, interface: addresses[0], bind: '0.0.0.0', socket: udp };
    const server = new Server(options, (error: Error) => {
      events.onProblem(error.message);
    });
    const socket: unknown = server.mdns;
    assert(isMulticastSocket(socket), 'the multicast library hands out its socket');
    this.#mdns = socket;
    guard(udp);
    this.#mdns.removeAllListeners('query'); // answered below, within limits
    for (const complaint of ['error', 'warning']) {
      this.#mdns.on(complaint, (error) => {
        events.onProblem(error instanceof Error ? error.message : String(error));
      });
    }
    this.#mdns.on('response', (packet, from) => {
      events.onRecords(recordsIn(packet), from.address);
    });
    this.#mdns.on('query', (packet, from) => {
      const questions = questionsIn(packet);
      events.onQuestions?.(questions, from.address);
      this.#answer(questions);
    });
  }

  /** Ask; answers arrive as records. */
  query(questions: readonly MdnsQuestion[]): void {
    const sendable = questions.filter(({ name }) => isSendable(name));
    if (sendable.length > 0) this.#mdns.query({ questions: sendable }, this.#sent);
  }

  /** Publish, replacing what was published before; announced now and twice again. Another instance's records are revoked. */
  advertise(advertisement: Advertisement): void {
    const before = this.#own;
    this.#own = recordsOf(advertisement, this.addresses).map(encodable);
    const renamed = before.some((record) => record.type === 'SRV' && !this.#own.some((other) => other.name === record.name));
    if (renamed) this.#mdns.respond({ answers: farewellOf(before) }, this.#sent);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    const announce = (): void => {
      this.#mdns.respond({ answers: this.#own }, this.#sent);
    };
    announce();
    for (const delay of ANNOUNCE_DELAYS_MS) this.#timers.add(setTimeout(announce, delay).unref());
  }

  /** Say goodbye (TTL 0) for what was published, then close. Resolves when the socket is closed. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    const farewell = farewellOf(this.#own);
    this.#own = [];
    if (farewell.length > 0)
      await new Promise<void>((resolve) =>
        this.#mdns.respond({ answers: farewell }, () => {
          resolve();
        }),
      );
    await new Promise<void>((resolve) => this.#mdns.destroy(resolve));
  }

  readonly #sent = (error?: Error | null): void => {
    if (error instanceof Error) this.#events.onProblem(error.message);
  };

  #answer(questions: readonly MdnsQuestion[]): void {
    for (const question of questions.slice(0, QUESTIONS_PER_PACKET_MAX)) {
      const { answers, additionals } = answersTo(question, this.#own);
      if (answers.length === 0) continue;
      const now = performance.now();
      if (now >= this.#responsesResetAt) {
        this.#responsesResetAt = now + 1_000;
        this.#responsesLeft = RESPONSES_PER_SECOND_MAX;
      }
      if (this.#responsesLeft <= 0) return;
      this.#responsesLeft -= 1;
      this.#mdns.respond({ answers, additionals }, this.#sent);
    }
  }
}

// The type itself may be somebody else's too and is not revoked.
function farewellOf(records: readonly MdnsRecord[]): readonly MdnsRecord[] {
  return records.filter((record) => !record.name.startsWith('_services.')).map((record) => ({ ...record, ttl: 0 }));
}

// The encoder underneath throws on anything but Buffers, and outside of any call of ours.
function encodable(record: MdnsRecord): MdnsRecord {
  return record.type === 'TXT' ? { ...record, data: record.data.map((part) => Buffer.from(part)) } : record;
}

// Names learnt from the network are asked about only when they cannot upset the encoder.
function isSendable(name: string): boolean {
  return /^[\x20-\x7e]{1,200}$/.test(name) && name.split('.').every((label) => label.length >= 1 && label.length <= 63);
}

/** The library decodes whatever arrives; from here on only what the guard lets through. */
function guard(udp: Socket): void {
  const packets = new PacketGuard();
  const decoders = udp.listeners('message');
  assert(decoders.length > 0, 'the multicast library listens to the socket it was given');
  udp.removeAllListeners('message');
  udp.on('message', (bytes: Buffer, from: RemoteInfo) => {
    if (packets.admits(bytes, performance.now())) for (const decode of decoders) Reflect.apply(decode, udp, [bytes, from]);
  });
}

function isMulticastSocket(value: unknown): value is MulticastSocket {
  return typeof value === 'object' && value !== null && 'query' in value && 'respond' in value && 'destroy' in value && 'removeAllListeners' in value;
}
