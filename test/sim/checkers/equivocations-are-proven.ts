/** An untouched peer that has verified two different heads for one place holds a proof: the identity is convicted there. */
import { isHonest, type MakeChecker, type Scene } from './checker.ts';

/** Equivocations that an untouched peer has seen both sides of, by whether it has drawn the consequence. */
export function provableEquivocations(
  scene: Scene,
): readonly { readonly aid: string; readonly judge: string; readonly proven: boolean; readonly place: string }[] {
  return scene.truth.equivocations.flatMap(({ aid, place, caughtBy }) =>
    [...caughtBy.keys()]
      .filter((judge) => judge.run !== null && judge.lineage.text !== aid && isHonest(scene, judge.lineage.text))
      .map((judge) => {
        const view = judge.run?.swarm.status();
        const breaks = view?.nodes.find((node) => node.aid === aid)?.trust?.breaks ?? {};
        return { aid, judge: judge.name, place, proven: (breaks['B5'] ?? 0) > 0 || view?.barred.some((barred) => barred.aid === aid) === true };
      }),
  );
}

export const equivocationsAreProven: MakeChecker = (scene) => ({
  name: 'equivocations-are-proven',
  pending() {
    const missed = provableEquivocations(scene).find(({ proven }) => !proven);
    const name = scene.world.lineages.find(({ text }) => text === missed?.aid)?.name ?? '';
    return missed === undefined ? undefined : `${missed.judge} has verified two heads of ${name} for ${missed.place} and has not convicted it`;
  },
});
