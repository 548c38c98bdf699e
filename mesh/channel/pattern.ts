/**
 * Noise handshake patterns as data (Noise specification §7, §9): the tokens of each message, in order. The suite is fixed
 * (protocol.md D2): 25519, ChaChaPoly, SHA256.
 */

/** What one token of a message does. */
export type Token = 'e' | 's' | 'ee' | 'es' | 'se' | 'ss' | 'psk';

/** Patterns this implementation knows; XX and XXpsk0 are used on the wire, the others check it against public vectors. */
export type PatternName = 'XX' | 'XXpsk0' | 'XXpsk3' | 'NNpsk0';

/** One pattern: messages alternate, the initiator's first. */
export interface Pattern {
  readonly protocolName: string;
  readonly messages: readonly (readonly Token[])[];
  readonly psk: boolean;
}

const patterns: Readonly<Record<PatternName, readonly (readonly Token[])[]>> = {
  XX: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']],
  XXpsk0: [
    ['psk', 'e'],
    ['e', 'ee', 's', 'es'],
    ['s', 'se'],
  ],
  XXpsk3: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se', 'psk']],
  NNpsk0: [
    ['psk', 'e'],
    ['e', 'ee'],
  ],
};

/** The pattern of this name. */
export function patternOf(name: PatternName): Pattern {
  const messages = patterns[name];
  return { protocolName: `Noise_${name}_25519_ChaChaPoly_SHA256`, messages, psk: messages.some((tokens) => tokens.includes('psk')) };
}
