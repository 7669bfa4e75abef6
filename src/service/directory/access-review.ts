/** Use case: who has access to an account, in numbers and person by person. */
import {
  type AccessFinding,
  countAccessFindings,
  countDirectoryRoles,
  type DirectoryCount,
  type FindingTimes,
  IS_STAFF,
  isFound,
  listAccessFindings,
  listNamedEntries,
  openNamedEntry,
  readSyncState,
  takesSeat,
} from '../../directory/index.ts';
import type { Call, GraphDirectory, GraphSession } from '../../proxy/index.ts';
import { parseInput } from '../input.ts';
import type { PageInput } from '../page.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { membersInput, ROLE_TYPES, reviewInput, toUserFilter } from './directory-inputs.ts';
import { listPeople, type PeopleConnection } from './list-people.ts';
import { once } from './once.ts';
import type { NamedView, PersonView } from './people.ts';

const DAY_MS = 86_400_000;
const LIGHT_AGENT = ROLE_TYPES.indexOf('LIGHT_AGENT');
const CONTRIBUTOR = ROLE_TYPES.indexOf('CONTRIBUTOR');
const REVIEW = Object.freeze({ kind: 'TYPE', type: 'access_review' } as const);

export interface CustomRoleCount {
  readonly customRole: NamedView;
  readonly count: number;
  /** Of them, who may not sign in. */
  readonly suspended: number;
}

export interface AccessReviewView {
  readonly integrationId: string;
  readonly reviewedAt: Date;
  /** When the last access sync that came to its end began; `null` before the first. */
  readonly syncedAt: Date | null;
  readonly dormantAfterDays: number;
  readonly users: number;
  readonly endUsers: number;
  readonly staff: number;
  readonly admins: number;
  readonly agents: number;
  readonly lightAgents: number;
  readonly contributors: number;
  readonly suspendedStaff: number;
  readonly seatsUsed: number;
  readonly customRoles: readonly CustomRoleCount[];
  readonly findings: readonly { readonly finding: AccessFinding; readonly count: number }[];
  /** The staff, page by page. Throws VALIDATION_FAILED. */
  members(input: MemberArguments): Promise<MemberConnection>;
}

export interface MemberArguments extends PageInput {
  readonly finding?: AccessFinding | null | undefined;
  readonly filter?: object | null | undefined;
}

export interface MemberConnection extends Omit<PeopleConnection, 'edges'> {
  readonly edges: readonly { readonly cursor: string; readonly node: MemberView }[];
}

export interface MemberView {
  readonly user: PersonView;
  readonly findings: () => Promise<readonly AccessFinding[]>;
}

export interface ReviewArguments {
  readonly integrationId: string;
  readonly dormantAfterDays?: number | null | undefined;
}

/** For a caller who may run `sync_directory` on the integration: an ADMIN whom its policy lets through. */
export async function reviewAccess(
  { clock }: ServiceDeps,
  _call: Call,
  session: GraphSession,
  { integrationId, ...input }: ReviewArguments,
): Promise<AccessReviewView> {
  const directory = await session.directory(integrationId);
  const { dormantAfterDays } = parseInput(reviewInput, input);
  const reviewedAt = new Date(clock.now());
  const times = { dormantSince: new Date(reviewedAt.getTime() - dormantAfterDays * DAY_MS) };
  const read = await directory.read(REVIEW, async (tx, keys) => ({
    counts: await countDirectoryRoles(tx, directory),
    findings: await countAccessFindings(tx, directory, times),
    syncedAt: (await readSyncState(tx, directory)).syncedAt,
    roles: (await listNamedEntries(tx, 'directory_custom_roles', directory)).map((entry) =>
      openNamedEntry(keys, 'directory_custom_roles', directory, entry),
    ),
  }));
  const { counts } = read;
  const staff = counts.filter(({ role }) => role !== 'end-user');
  return {
    integrationId,
    ...{ reviewedAt, dormantAfterDays, syncedAt: read.syncedAt },
    users: sumOf(counts),
    endUsers: sumOf(counts) - sumOf(staff),
    staff: sumOf(staff),
    admins: sumOf(staff.filter(({ role }) => role === 'admin')),
    agents: sumOf(staff.filter(({ role }) => role === 'agent')),
    lightAgents: sumOf(staff.filter(({ roleType }) => roleType === LIGHT_AGENT)),
    contributors: sumOf(staff.filter(({ roleType }) => roleType === CONTRIBUTOR)),
    suspendedStaff: sumOf(staff.filter(({ status }) => status === 'SUSPENDED')),
    seatsUsed: sumOf(staff.filter(takesSeat)),
    customRoles: countCustomRoles(staff, read.roles),
    findings: [...read.findings].map(([finding, count]) => ({ finding, count })),
    members: (args) => listMembers(directory, times, args),
  };
}

function sumOf(counts: readonly DirectoryCount[]): number {
  return counts.reduce((sum, { count }) => sum + count, 0);
}

/** Those that the account has, also without anybody, and those that somebody has although the directory does not know them. */
function countCustomRoles(
  staff: readonly DirectoryCount[],
  roles: readonly NamedView[],
): readonly CustomRoleCount[] {
  const known = new Map(roles.map(({ zendeskId, name }) => [zendeskId, { zendeskId, name }]));
  const held = Map.groupBy(
    staff.filter(({ customRoleId }) => customRoleId !== null),
    ({ customRoleId }) => customRoleId as number,
  );
  const ids = [...new Set([...known.keys(), ...held.keys()])].toSorted((a, b) => a - b);
  return ids.map((id) => {
    const own = held.get(id) ?? [];
    return {
      customRole: known.get(id) ?? { zendeskId: id, name: null },
      count: sumOf(own),
      suspended: sumOf(own.filter(({ status }) => status === 'SUSPENDED')),
    };
  });
}

async function listMembers(
  directory: GraphDirectory,
  times: FindingTimes,
  { first, last, after, before, ...which }: MemberArguments,
): Promise<MemberConnection> {
  const { integrationId } = directory;
  const { finding, filter } = parseInput(membersInput(integrationId), which);
  const people = await listPeople(directory, filter, { first, last, after, before }, (keys) => ({
    ...toUserFilter(keys, integrationId, filter),
    condition: finding === null ? IS_STAFF : isFound(finding, times),
  }));
  const ids = people.edges.map(({ node }) => node.zendeskId);
  const findings = once(() => directory.read(REVIEW, (tx) => listAccessFindings(tx, directory, ids, times)));
  const toMember = (user: PersonView): MemberView => ({
    user,
    findings: async () => (await findings()).get(user.zendeskId) ?? [],
  });
  return { ...people, edges: people.edges.map(({ cursor, node }) => ({ cursor, node: toMember(node) })) };
}
