/**
 * What must not get into the repository: addresses of package registries, paths of the machine somebody worked on, and a lockfile that names hosts
 * or leaves a dependency unpinned.
 */
import { lineAt } from '#scripts/tidy/code-text.ts';
import { type Finding, type SourceTree, look } from '#scripts/tidy/source-tree.ts';

// Written in parts, since this file is looked at too.
const traces: readonly { readonly name: string; readonly pattern: RegExp }[] = [
  { name: 'a registry host', pattern: new RegExp(['registry', '\\.(npmjs|yarnpkg)|', 'npm', 'js\\.org/', '|_authTo', 'ken'].join(''), 'g') },
  {
    name: 'a path of one machine',
    pattern: new RegExp(['/wo', 'rk/(main|shared)|/tmp/', 'team\\b|/home/(?!pi\\b|admin\\b|user\\b|robonet\\b|USER\\b)[a-z]+/'].join(''), 'g'),
  },
  { name: 'a mark of a merge', pattern: /^(?:<{7}|>{7}) .*$/gm },
];

/** Every trace of a registry or of a machine in any text file. */
export function checkTraces(tree: SourceTree): Finding {
  return look(tree, (path, text) =>
    traces.flatMap(({ name, pattern }) =>
      [...text.matchAll(pattern)].map((match) => `${path}:${lineAt(text, match.index)}: ${name} (${match[0]}); it means nothing elsewhere`),
    ),
  );
}

/** A lockfile that names a host, or leaves a package of a supported system without a hash. */
export function checkLockfile(tree: SourceTree): Finding {
  const text = tree.get('package-lock.json');
  if (text === undefined) return { looked: 0, problems: ['package-lock.json is missing'] };
  const hosts = [...text.matchAll(/"resolved": *"([^"]*)"/g)].map(
    (match) => `package-lock.json:${lineAt(text, match.index)}: names a host (${match[1] ?? ''})`,
  );
  const lock: unknown = JSON.parse(text);
  const packages = entriesOf(valueOf(lock, 'packages'));
  const unpinned = packages
    .filter(([path, entry]) => path !== '' && valueOf(entry, 'integrity') === undefined && valueOf(entry, 'optional') !== true)
    .map(([path]) => `package-lock.json: ${path} has no hash`);
  const loose = ['dependencies', 'devDependencies', 'optionalDependencies']
    .flatMap((kind) => entriesOf(valueOf(packages.find(([path]) => path === '')?.[1], kind)))
    .filter(([, version]) => typeof version !== 'string' || !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => `package.json: ${name} is ${String(version)}; pin one exact version`);
  return { looked: packages.length, problems: [...hosts, ...unpinned, ...loose] };
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

function valueOf(value: unknown, name: string): unknown {
  return entriesOf(value).find(([key]) => key === name)?.[1];
}
