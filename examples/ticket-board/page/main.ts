/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The ticket board: opens the page's key, then the list, then one ticket. */
import { deleteClientKey, type WelcomedClientKey } from '../../../src/client/index.ts';
import { BoardDocument } from '../documents.generated.ts';
import { type Ask, DeskError, errorOf, openDesk, type Receipt } from './desk.ts';
import { element, part } from './element.ts';
import { endedPanel, mappingPanel } from './key-panel.ts';
import { confirmOwnKey, openOwnKey } from './own-key.ts';
import { showTicket } from './ticket-pane.ts';
import { createTicketTable } from './ticket-table.ts';
import { countOf, messageOf, millisecondsOf } from './words.ts';

const main = part('main');

function showReceipt({ bytes, milliseconds, auditEventId }: Receipt): void {
  part('receipt').replaceChildren(
    `Sealed answer ${countOf(bytes)} bytes, opened in ${millisecondsOf(milliseconds)} ms, audit event `,
    element('code', {}, auditEventId),
  );
}

function showProblem(error: unknown): void {
  const again = element('button', { type: 'button' }, 'Try again');
  again.addEventListener('click', () => void start());
  main.replaceChildren(
    element('section', { className: 'panel', role: 'alert' }, element('p', {}, messageOf(error)), again),
  );
}

/** Why the key is of no use any more, `null` where it only waits to be mapped; rethrows what has nothing to do with it. */
async function endOf(key: WelcomedClientKey, error: unknown): Promise<string | null> {
  const errors = error instanceof DeskError ? error.errors : [];
  if (errorOf(errors, 'CLIENT_KEY_NOT_MAPPED') !== null) return confirmOwnKey(key);
  const ended = errorOf(errors, 'KEY_REVOKED') ?? errorOf(errors, 'NOT_FOUND');
  if (ended === null) throw error;
  return ended.message;
}

function showPanel(panel: HTMLElement): void {
  main.replaceChildren(panel);
  panel.querySelector('h2')?.focus();
}

async function showBoard(ask: Ask): Promise<void> {
  const { data, errors } = await ask(BoardDocument, {});
  const integration = data?.integrations.edges[0]?.node;
  if (integration === undefined) {
    main.replaceChildren(element('p', {}, 'The tenant has no integration yet.'));
    return;
  }
  if (integration.tickets === null) throw new DeskError(errors ?? []);
  part('account').textContent = integration.name;
  const pane = element('section', { className: 'pane', 'aria-label': 'Ticket' });
  pane.append(element('p', { className: 'by' }, 'Choose a ticket to read its conversation.'));
  const table = createTicketTable({
    open(ticket) {
      const { update: changed, focus: leave } = table;
      const options = { ask, integrationId: integration.id, changed, leave };
      showTicket(pane, ticket, options).catch((error: unknown) => {
        pane.replaceChildren(element('p', { className: 'notice', role: 'alert' }, messageOf(error)));
      });
    },
    async more(after) {
      const next = await ask(BoardDocument, { after });
      const page = next.data?.integrations.edges[0]?.node.tickets ?? null;
      if (page === null) throw new DeskError(next.errors ?? []);
      table.add(page);
    },
  });
  table.add(integration.tickets);
  main.replaceChildren(table.root, pane);
}

/** Shows the board, or why there is none; `false`, and nothing new, where the key still waits to be mapped. */
async function openBoard(key: WelcomedClientKey, ask: Ask): Promise<boolean> {
  try {
    await showBoard(ask);
  } catch (error) {
    const ended = await endOf(key, error);
    if (ended === null) return false;
    showPanel(endedPanel({ renew: () => void deleteClientKey().then(start) }, ended));
  }
  return true;
}

async function start(): Promise<void> {
  main.replaceChildren(element('p', {}, 'Opening…'));
  try {
    const key = await openOwnKey();
    const ask = openDesk(key, showReceipt);
    if (await openBoard(key, ask)) return;
    showPanel(mappingPanel({ key, again: () => openBoard(key, ask) }));
  } catch (error) {
    showProblem(error);
  }
}

await start();
