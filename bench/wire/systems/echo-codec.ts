/** The benchmark's payload by position, `[id, node, celsius, flags, text, readings]`, as a program on the mesh would encode its own shapes. */
import { assert } from '#core/errors/assert.ts';
import { RmpReader } from '#core/msgpack/reader.ts';
import { RmpWriter } from '#core/msgpack/writer.ts';
import type { Payload, Reading } from '../payload.ts';

const TEXT_BYTES_MAX = 65_536;

/** See the header. */
export class EchoCodec {
  readonly #writer = new RmpWriter(32_768);

  encode(payload: Payload): Uint8Array {
    const writer = this.#writer;
    writer.reset();
    writer.arrayHead(6);
    writer.int(payload.id);
    writer.str(payload.node);
    writer.int(Math.round(payload.celsius * 10));
    writer.arrayHead(payload.flags.length);
    for (const flag of payload.flags) writer.int(flag);
    writer.str(payload.text);
    writer.arrayHead(payload.readings.length);
    for (const reading of payload.readings) {
      writer.arrayHead(4);
      writer.int(reading.at);
      writer.str(reading.sensor);
      writer.int(Math.round(reading.celsius * 10));
      writer.int(reading.ok ? 1 : 0);
    }
    // A view: the node copies what it is given before `request` or the handler's turn returns.
    return writer.written();
  }

  decode(bytes: Uint8Array): Payload {
    const reader = new RmpReader(bytes);
    assert(reader.arrayHead() === 6, 'a payload has six fields');
    const id = reader.uint();
    const node = reader.str(64);
    const tenths = reader.uint();
    const flags: number[] = [];
    for (let left = reader.arrayHead() ?? 0; left > 0; left -= 1) flags.push(reader.uint() ?? 0);
    const text = reader.str(TEXT_BYTES_MAX);
    assert(id !== undefined && node !== undefined && tenths !== undefined && text !== undefined, 'the other end writes the same shape');
    const readings: Reading[] = [];
    for (let left = reader.arrayHead() ?? 0; left > 0; left -= 1) readings.push(this.#reading(reader));
    return { id, node, celsius: tenths / 10, flags, text, readings };
  }
  #reading(reader: RmpReader): Reading {
    assert(reader.arrayHead() === 4, 'a reading has four fields');
    const at = reader.uint();
    const sensor = reader.str(64);
    const tenths = reader.uint();
    const ok = reader.uint(1);
    assert(at !== undefined && sensor !== undefined && tenths !== undefined && ok !== undefined, 'the other end writes the same shape');
    return { at, sensor, celsius: tenths / 10, ok: ok === 1 };
  }
}
