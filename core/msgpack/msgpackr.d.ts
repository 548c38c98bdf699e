/**
 * The one thing we use of msgpackr, typed as what it is to us. Its own types for this entry point re-export a path that
 * does not resolve, so that everything from it would silently be untyped; and its main entry point looks for a native
 * add-on, which a single executable must not do.
 */
declare module 'msgpackr/unpack' {
  /** A decoder of msgpack. */
  export class Unpackr {
    constructor(options: { useRecords: false; mapsAsObjects: false; int64AsType: 'number'; copyBuffers: false; moreTypes: false });
    unpack(bytes: Uint8Array): unknown;
  }
}
