/** Every way a payload can be wrong, field by field, and what the caller is told. */
import { describe, expect, it } from 'vitest';
import { isSealdeskError } from '../../src/base/index.ts';
import {
  CATALOGUE,
  findOperation,
  isOperationName,
  OPERATION_NAMES,
  type OperationName,
  printCatalogue,
} from '../../src/proxy/catalogue/catalogue.ts';
import { createUsageMeter, type ZendeskClient } from '../../src/zendesk/index.ts';
import { encodeTarget } from '../../src/zendesk/target.ts';

const COMMENT = { body: 'It drips.', public: true };
const create = (members: object): object => ({ comment: COMMENT, ...members });
const update = (members: object): object => ({ ticket_id: 1, ...members });

/** Operation, payload, field that is refused, words of the message. */
const BAD: readonly (readonly [OperationName, unknown, string, RegExp])[] = [
  ['list_tickets', null, 'payload', /must be an object/],
  ['list_tickets', undefined, 'payload', /must be an object/],
  ['list_tickets', [], 'payload', /must be an object/],
  ['list_tickets', 'x', 'payload', /must be an object/],
  ['list_tickets', { nope: 1 }, 'nope', /not a field/],
  ['list_tickets', { 'Jane Doe <jane@customer.test>': 1 }, '(unnamed)', /not a field/],
  ['list_tickets', JSON.parse('{"__proto__":{"status":"open"}}'), '__proto__', /not a field/],
  ['list_tickets', { status: 'resolved' }, 'status', /must be one of/],
  ['list_tickets', { status: ['open', 'open'] }, 'status', /must be one of/],
  ['list_tickets', { status: [] }, 'status', /must be one of/],
  ['list_tickets', { status: 'open status:closed' }, 'status', /must be one of/],
  ['list_tickets', { created_from: 'yesterday' }, 'created_from', /must be a date/],
  ['list_tickets', { created_from: '2026-02-30' }, 'created_from', /must be a date/],
  ['list_tickets', { created_from: '2026-13-01' }, 'created_from', /must be a date/],
  ['list_tickets', { created_to: '2026-01-01 type:user' }, 'created_to', /must be a date/],
  ['list_tickets', { updated_from: '2026-01-01T25:00:00Z' }, 'updated_from', /must be a date/],
  ['list_tickets', { updated_to: '2026-01-01T10:00:00' }, 'updated_to', /must be a date/],
  ['list_tickets', { updated_to: 1767225600 }, 'updated_to', /must be a date/],
  [
    'list_tickets',
    { created_from: '2026-02-01', created_to: '2026-01-31' },
    'created_to',
    /before created_from/,
  ],
  [
    'list_tickets',
    { updated_from: '2026-02-01', updated_to: '2026-01-31' },
    'updated_to',
    /before updated_from/,
  ],
  ['list_tickets', { sort_by: 'subject' }, 'sort_by', /one of created_at/],
  ['list_tickets', { sort_order: 'up' }, 'sort_order', /one of asc, desc/],
  ['list_tickets', { page: 0 }, 'page', /whole number from 1/],
  ['list_tickets', { page: 1.5 }, 'page', /whole number/],
  ['list_tickets', { page: '2' }, 'page', /whole number/],
  ['list_tickets', { page: 101 }, 'page', /10000 tickets/],
  ['list_tickets', { status: 'open', page: 11 }, 'page', /1000 results/],
  ['list_tickets', { per_page: 0 }, 'per_page', /from 1 to 100/],
  ['list_tickets', { per_page: 101 }, 'per_page', /from 1 to 100/],
  ['list_tickets', { cursor: 5 }, 'cursor', /next_cursor/],
  ['list_tickets', { cursor: 'x'.repeat(2049) }, 'cursor', /next_cursor/],
  ['list_tickets', { cursor: null, page: 2 }, 'cursor', /combined with page/],
  ['list_tickets', { cursor: null, status: 'open' }, 'cursor', /combined with filters/],
  ['list_tickets', { cursor: null, sort_by: 'priority' }, 'sort_by', /walking by cursor/],
  ['list_tickets', { cursor: '\ud800' }, 'cursor', /next_cursor/],
  ['list_tickets', { cursor: '中'.repeat(1_000) }, 'cursor', /next_cursor/],
  ['get_ticket', {}, 'ticket_id', /is required/],
  ['get_ticket', { ticket_id: 0 }, 'ticket_id', /Zendesk id/],
  ['get_ticket', { ticket_id: -1 }, 'ticket_id', /Zendesk id/],
  ['get_ticket', { ticket_id: 1.5 }, 'ticket_id', /Zendesk id/],
  ['get_ticket', { ticket_id: '1/comments' }, 'ticket_id', /Zendesk id/],
  ['get_ticket', { ticket_id: '../users/1' }, 'ticket_id', /Zendesk id/],
  ['get_ticket', { ticket_id: '01' }, 'ticket_id', /Zendesk id/],
  ['get_ticket', { ticket_id: '9999999999999999' }, 'ticket_id', /Zendesk id/],
  ['get_ticket', { ticket_id: 2 ** 53 }, 'ticket_id', /Zendesk id/],
  ['get_ticket', { ticket_id: null }, 'ticket_id', /Zendesk id/],
  ['get_ticket', { ticket_id: [1] }, 'ticket_id', /Zendesk id/],
  ['get_ticket', { ticket_id: 1, max_comments: 5001 }, 'max_comments', /0 to 5000/],
  ['get_ticket', { ticket_id: 1, max_comments: -1 }, 'max_comments', /0 to 5000/],
  ['create_ticket', {}, 'comment', /is required/],
  ['create_ticket', { comment: 'It drips.' }, 'comment', /must be an object/],
  ['create_ticket', { comment: { body: 'x' } }, 'comment.public', /is required/],
  ['create_ticket', { comment: { body: 'x', public: 'yes' } }, 'comment.public', /boolean/],
  ['create_ticket', { comment: { public: true } }, 'comment', /either body or html_body/],
  ['create_ticket', { comment: { body: 'x', html_body: 'x', public: true } }, 'comment', /either/],
  ['create_ticket', { comment: { body: ' \n', public: true } }, 'comment.body', /1 to 65535 bytes/],
  ['create_ticket', { comment: { body: 'é'.repeat(32_768), public: true } }, 'comment.body', /65535 bytes/],
  ['create_ticket', { comment: { body: 'a\u0000b', public: true } }, 'comment.body', /must be text/],
  ['create_ticket', { comment: { html_body: 5, public: true } }, 'comment.html_body', /must be text/],
  ['create_ticket', { comment: { ...COMMENT, author_id: 'me' } }, 'comment.author_id', /Zendesk id/],
  ['create_ticket', { comment: { ...COMMENT, uploads: [''] } }, 'comment.uploads.0', /text/],
  [
    'create_ticket',
    { comment: { ...COMMENT, uploads: Array(51).fill('t') } },
    'comment.uploads',
    /at most 50 elements/,
  ],
  ['create_ticket', { comment: { ...COMMENT, safe: 1 } }, 'comment.safe', /not a field/],
  ['create_ticket', { comment: { body: 'a\ud800', public: true } }, 'comment.body', /well-formed/],
  ['create_ticket', create({ subject: '\udfffa' }), 'subject', /well-formed/],
  ['create_ticket', create({ external_id: '\ud83d' }), 'external_id', /well-formed/],
  ['create_ticket', create({ tags: ['\ud83d'] }), 'tags.0', /tag/],
  ['create_ticket', create({ requester: { email: '\ud83d@b.test' } }), 'requester.email', /e-mail/],
  ['create_ticket', create({ custom_fields: [{ id: 1, value: '\udc00' }] }), 'custom_fields.0.value', /text/],
  ['create_ticket', create({ subject: '' }), 'subject', /1 to 1000/],
  ['create_ticket', create({ subject: 'x'.repeat(1001) }), 'subject', /1 to 1000/],
  ['create_ticket', create({ subject: 5 }), 'subject', /text/],
  ['create_ticket', create({ requester: { name: 'Ann' } }), 'requester.email', /is required/],
  ['create_ticket', create({ requester: { email: 'ann' } }), 'requester.email', /e-mail/],
  [
    'create_ticket',
    create({ requester: { email: 'a@b.test', role: 'admin' } }),
    'requester.role',
    /not a field/,
  ],
  [
    'create_ticket',
    create({ requester: { email: 'a@b.test' }, requester_id: 5 }),
    'requester_id',
    /combined/,
  ],
  ['create_ticket', create({ status: 'deleted' }), 'status', /one of new/],
  ['create_ticket', create({ custom_status_id: 'x' }), 'custom_status_id', /Zendesk id/],
  ['create_ticket', create({ priority: 'asap' }), 'priority', /one of urgent/],
  ['create_ticket', create({ type: 'bug' }), 'type', /one of problem/],
  ['create_ticket', create({ tags: 'vip' }), 'tags', /array/],
  ['create_ticket', create({ tags: ['two words'] }), 'tags.0', /tag/],
  ['create_ticket', create({ tags: ['a', 'x'.repeat(256)] }), 'tags.1', /tag/],
  ['create_ticket', create({ tags: Array(201).fill('a') }), 'tags', /at most 200 elements/],
  ['create_ticket', create({ custom_fields: [{ id: 1 }] }), 'custom_fields.0.value', /is required/],
  ['create_ticket', create({ custom_fields: [{ id: 'a', value: 1 }] }), 'custom_fields.0.id', /Zendesk id/],
  [
    'create_ticket',
    create({ custom_fields: [{ id: 1, value: { a: 1 } }] }),
    'custom_fields.0.value',
    /must be text, a number/,
  ],
  [
    'create_ticket',
    create({ custom_fields: Array(501).fill({ id: 1, value: 1 }) }),
    'custom_fields',
    /at most 500/,
  ],
  ['create_ticket', create({ assignee_id: 'ann' }), 'assignee_id', /Zendesk id/],
  ['create_ticket', create({ group_id: 0 }), 'group_id', /Zendesk id/],
  ['create_ticket', create({ organization_id: {} }), 'organization_id', /Zendesk id/],
  ['create_ticket', create({ brand_id: null }), 'brand_id', /Zendesk id/],
  ['create_ticket', create({ ticket_form_id: null }), 'ticket_form_id', /Zendesk id/],
  ['create_ticket', create({ external_id: 'x'.repeat(256) }), 'external_id', /255/],
  ['create_ticket', create({ due_at: 'soon', type: 'task' }), 'due_at', /must be a date/],
  ['create_ticket', create({ due_at: '2026-01-01', type: 'question' }), 'due_at', /task only/],
  ['create_ticket', create({ due_at: '2026-01-01' }), 'due_at', /task only/],
  ['create_ticket', create({ problem_id: 5, type: 'problem' }), 'problem_id', /incident only/],
  ['create_ticket', create({ problem_id: 5 }), 'problem_id', /incident only/],
  ['create_ticket', create({ ticket: {} }), 'ticket', /not a field/],
  ['create_ticket', create({ idempotencyKey: 'x' }), 'idempotencyKey', /not a field/],
  ['update_ticket', { status: 'open' }, 'ticket_id', /is required/],
  ['update_ticket', { ticket_id: 1 }, 'payload', /must change a field/],
  [
    'update_ticket',
    update({ expected_updated_at: '2026-01-01T00:00:00Z' }),
    'payload',
    /must change a field/,
  ],
  [
    'update_ticket',
    update({ status: 'open', expected_updated_at: '2026-01-01' }),
    'expected_updated_at',
    /must be a time/,
  ],
  [
    'update_ticket',
    update({ status: 'open', expected_updated_at: 5 }),
    'expected_updated_at',
    /must be a date/,
  ],
  ['update_ticket', update({ comment: { body: 'x' } }), 'comment.public', /is required/],
  ['update_ticket', update({ requester_id: 'x' }), 'requester_id', /Zendesk id/],
  ['update_ticket', update({ status: null }), 'status', /one of/],
  ['update_ticket', update({ due_at: '2026-01-01', type: 'question' }), 'due_at', /task only/],
  ['update_ticket', update({ safe_update: true }), 'safe_update', /not a field/],
  ['update_ticket', update({ ticket_ids: [1, 2], status: 'open' }), 'ticket_ids', /not a field/],
  ['list_users', { role: 'owner' }, 'role', /must be one of/],
  ['list_users', { role: [] }, 'role', /must be one of/],
  ['list_users', { query: '' }, 'query', /1 to 2000/],
  ['list_users', { query: 'ann', role: 'agent' }, 'role', /combined with query/],
  ['list_users', { query: 'ann', external_id: 'x' }, 'external_id', /combined with query/],
  ['list_users', { query: 'ann', cursor: null }, 'cursor', /combined with query/],
  ['list_users', { page: 2, cursor: null }, 'cursor', /combined with page/],
  ['list_users', { external_id: '' }, 'external_id', /1 to 255/],
  ['list_users', { page: 101 }, 'page', /10000 users/],
  ['list_users', { per_page: 1000 }, 'per_page', /from 1 to 100/],
  ['list_organizations', { external_id: 'x', cursor: null }, 'cursor', /combined with external_id/],
  ['list_organizations', { page: 2, cursor: null }, 'cursor', /combined with page/],
  ['list_organizations', { page: 101 }, 'page', /10000 organizations/],
  ['list_organizations', { name: 'Acme' }, 'name', /not a field/],
  ['search', {}, 'query', /is required/],
  ['search', { query: ' ' }, 'query', /1 to 2000/],
  ['search', { query: 'x'.repeat(2001) }, 'query', /1 to 2000/],
  ['search', { query: 'a\u0007' }, 'query', /1 to 2000/],
  ['search', { query: 5 }, 'query', /text/],
  ['search', { query: 'a', sort_by: 'relevance' }, 'sort_by', /one of created_at/],
  ['search', { query: 'a', sort_by: 'status', sort_order: 'up' }, 'sort_order', /asc, desc/],
  ['search', { query: 'a', sort_order: 'asc' }, 'sort_order', /needs sort_by/],
  ['search', { query: 'a', page: 11 }, 'page', /1000 results/],
  ['search', { query: 'a', page: 34, per_page: 30 }, 'page', /1000 results/],
  ['search', { query: 'a', per_page: 101 }, 'per_page', /from 1 to 100/],
  ['search', { query: 'a', include: 'x' }, 'include', /not a field/],
  ['list_users', { external_id: '\udfff' }, 'external_id', /well-formed/],
  ['list_users', { cursor: '中'.repeat(2_000) }, 'cursor', /next_cursor/],
  ['list_users', { query: '中'.repeat(800) }, 'query', /percent-encoded/],
  ['search', { query: '\ud800' }, 'query', /well-formed/],
  ['search', { query: '中'.repeat(2_000) }, 'query', /at most 7000 characters when percent-encoded/],
];

const GOOD: readonly (readonly [OperationName, unknown, string])[] = [
  ['list_tickets', {}, 'ticket'],
  [
    'list_tickets',
    { status: ['open', 'new'], created_from: '2026-01-01', created_to: '2026-01-02T00:00:00+02:00' },
    'ticket',
  ],
  ['list_tickets', { cursor: null, sort_by: 'updated_at' }, 'ticket'],
  ['get_ticket', { ticket_id: '6130907993114', max_comments: 0 }, 'ticket:6130907993114'],
  [
    'create_ticket',
    create({ subject: 'Zoë’s tap\tdrips', tags: ['vip', 'a:b/c_d-e'], type: 'task', due_at: '2026-12-01' }),
    'ticket',
  ],
  [
    'create_ticket',
    create({
      custom_fields: [
        { id: 1, value: ['a', 'b'] },
        { id: 2, value: null },
      ],
    }),
    'ticket',
  ],
  ['update_ticket', update({ assignee_id: null }), 'ticket:1'],
  ['update_ticket', update({ comment: { html_body: '<b>x</b>', public: false } }), 'ticket:1'],
  ['list_users', { role: ['agent', 'admin'], page: 100 }, 'user'],
  ['list_organizations', { external_id: 'acme', page: 100 }, 'organization'],
  [
    'search',
    {
      query: 'type:ticket status:open priority:high created>2026-01-01',
      sort_by: 'created_at',
      sort_order: 'desc',
    },
    'search',
  ],
];

describe('a payload', () => {
  it.each(BAD)('of %s is refused: %j (field %s)', (name, payload, path, words) => {
    let refused: unknown;
    try {
      CATALOGUE[name].prepare(payload, null);
    } catch (error) {
      refused = error;
    }
    if (!isSealdeskError(refused, 'VALIDATION_FAILED')) throw new Error('it was expected to be refused');
    const issue = refused.details.fields?.find((field) => field.path === path);
    expect(issue?.message).toMatch(words);
    expect(JSON.stringify(refused) + refused.message).not.toContain('jane@customer');
  });

  it.each(GOOD)('of %s is accepted: %j, and concerns %s', (name, payload, resource) => {
    expect(CATALOGUE[name].prepare(payload, null).resource).toBe(resource);
  });

  it.each([
    [
      CATALOGUE.search,
      { query: 'a '.repeat(1_000).replace(/ $/, '.'), sort_by: 'ticket_type', sort_order: 'desc', page: 10 },
    ],
    [CATALOGUE.search, { query: '中'.repeat(777) }],
    [CATALOGUE.search, { query: '😀'.repeat(583) }],
    [CATALOGUE.list_users, { query: '中'.repeat(777), page: 100 }],
    [
      CATALOGUE.list_users,
      { role: ['end-user', 'agent', 'admin'], external_id: '中'.repeat(255), cursor: '+'.repeat(1_666) },
    ],
    [CATALOGUE.list_tickets, { cursor: '中'.repeat(555), sort_by: 'updated_at' }],
  ])('at the limits of its texts still makes an address that is sent (%#)', async ({ prepare }, payload) => {
    const sent = new Error('sent');
    let target = '';
    const client: ZendeskClient = {
      origin: 'https://example.zendesk.com',
      async request({ path, query }) {
        target = encodeTarget(path, query);
        throw sent;
      },
    };
    const running = prepare(payload, null).run(client, {
      ...{ gate: null, usage: createUsageMeter(), isPermitted: () => true },
    });
    await expect(running).rejects.toBe(sent);
    expect(target.length).toBeGreaterThan(2_000);
  });

  it('with many faults names at most 20 of them, and no value', () => {
    const payload = Object.fromEntries(
      Array.from({ length: 50 }, (_, index) => [`field_${index}`, 'secret']),
    );
    expect(() => CATALOGUE.search.prepare(payload, null)).toThrow(
      expect.objectContaining({
        details: { fields: expect.toSatisfy((fields: unknown[]) => fields.length === 20) },
      }),
    );
  });
});

describe('the payload of subscribe_tickets', () => {
  it.each([null, {}, { ticket_id: 1 }])('is refused whatever it is, saying how it runs: %j', (payload) => {
    expect(() => CATALOGUE.subscribe_tickets.prepare(payload, null)).toThrow(
      expect.objectContaining({
        code: 'VALIDATION_FAILED',
        message: expect.stringContaining('ticketChanges'),
        details: { fields: [expect.objectContaining({ path: 'operation' })] },
      }),
    );
  });
});

describe('the payload of sync_directory', () => {
  it.each([null, {}, { full: true }])('is refused whatever it is, saying how it runs: %j', (payload) => {
    expect(() => CATALOGUE.sync_directory.prepare(payload, null)).toThrow(
      expect.objectContaining({
        code: 'VALIDATION_FAILED',
        message: expect.stringContaining('startAccessSync'),
        details: { fields: [expect.objectContaining({ path: 'operation' })] },
      }),
    );
  });
});

describe('the catalogue', () => {
  it('knows its own names and nothing else', () => {
    for (const name of OPERATION_NAMES) expect(findOperation(name)?.name).toBe(name);
    for (const name of ['', 'delete_ticket', '__proto__', 'constructor', 'toString', null, 5, ['search']]) {
      expect(findOperation(name)).toBeNull();
      expect(isOperationName(name)).toBe(false);
    }
  });

  it('is frozen and says of each operation whether it changes anything', () => {
    expect(Object.isFrozen(CATALOGUE)).toBe(true);
    const mutations = OPERATION_NAMES.filter((name) => CATALOGUE[name].mutation);
    expect(mutations).toEqual([
      ...['create_ticket', 'update_ticket'],
      ...['create_user', 'update_user', 'suspend_user', 'manage_groups', 'end_sessions'],
    ]);
  });

  it('prints every operation with a meaning for every field', () => {
    const text = printCatalogue();
    for (const name of OPERATION_NAMES) {
      expect(text).toContain(`## \`${name}\``);
      expect(Object.values(CATALOGUE[name].fields).every((meaning) => meaning !== '')).toBe(true);
    }
  });
});
