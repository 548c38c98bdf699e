import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT } from '#core/errors/exit-codes.ts';
import { Fault } from '#core/errors/fault.ts';
import { completionVerb } from '#core/node/command-line/completion.ts';
import { readWith } from '#core/node/command-line/read-with.ts';
import { runProgram } from '#core/node/command-line/run.ts';
import { dryRunOption, type ProgramSpec } from '#core/node/command-line/verb.ts';
import { parseDuration } from '#core/terminal/duration.ts';

const spec: ProgramSpec = {
  name: 'sample',
  version: '1.2.3',
  summary: 'a sample program',
  verbs: [
    {
      name: 'greet',
      summary: 'greet somebody',
      description: 'Kindly.\nAnd at length.',
      arguments: [{ form: '<name>', text: 'who', complete: () => Promise.resolve(['alice', 'alfred', 'bob']) }],
      options: [
        dryRunOption,
        { flags: '--wait <duration>', text: 'how long', parse: parseDuration },
        { flags: '--peer <address>', text: 'peers', repeatable: true },
        { flags: '--no-start', text: 'do not start' },
      ],
      examples: [['sample greet Ada', 'greets Ada']],
      exits: [[EXIT.unavailable, 'nobody is there']],
      run: (invocation, { output }) => {
        output.line(
          `hello ${invocation.argument(0) ?? ''} ${String(invocation.number('wait'))} ${invocation.texts('peer').join('+')} ${String(invocation.flag('start'))}`,
        );
        output.document('greeting', { name: invocation.argument(0), dryRun: invocation.flag('dryRun') });
        return undefined;
      },
    },
    { name: 'fail', summary: 'fail with a fault', run: () => Promise.reject(new Fault('RN-CLI-003', 'stopped half way')) },
    {
      name: 'repeat',
      summary: 'fail with the words of a peer',
      run: () => Promise.reject(new Fault('RN-CLI-003', 'it said \u001b]0;owned\u0007\u009b2J', { next: 'run \u202etxt' })),
    },
    { name: 'crash', summary: 'fail with a bug', run: () => Promise.reject(new TypeError('x is not a function')) },
    {
      name: 'wait',
      summary: 'wait for the signal',
      run: (_invocation, { signal }) =>
        new Promise((resolve) => {
          if (signal.aborted) resolve(undefined);
          signal.addEventListener('abort', () => {
            resolve(undefined);
          });
        }),
    },
    {
      name: 'serve',
      summary: 'a service',
      endsOnSignal: true,
      run: (_invocation, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            resolve(undefined);
          });
        }),
    },
    { name: 'keep', summary: 'acts itself, and has verbs', run: () => EXIT.ok, verbs: [{ name: 'list', summary: 'what is kept', run: () => EXIT.ok }] },
    { name: 'group', summary: 'several verbs', verbs: [{ name: 'one', summary: 'the one', run: () => EXIT.tryAgain }] },
    completionVerb('sample'),
  ],
};

async function run(line: string, signal = new AbortController().signal): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await runProgram(spec, {
    argv: line === '' ? [] : line.split(' '),
    env: {},
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    signal,
  });
  return { code, out, err };
}

describe('a program', () => {
  it('runs the verb with its arguments, options and defaults', async () => {
    const { code, out, err } = await run('greet Ada --wait 1m30s --peer a --peer b');
    expect({ code, out, err }).toEqual({ code: 0, out: 'hello Ada 90000 a+b true\n', err: '' });
    expect((await run('greet Ada --no-start')).out).toContain('false');
  });

  it('prints exactly one document with --json wherever the flag stands', async () => {
    for (const line of ['greet Ada --json --dry-run', '--json greet --dry-run Ada']) {
      expect(JSON.parse((await run(line)).out)).toEqual({ v: 1, type: 'greeting', name: 'Ada', dryRun: true });
    }
  });

  it('suggests the verb that was meant and exits 64', async () => {
    const { code, out, err } = await run('gret Ada');
    expect(code).toBe(EXIT.usage);
    expect(out).toBe('');
    expect(err).toContain("unknown command 'gret' (did you mean greet?)");
    expect(err).toContain('RN-CLI-001');
  });

  it('suggests the verb of a verb that was meant', async () => {
    const { code, err } = await run('keep lst');
    expect(code).toBe(EXIT.usage);
    expect(err).toContain('(did you mean list?)');
  });

  it('suggests the option that was meant, global ones too', async () => {
    expect((await run('greet Ada --dryrun')).err).toContain('did you mean --dry-run?');
    expect((await run('greet Ada --jsn')).err).toContain('did you mean --json?');
  });

  it('names what a value should have looked like', async () => {
    const { code, err } = await run('greet Ada --wait soon');
    expect(code).toBe(EXIT.usage);
    expect(err).toContain('1h30m');
  });

  it('reports usage errors as JSON with --json', async () => {
    const { code, out, err } = await run('greet --json');
    expect(code).toBe(EXIT.usage);
    expect(err).toBe('');
    expect(JSON.parse(out)).toMatchObject({
      v: 1,
      type: 'error',
      error: { code: 'RN-CLI-001', message: "missing required argument 'name'", retry: 'never', exit: 64 },
    });
  });

  it('prints no control character that came with an error, as text or as JSON', async () => {
    expect((await run('repeat')).err).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/u);
    const { out } = await run('repeat --json');
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/u);
    expect(JSON.parse(out)).toMatchObject({ error: { message: 'it said \u001b]0;owned\u0007\u009b2J' } });
  });

  it('prints a fault with effect, next step and code, and exits as the catalogue says', async () => {
    const { code, err } = await run('fail');
    expect(code).toBe(EXIT.interrupted);
    expect(err).toMatch(/sample: stopped half way\n {2}effect .*\n {2}next .*\n {2}code {4}RN-CLI-003\n/);
  });

  it('keeps stack traces of unexpected errors for -v', async () => {
    expect((await run('crash')).code).toBe(EXIT.failed);
    expect((await run('crash')).err).not.toContain('    at ');
    expect((await run('crash -v')).err).toContain('TypeError: x is not a function\n');
  });

  it('shows examples and exit codes in --help and exits 0', async () => {
    const { code, out } = await run('greet --help');
    expect(code).toBe(0);
    expect(out).toContain('sample greet Ada  greets Ada');
    expect(out).toContain(' 69  nobody is there');
    expect(out).toContain('--json');
    expect((await run('--help')).out).toContain('130  interrupted');
    expect((await run('--version')).out.trim()).toBe('1.2.3');
  });

  it('shows help on stderr and exits 64 when the verb is missing', async () => {
    for (const line of ['', 'group']) {
      const { code, out, err } = await run(line);
      expect([code, out]).toEqual([EXIT.usage, '']);
      expect(err).toContain('Usage: sample');
    }
    expect((await run('group one')).code).toBe(EXIT.tryAgain);
    for (const line of ['--json', 'group --json']) {
      const { code, out, err } = await run(line);
      expect([code, err]).toEqual([EXIT.usage, '']);
      expect(JSON.parse(out)).toMatchObject({ type: 'error', error: { code: 'RN-CLI-001', message: 'a verb is missing' } });
    }
  });

  it('exits 130 when interrupted, 0 when a service is told to stop or the reader of stdout has left', async () => {
    const interrupting = new AbortController();
    const waiting = run('wait', interrupting.signal);
    interrupting.abort('interrupted');
    expect((await waiting).code).toBe(EXIT.interrupted);
    const stopping = new AbortController();
    const serving = run('serve', stopping.signal);
    await new Promise(setImmediate);
    stopping.abort('interrupted');
    expect((await serving).code).toBe(EXIT.ok);
    const closing = new AbortController();
    const following = run('wait', closing.signal);
    closing.abort('output-closed');
    expect((await following).code).toBe(EXIT.ok);
  });
});

describe('completion', () => {
  it('knows verbs, options and dynamic values', async () => {
    const answers: string[] = [];
    const write = console.log;
    console.log = (text: string) => void answers.push(text);
    try {
      await run('complete -- gr');
      await run('complete -- greet --dr');
      await run('complete -- greet al');
    } finally {
      console.log = write;
    }
    expect(answers).toEqual(expect.arrayContaining(['greet\tgreet somebody', '--dry-run\tsay what would be done, and do nothing', 'alice\t', 'alfred\t']));
  });

  it('offers one candidate per line: no long description gets in between', async () => {
    const answers: string[] = [];
    const write = console.log;
    console.log = (text: string) => void answers.push(text);
    try {
      await run('complete -- ');
    } finally {
      console.log = write;
    }
    const lines = answers.flatMap((text) => text.split('\n')).filter((line) => line !== '');
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) expect(line).toMatch(/^(:\d+|[a-z]+\t.+)$/);
  });

  it('works in a bare bash, for two programs, and never runs what is being typed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'completion-'));
    try {
      for (const program of ['sample', 'other']) {
        // Stands for the program: prints what it would be asked, and answers.
        writeFileSync(
          join(folder, program),
          '#!/bin/sh\nshift 2; for word in "$@"; do echo "<$word>" >> asked; done; printf "greet\\tgreet somebody\\ngroup\\tseveral\\nkeep\\n:4\\n"\n',
          { mode: 0o755 },
        );
      }
      writeFileSync(join(folder, 'sample.bash'), (await run('completion bash')).out);
      writeFileSync(join(folder, 'other.bash'), (await run('completion bash')).out.replaceAll('sample', 'other'));
      const script = [
        'set -eu; source ./sample.bash; source ./other.bash; source ./sample.bash; complete -p sample other',
        'try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); __sample_complete || true; echo "[${COMPREPLY[*]}]"; }',
        "try sample gr; try sample ''; try sample greet '$(touch ran)' 'x'",
      ].join('\n');
      const out = execFileSync('/bin/bash', ['--norc', '-c', script], {
        cwd: folder,
        env: { PATH: `${folder}:/usr/bin:/bin` },
        stdio: ['ignore', 'pipe', 'pipe'],
      }).toString();
      expect(out).toContain('complete -o default -F __sample_complete sample');
      expect(out.match(/^\[.*\]$/gm)).toEqual(['[greet group]', '[greet group keep]', '[]']);
      expect(readFileSync(join(folder, 'asked'), 'utf8')).toBe('<gr>\n<>\n<greet>\n<$(touch ran)>\n<x>\n');
      expect(existsSync(join(folder, 'ran'))).toBe(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('refuses a shell it does not know, with the choices', async () => {
    const { code, err } = await run('completion tcsh');
    expect(code).toBe(EXIT.usage);
    expect(err).toContain('fish');
    expect(err).toContain('sample completion --help');
  });
});

describe('readWith', () => {
  it('turns the problem of a value from elsewhere into a usage fault that names its place', () => {
    expect(() => readWith(parseDuration, 'soon', '--wait')).toThrowError(/^--wait: 'soon' is not a duration/);
    expect(readWith(parseDuration, '2s', '--wait')).toBe(2_000);
  });
});
