import { z } from 'zod';
import { defineCommand } from '../command.ts';
import { UsageError } from '../command-error.ts';
import { EXPORT_OPTIONS, writeCsvExport } from '../csv-export.ts';
import { nameOf, namesOf, PERSON_FIELDS, Person, pageOf, toCsvPage } from '../exported-person.ts';
import { askSealed } from '../sealed-call.ts';

const HEADER = [
  ...['findings', 'zendesk_id', 'name', 'email', 'role', 'role_type', 'custom_role', 'role_since'],
  ...['role_since_exact', 'seat', 'status', 'last_seen_at', 'two_factor', 'groups'],
];

const Member = z.object({ findings: z.array(z.string()), user: Person });
const counted = z.int().nonnegative();
const Counts = z.object({
  ...{ staff: counted, admins: counted, seatsUsed: counted },
  findings: z.array(z.object({ finding: z.string(), count: counted })),
});

const REVIEW = {
  query: `query SealdeskExportReview($id: ID!, $days: Int!, $after: String, $isFirst: Boolean!) {
    accessReview(integrationId: $id, dormantAfterDays: $days) {
      staff admins seatsUsed findings { finding count }
      members(first: 100, after: $after) {
        totalCount @include(if: $isFirst) pageInfo { hasNextPage endCursor }
        nodes { findings user { ${PERSON_FIELDS} } }
      }
    }
  }`,
  answer: z.object({ accessReview: Counts.extend({ members: pageOf(Member) }) }),
};

const DAYS = /^[1-9][0-9]{0,3}$/;
const DEFAULT_DAYS = 90;

export const command = defineCommand({
  positionals: ['INTEGRATION'],
  options: {
    'dormant-after': {
      type: 'string',
      value: 'DAYS',
      help: `days without a login after which one is dormant (${DEFAULT_DAYS})`,
    },
    ...EXPORT_OPTIONS,
  },
  description: `
Writes who has access to a Zendesk account, as the last access sync of INTEGRATION saw it, to a file of
CSV: a line for each admin and agent, with role, since when, last login, groups, and what to look at
first. Every page travels as an envelope sealed to the key in --key FILE and is opened here. Needs the
API key of an ADMIN, and sync_directory among what the integration allows.

Text that a spreadsheet could take for a formula is preceded by an apostrophe. The file is written as a
whole or not at all, for its owner alone.`,
  async run({ values, positionals: [id = ''] }, { terminal }) {
    const days = parseDays(values['dormant-after']);
    let counts: z.infer<typeof Counts> | null = null;
    const { file, rows } = await writeCsvExport(values, terminal, {
      name: 'export review',
      header: HEADER,
      async readPage(connection, after, options) {
        const variables = { id, days, after, isFirst: after === null };
        const { accessReview } = await askSealed(connection, REVIEW, variables, options);
        counts ??= accessReview;
        return toCsvPage(accessReview.members, toRow);
      },
    });
    terminal.print(`${file}: ${rows === 1 ? '1 person' : `${rows} people`} with access.`);
    if (counts !== null) terminal.print(linesOf(counts));
    return 0;
  },
});

function parseDays(text: string | undefined): number {
  if (text === undefined) return DEFAULT_DAYS;
  if (!DAYS.test(text)) throw new UsageError(`--dormant-after takes days from 1 to 9999, got '${text}'.`);
  return Number(text);
}

function linesOf({ admins, seatsUsed, findings }: z.infer<typeof Counts>): string {
  const told = [
    { finding: 'ADMINS', count: admins },
    { finding: 'SEATS_USED', count: seatsUsed },
    ...findings,
  ];
  const width = Math.max(...told.map(({ finding }) => finding.length));
  return told.map(({ finding, count }) => `  ${finding.padEnd(width)}  ${count}`).join('\n');
}

function toRow({ findings, user }: z.infer<typeof Member>): readonly (string | null)[] {
  return [
    ...[findings.join('; '), user.zendeskId, user.name, user.email, user.role, user.roleType],
    ...[user.customRole === null ? null : nameOf(user.customRole), user.roleSince],
    ...[String(user.isRoleSinceExact), String(user.takesSeat), user.status, user.lastSeenAt],
    ...[user.twoFactor, namesOf(user.groups)],
  ];
}
