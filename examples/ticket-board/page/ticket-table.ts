/** The list of tickets. */
import type { BoardQuery, TicketRowFragment } from '../documents.generated.ts';
import { element } from './element.ts';
import { nameOf, shortTimeOf, wordOf } from './words.ts';

type Page = NonNullable<BoardQuery['integrations']['edges'][number]['node']['tickets']>;

export interface TicketTable {
  readonly root: HTMLElement;
  add(page: Page): void;
  /** Shows `ticket` as it is now, where it is listed. */
  update(ticket: TicketRowFragment): void;
}

export interface TicketTableOptions {
  open(ticket: TicketRowFragment): void;
  more(after: string): void;
}

const COLUMNS = ['Status', 'Priority', 'Subject', 'Requester', 'Assignee', 'Organization', 'Updated'];

export function createTicketTable({ open, more }: TicketTableOptions): TicketTable {
  const body = element('tbody');
  const rows = new Map<string, HTMLTableRowElement>();
  const next = element('button', { type: 'button', hidden: true }, 'Show more');
  const head = element('tr', {}, ...COLUMNS.map((name) => element('th', { scope: 'col' }, name)));
  const table = element(
    'table',
    {},
    element('caption', {}, 'Tickets, last changed first'),
    element('thead', {}, head),
    body,
  );

  function rowOf(ticket: TicketRowFragment): HTMLTableRowElement {
    const { status, priority, subject, zendeskId, requester, assignee, organization, updatedAt } = ticket;
    const title = subject === null || subject === '' ? '(no subject)' : subject;
    const button = element('button', { type: 'button', className: 'subject' }, title);
    button.addEventListener('click', () => {
      for (const row of rows.values()) row.removeAttribute('aria-current');
      rows.get(ticket.id)?.setAttribute('aria-current', 'true');
      open(ticket);
    });
    return element(
      'tr',
      {},
      element(
        'td',
        {},
        element('span', { className: 'status', 'data-status': status ?? '' }, wordOf(status)),
      ),
      element('td', { 'data-priority': priority ?? '' }, wordOf(priority)),
      element('td', { className: 'wide' }, button, element('span', { className: 'number' }, `#${zendeskId}`)),
      ...[nameOf(requester), nameOf(assignee), nameOf(organization)].map((text) => element('td', {}, text)),
      element('td', { className: 'time' }, shortTimeOf(updatedAt)),
    );
  }

  return {
    root: element('section', { className: 'list', 'aria-label': 'Tickets' }, table, next),
    add({ nodes, pageInfo }) {
      for (const ticket of nodes) {
        const row = rowOf(ticket);
        rows.get(ticket.id)?.remove();
        rows.set(ticket.id, row);
        body.append(row);
      }
      const { hasNextPage, endCursor } = pageInfo;
      next.hidden = !hasNextPage || endCursor === null;
      next.disabled = false;
      next.onclick = () => {
        if (endCursor === null) return;
        next.disabled = true;
        more(endCursor);
      };
    },
    update(ticket) {
      const present = rows.get(ticket.id);
      if (present === undefined) return;
      const row = rowOf(ticket);
      if (present.hasAttribute('aria-current')) row.setAttribute('aria-current', 'true');
      rows.set(ticket.id, row);
      present.replaceWith(row);
    },
  };
}
