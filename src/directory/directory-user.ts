/** A user of the directory: in the clear, as it is told to a caller who may see it, and as it lies in the database. */
import type { DirectoryUserStatus } from '../store/index.ts';
import { type DirectoryKey, type DirectoryKeys, placeOf } from './directory-keys.ts';

/** What is sealed at rest. */
export interface PersonalTexts {
  readonly name: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  readonly externalId: string | null;
}

/** What is not sealed: numbers, times and states. */
export interface DirectoryUserFacts {
  readonly zendeskId: number;
  /** As Zendesk names it: `end-user`, `agent`, `admin`. */
  readonly role: string;
  /** 0 custom agent, 1 light agent, 2 chat agent, 3 contributor, 4 admin, 5 billing admin; `null` where it is not told. */
  readonly roleType: number | null;
  readonly customRoleId: number | null;
  readonly status: DirectoryUserStatus;
  readonly organizationId: number | null;
  readonly defaultGroupId: number | null;
  /** `null` where Zendesk does not tell. */
  readonly hasTwoFactor: boolean | null;
  /** The last login at Zendesk; `null`: never, or not told. */
  readonly lastSeenAt: Date | null;
  readonly createdAt: Date | null;
  readonly updatedAt: Date | null;
}

/** A user as it lies in the directory. */
export interface SealedDirectoryUser extends DirectoryUserFacts {
  /** Since when it is known to have role and custom role. */
  readonly roleSince: Date;
  /** Whether a sync saw that change; otherwise the user may have had the role for longer. */
  readonly isRoleSinceExact: boolean;
  /** When a sync last found it changed. */
  readonly changedAt: Date;
  /** The run that found it first. */
  readonly firstSeenRun: string;
  /** `null` of an erased user, who is in no answer. */
  readonly sealed: Uint8Array | null;
  readonly sealedVersion: number;
}

export interface DirectoryUser extends Omit<SealedDirectoryUser, 'sealed' | 'sealedVersion'>, PersonalTexts {}

const NOTHING: PersonalTexts = Object.freeze({ name: null, email: null, phone: null, externalId: null });

/** The user in the clear. Throws INTERNAL where the row was altered. */
export function openDirectoryUser(
  keys: DirectoryKeys,
  key: Pick<DirectoryKey, 'integrationId'>,
  { sealed, sealedVersion, ...user }: SealedDirectoryUser,
): DirectoryUser {
  const place = placeOf('directory_users', key, user.zendeskId, sealedVersion);
  const texts = sealed === null ? {} : (JSON.parse(keys.openText(place, sealed)) as Partial<PersonalTexts>);
  return Object.freeze({ ...user, ...NOTHING, ...texts });
}
