/**
 * Roles given at admission. A role is one ceiling, the trust level another; the effective right is the smaller (protocol.md
 * §2.13). Trust can never be granted, only a ceiling can.
 */

/** Smallest first: `quarantine` is what open admission yields, `observer` sees, `member` works, `voter` may vote. */
export const ROLES = ['quarantine', 'observer', 'member', 'voter'] as const;

/** One of the roles. */
export type Role = (typeof ROLES)[number];

/** Whether a text names a role. */
export function isRole(text: string): text is Role {
  return ROLES.some((role) => role === text);
}

/** The smaller of two roles. */
export function smallerRole(a: Role, b: Role): Role {
  return ROLES.indexOf(a) <= ROLES.indexOf(b) ? a : b;
}
