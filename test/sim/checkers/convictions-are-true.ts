/** Nobody is convicted who has not really signed two different things for one place: not even in the eyes of a clone. */
import type { MakeChecker } from './checker.ts';

export const convictionsAreTrue: MakeChecker = ({ truth }) => ({
  name: 'convictions-are-true',
  onView(machine, view) {
    const convicted = [...view.nodes.filter((node) => (node.trust?.breaks['B5'] ?? 0) > 0), ...view.barred];
    const wrong = convicted.find(({ aid }) => !truth.equivocated(aid));
    return wrong === undefined ? undefined : `${machine.name} has convicted ${wrong.name}, which never said two things in one place`;
  },
});
