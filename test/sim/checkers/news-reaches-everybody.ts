/**
 * What one untouched member knows of an identity, all untouched members come to know: a proof convicts everywhere, and a
 * contest that one has seen is held by all (protocol.md §2.9, "gossip"). Two memories of one run have one boot event, so
 * that they are two cannot be shown to others: there every peer finds out by itself.
 */
import { honestMachines, type MakeChecker } from './checker.ts';

const NEWS = ['convicted', 'contested'] as const;

export const newsReachesEverybody: MakeChecker = (scene) => ({
  name: 'news-reaches-everybody',
  pending() {
    const views = honestMachines(scene).map((machine) => ({ machine, nodes: machine.run?.swarm.status().nodes ?? [] }));
    for (const { name, text, forked } of scene.world.lineages) {
      const standings = views.flatMap(({ machine, nodes }) => {
        const standing = nodes.find(({ aid }) => aid === text)?.trust?.standing;
        return standing === undefined ? [] : [{ machine, standing }];
      });
      const worst = NEWS.find((news) => (news !== 'contested' || !forked) && standings.some(({ standing }) => standing === news));
      const behind = worst === undefined ? undefined : standings.find(({ standing }) => standing !== worst && standing !== 'convicted');
      if (worst !== undefined && behind !== undefined)
        return `${name} is ${worst} in the eyes of others, and ${behind.standing} in those of ${behind.machine.name}`;
    }
    return undefined;
  },
});
