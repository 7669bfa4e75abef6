import { z } from 'zod';
import { defineCommand } from '../command.ts';
import { EXPORT_OPTIONS, writeCsvExport } from '../csv-export.ts';
import { nameOf, namesOf, PERSON_FIELDS, Person, pageOf, toCsvPage } from '../exported-person.ts';
import { askSealed } from '../sealed-call.ts';

const HEADER = [
  ...['zendesk_id', 'name', 'email', 'phone', 'external_id', 'role', 'role_type', 'custom_role'],
  ...['role_since', 'role_since_exact', 'seat', 'status', 'last_seen_at', 'two_factor', 'organization'],
  ...['groups', 'created_at', 'changed_at'],
];

const PEOPLE = {
  query: `query SealdeskExportDirectory($id: ID!, $after: String, $isFirst: Boolean!) {
    directory(integrationId: $id, first: 100, after: $after) {
      totalCount @include(if: $isFirst) pageInfo { hasNextPage endCursor } nodes { ${PERSON_FIELDS} }
    }
  }`,
  answer: z.object({ directory: pageOf(Person) }),
};

export const command = defineCommand({
  positionals: ['INTEGRATION'],
  options: EXPORT_OPTIONS,
  description: `
Writes the people of a Zendesk account, as the last access sync of INTEGRATION saw them, to a file of
CSV. Every page travels as an envelope sealed to the key in --key FILE and is opened here. Needs the API
key of an ADMIN, and sync_directory among what the integration allows.

Text that a spreadsheet could take for a formula is preceded by an apostrophe. The file is written as a
whole or not at all, for its owner alone.`,
  async run({ values, positionals: [id = ''] }, { terminal }) {
    const { file, rows } = await writeCsvExport(values, terminal, {
      name: 'export directory',
      header: HEADER,
      async readPage(connection, after, options) {
        const variables = { id, after, isFirst: after === null };
        const { directory } = await askSealed(connection, PEOPLE, variables, options);
        return toCsvPage(directory, toRow);
      },
    });
    terminal.print(`${file}: ${rows === 1 ? '1 person' : `${rows} people`}.`);
    return 0;
  },
});

function toRow(person: Person): readonly (string | null)[] {
  return [
    ...[person.zendeskId, person.name, person.email, person.phone, person.externalId, person.role],
    ...[person.roleType, person.customRole === null ? null : nameOf(person.customRole), person.roleSince],
    ...[String(person.isRoleSinceExact), String(person.takesSeat), person.status, person.lastSeenAt],
    ...[person.twoFactor, person.organization === null ? null : nameOf(person.organization)],
    ...[namesOf(person.groups), person.createdAt, person.changedAt],
  ];
}
