/** One ticket: its facts, its conversation, and what can be done to it. */
import {
  AddCommentDocument,
  ChangeStatusDocument,
  type CommentTextFragment,
  OpenTicketDocument,
  type TicketFactsFragment,
  type TicketRowFragment,
  type TicketStatus,
} from '../documents.generated.ts';
import { type Ask, errorOf } from './desk.ts';
import { element } from './element.ts';
import { countOf, messageOf, nameOf, timeOf, titleOf, wordOf } from './words.ts';

/** What an agent may set. */
const STATUSES: readonly TicketStatus[] = ['OPEN', 'PENDING', 'SOLVED'];

export interface TicketPaneOptions {
  readonly ask: Ask;
  readonly integrationId: string;
  /** Hears of the ticket as it is after a change. */
  changed(ticket: TicketRowFragment): void;
  /** Leads back to where the ticket was chosen. */
  leave(): void;
}

/** Opens a ticket in `pane`, in place of what was there. Rejects where it cannot be read. */
export async function showTicket(
  pane: HTMLElement,
  listed: TicketRowFragment,
  options: TicketPaneOptions,
): Promise<void> {
  const { ask, integrationId } = options;
  const heading = element('h2', { tabIndex: -1 }, titleOf(listed));
  const back = element('button', { type: 'button', className: 'back' }, 'Back to the list');
  back.addEventListener('click', options.leave);
  pane.replaceChildren(back, heading, element('p', {}, 'Opening…'));
  heading.focus({ preventScroll: true });
  // Where the pane does not stand beside the list, it is below it, and may be far out of view.
  if (getComputedStyle(pane).position === 'static') pane.scrollIntoView();

  const conversation = element('ol', { className: 'conversation' });
  const rest = element('button', { type: 'button', hidden: true }, 'Show later comments');
  const unread = notice();
  const read = async (after: string | null) => {
    const variables = { integrationId, ticketId: listed.id, after };
    const { data } = await ask(OpenTicketDocument, variables);
    const ticket = data?.integration.ticket ?? null;
    const page = ticket?.comments ?? null;
    conversation.append(...(page?.nodes ?? []).map(commentItem));
    rest.hidden = page?.pageInfo.hasNextPage !== true;
    rest.onclick = () => {
      read(page?.pageInfo.endCursor ?? null).catch((error: unknown) => {
        unread.textContent = messageOf(error);
      });
    };
    return ticket;
  };
  const ticket = await read(null);
  // Another ticket was opened meanwhile.
  if (!heading.isConnected) return;
  if (ticket === null) {
    pane.replaceChildren(back, heading, element('p', {}, 'Zendesk does not show this ticket any more.'));
    return;
  }
  options.changed(ticket);
  const facts = element('dl', { className: 'facts' }, ...factsOf(ticket));
  const status = statusForm(ticket, {
    ask,
    changed(now) {
      heading.textContent = titleOf(now);
      facts.replaceChildren(...factsOf(now));
      options.changed(now);
    },
  });
  pane.replaceChildren(
    back,
    heading,
    facts,
    status.root,
    element('h3', {}, 'Conversation'),
    conversation,
    rest,
    unread,
    commentForm(ticket.id, options.ask, {
      ticket: status.take,
      comment: (comment) => conversation.append(commentItem(comment)),
    }),
  );
}

function factsOf(ticket: TicketFactsFragment): readonly HTMLElement[] {
  const facts = {
    Number: `#${ticket.zendeskId}`,
    Priority: wordOf(ticket.priority),
    Requester: nameOf(ticket.requester),
    Assignee: nameOf(ticket.assignee),
    Organization: nameOf(ticket.organization),
    Opened: timeOf(ticket.createdAt),
    Updated: timeOf(ticket.updatedAt),
    Tags: ticket.tags.join(', ') || '–',
  };
  return Object.entries(facts).map(([name, value]) =>
    element('div', {}, element('dt', {}, name), element('dd', {}, value)),
  );
}

function commentItem(comment: CommentTextFragment): HTMLLIElement {
  const { author, createdAt, plainBody, attachments } = comment;
  const kind = comment.public ? 'Public' : 'Internal note';
  return element(
    'li',
    { className: comment.public ? 'public' : 'internal' },
    element(
      'p',
      { className: 'by' },
      element('strong', {}, nameOf(author)),
      ` · ${kind} · ${timeOf(createdAt)}`,
    ),
    element('p', { className: 'text' }, plainBody ?? ''),
    ...attachments.map(({ fileName, size }) =>
      element('p', { className: 'by' }, `${fileName ?? 'A file'}, ${countOf(size ?? 0)} bytes`),
    ),
  );
}

/** What went wrong, in the gateway's words, or nothing. */
function notice(): HTMLElement {
  return element('div', { className: 'notice', role: 'alert' });
}

interface StatusForm {
  readonly root: HTMLElement;
  /** The ticket as it is now: what the next change is held against. */
  take(ticket: TicketFactsFragment): void;
}

function statusForm(
  opened: TicketFactsFragment,
  { ask, changed }: { readonly ask: Ask; readonly changed: (ticket: TicketFactsFragment) => void },
): StatusForm {
  let ticket = opened;
  const choice = element('select', { id: 'status' });
  const told = notice();
  const show = (): void => {
    const choices = ticket.status === null ? STATUSES : [...new Set([ticket.status, ...STATUSES])];
    choice.replaceChildren(...choices.map((value) => element('option', { value }, wordOf(value))));
    choice.value = ticket.status ?? '';
    choice.disabled = ticket.status === 'CLOSED' || ticket.status === 'DELETED';
  };
  const take = (now: TicketFactsFragment): void => {
    ticket = now;
    changed(now);
    show();
  };

  /** The change holds only against the ticket as this page shows it. */
  const change = async (status: TicketStatus): Promise<void> => {
    choice.disabled = true;
    told.replaceChildren();
    try {
      const variables = { ticketId: ticket.id, status, expectedUpdatedAt: ticket.updatedAt };
      const { data, errors } = await ask(ChangeStatusDocument, variables);
      const update = data?.updateTicket ?? null;
      const current = update?.ticket ?? update?.current ?? null;
      if (current !== null) take(current);
      if (errorOf(errors, 'CONFLICT') !== null) told.replaceChildren(...conflict(status));
      else told.textContent = errors?.[0]?.message ?? '';
    } catch (error) {
      told.textContent = messageOf(error);
    } finally {
      show();
    }
  };
  const conflict = (wanted: TicketStatus): readonly (Node | string)[] => {
    const anyway = element('button', { type: 'button' }, `Set it to ${wordOf(wanted)} all the same`);
    anyway.addEventListener('click', () => void change(wanted));
    return [
      `Somebody changed this ticket meanwhile, so nothing was done. It is ${wordOf(ticket.status)} now. `,
      anyway,
    ];
  };

  choice.addEventListener('change', () => {
    const wanted = STATUSES.find((value) => value === choice.value);
    if (wanted !== undefined && wanted !== ticket.status) void change(wanted);
  });
  show();
  const label = element('label', { for: 'status' }, 'Status');
  return { root: element('div', { className: 'row' }, label, choice, told), take };
}

function commentForm(
  ticketId: string,
  ask: Ask,
  take: {
    readonly ticket: (ticket: TicketFactsFragment) => void;
    readonly comment: (comment: CommentTextFragment) => void;
  },
): HTMLElement {
  const body = element('textarea', { id: 'body', rows: 4, required: true });
  const internal = element('input', { id: 'internal', type: 'checkbox', checked: true });
  const send = element('button', { type: 'submit' }, 'Add comment');
  const told = notice();
  const form = element(
    'form',
    {},
    element('label', { for: 'body' }, 'New comment'),
    body,
    element(
      'div',
      { className: 'row' },
      internal,
      element('label', { for: 'internal' }, 'Internal note: the requester does not see it'),
      send,
    ),
    told,
  );
  const submit = async (): Promise<void> => {
    send.disabled = true;
    told.replaceChildren();
    try {
      const variables = { ticketId, body: body.value, public: !internal.checked };
      const { data, errors } = await ask(AddCommentDocument, variables);
      const { comment = null, ticket = null } = data?.addComment ?? {};
      if (ticket !== null) take.ticket(ticket);
      if (comment !== null) take.comment(comment);
      if (errors === undefined) body.value = '';
      else told.textContent = errors[0]?.message ?? '';
    } catch (error) {
      told.textContent = messageOf(error);
    } finally {
      send.disabled = false;
    }
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void submit();
  });
  return form;
}
