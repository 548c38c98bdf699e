/** What every verb of `provision` works with, made once per run from the command line and the terminal. */
import type { Invocation } from '#core/node/command-line/invocation.ts';
import type { VerbContext } from '#core/node/command-line/verb.ts';
import { printable } from '#core/terminal/table.ts';
import { terminalAsker, type Asker } from '#provisioner/screens/asker.ts';
import { LiveLines } from '#provisioner/screens/live-lines.ts';
import { Reach, reachOptions } from './reach.ts';

export interface Workbench {
  readonly asker: Asker;
  readonly live: LiveLines;
  readonly reach: Reach;
}

/** `--json`, `--yes` and a missing terminal mean that nobody is asked. */
export function makeWorkbench(invocation: Invocation, context: VerbContext): Workbench {
  const { output } = context;
  const live = new LiveLines(
    {
      write: (text) => output.noteRaw(text),
      get columns() {
        return process.stderr.columns;
      },
      get rows() {
        return process.stderr.rows;
      },
    },
    output.noteInteractive,
  );
  const present = output.noteInteractive && process.stdin.isTTY === true && !invocation.flag('yes');
  const asker = terminalAsker(present, (ask) => live.paused(ask));
  const reach = new Reach(reachOptions(invocation, present), asker, context.env, (key, status) => {
    live.above(printable(`${key.host}: host key ${key.keyType} ${key.fingerprint} (${status === 'known' ? 'known' : 'new, recorded'})`));
  });
  return { asker, live, reach };
}
