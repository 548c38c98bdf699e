/**
 * No cycles of imports, type-only ones included: two files that need each other are one idea, or hide a third.
 */
import { importGraph } from '#scripts/tidy/imports.ts';
import { type Finding, type SourceTree, isTest, typescriptOf } from '#scripts/tidy/source-tree.ts';

/** Every cycle once, as the path around it. */
export function checkCycles(tree: SourceTree): Finding {
  const graph = importGraph(new Map([...typescriptOf(tree)].filter(([path]) => !isTest(path))));
  const done = new Set<string>();
  const problems: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1) {
      problems.push(`import cycle: ${[...trail.slice(start), path].join(' → ')}; move what both need into a file below them`);
      return;
    }
    if (done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return { looked: graph.size, problems };
}
