/**
 * The words of admission: how a mesh lets machines in, how fast its trust grows, and what a machine may become at most.
 * A role is a ceiling, never a grant of trust: the effective right is the minimum of role and level (protocol.md §2.13).
 */

/** What admission allows at most. */
export type Role = 'quarantine' | 'observer' | 'member' | 'voter';

/** All roles, the lowest first. */
export const ROLES = ['quarantine', 'observer', 'member', 'voter'] as const;

/** How new machines get in (protocol.md §2.14). */
export type AdmissionMode = 'closed' | 'approve' | 'token' | 'open';

/** All modes, the default first. */
export const ADMISSION_MODES = ['approve', 'closed', 'token', 'open'] as const;

/** How fast trust grows (protocol.md §2.12). */
export type TrustProfile = 'lab' | 'home' | 'fleet';

/** All profiles, the default first. */
export const TRUST_PROFILES = ['home', 'lab', 'fleet'] as const;

/** The lower of two roles. */
export function lesserRole(a: Role, b: Role): Role {
  return ROLES.indexOf(a) <= ROLES.indexOf(b) ? a : b;
}

/** The trust level above which a role never counts (protocol.md §2.13): quarantine stays a stranger, an observer a newcomer. */
export function roleLevelMax(role: Role): 0 | 1 | 2 | 3 | 4 {
  switch (role) {
    case 'quarantine':
      return 0;
    case 'observer':
      return 1;
    case 'member':
    case 'voter':
      return 4;
  }
}
