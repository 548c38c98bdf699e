/**
 * Leaves out of a bundle what a library brings along and we do not use, where the library offers no smaller door. It must never change what is used:
 * a name that is left out is missing at build time or at the first call, not subtly different.
 */
import type { Plugin } from 'esbuild';

/** Of systeminformation only these two functions are called (agent/hardware); the rest, which runs other programs, is not even there. */
const systeminformationFunctions: Readonly<Record<string, string>> = { cpu: './cpu.js', system: './system.js' };

/** The plugin for the bundler. */
export const trim: Plugin = {
  name: 'trim',
  setup(build) {
    // zod re-exports its error texts in some fifty languages as one object; English is what it uses unless told otherwise.
    build.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({ contents: "export { default as en } from './en.js';\n", loader: 'js' }));
    build.onLoad({ filter: /[\\/]systeminformation[\\/]lib[\\/]index\.js$/ }, () => ({
      contents: Object.entries(systeminformationFunctions)
        .map(([name, file]) => `exports.${name} = require('${file}').${name};\n`)
        .join(''),
      loader: 'js',
    }));
  },
};
