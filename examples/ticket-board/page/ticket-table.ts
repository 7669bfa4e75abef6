/** The list of tickets. */
import type { BoardQuery, TicketRowFragment } from '../documents.generated.ts';
import { type Child, element } from './element.ts';
import { messageOf, nameOf, shortTimeOf, titleOf, wordOf } from './words.ts';

type Page = NonNullable<BoardQuery['integrations']['edges'][number]['node']['tickets']>;

export interface TicketTable {
  readonly root: HTMLElement;
  add(page: Page): void;
  /** Shows `ticket` as it is now, where it is listed. */
  update(ticket: TicketRowFragment): void;
  /** Leads to the ticket that was opened last. */
  focus(): void;
}

export interface TicketTableOptions {
  open(ticket: TicketRowFragment): void;
  /** Adds the next page; what it rejects with is shown beside the button. */
  more(after: string): Promise<void>;
}

/** By class name, under which the style sheet leaves out what a narrow list has no room for. */
const COLUMNS = {
  state: 'Status',
  priority: 'Priority',
  wide: 'Subject',
  requester: 'Requester',
  assignee: 'Assignee',
  organization: 'Organization',
  time: 'Updated',
};

export function createTicketTable({ open, more }: TicketTableOptions): TicketTable {
  const body = element('tbody');
  const rows = new Map<string, HTMLTableRowElement>();
  const next = element('button', { type: 'button', hidden: true }, 'Show more');
  const told = element('div', { className: 'notice', role: 'alert' });
  const head = element('tr');
  for (const [className, name] of Object.entries(COLUMNS)) {
    head.append(element('th', { scope: 'col', className }, name));
  }
  const table = element(
    'table',
    {},
    element('caption', {}, 'Tickets, last changed first'),
    element('thead', {}, head),
    body,
  );

  function rowOf(ticket: TicketRowFragment): HTMLTableRowElement {
    const { status, priority, zendeskId, requester, assignee, organization, updatedAt } = ticket;
    const button = element('button', { type: 'button', className: 'subject' }, titleOf(ticket));
    button.addEventListener('click', () => {
      for (const row of rows.values()) row.removeAttribute('aria-current');
      rows.get(ticket.id)?.setAttribute('aria-current', 'true');
      open(ticket);
    });
    const cells: Record<keyof typeof COLUMNS, readonly Child[]> = {
      state: [element('span', { className: 'status', 'data-status': status ?? '' }, wordOf(status))],
      priority: [element('span', { 'data-priority': priority ?? '' }, wordOf(priority))],
      wide: [button, element('span', { className: 'number' }, `#${zendeskId}`)],
      requester: [nameOf(requester)],
      assignee: [nameOf(assignee)],
      organization: [nameOf(organization)],
      time: [shortTimeOf(updatedAt)],
    };
    return element(
      'tr',
      {},
      ...Object.entries(cells).map(([className, children]) => element('td', { className }, ...children)),
    );
  }

  async function showMore(after: string): Promise<void> {
    next.disabled = true;
    told.replaceChildren();
    try {
      await more(after);
    } catch (error) {
      told.textContent = messageOf(error);
    } finally {
      next.disabled = false;
    }
  }

  return {
    root: element(
      'section',
      { className: 'list', 'aria-label': 'Tickets' },
      table,
      element('div', { className: 'row' }, next, told),
    ),
    add({ nodes, pageInfo }) {
      for (const ticket of nodes) {
        const row = rowOf(ticket);
        rows.get(ticket.id)?.remove();
        rows.set(ticket.id, row);
        body.append(row);
      }
      const { hasNextPage, endCursor } = pageInfo;
      next.hidden = !hasNextPage || endCursor === null;
      next.onclick = () => {
        if (endCursor !== null) void showMore(endCursor);
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
    focus() {
      body.querySelector<HTMLElement>('tr[aria-current] button.subject')?.focus();
    },
  };
}
