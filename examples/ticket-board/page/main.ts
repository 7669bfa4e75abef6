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
import { countOf, millisecondsOf } from './words.ts';

const main = part('main');

function showReceipt({ bytes, milliseconds, auditEventId }: Receipt): void {
  part('receipt').replaceChildren(
    `Sealed answer ${countOf(bytes)} bytes, opened in ${millisecondsOf(milliseconds)} ms, audit event `,
    element('code', {}, auditEventId),
  );
}

function showProblem(error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  const again = element('button', { type: 'button' }, 'Try again');
  again.addEventListener('click', () => void start());
  main.replaceChildren(
    element('section', { className: 'panel', role: 'alert' }, element('p', {}, text), again),
  );
}

/** Why the gateway seals nothing to the key, as a panel; rethrows what has nothing to do with the key. */
async function panelFor(key: WelcomedClientKey, error: unknown): Promise<HTMLElement> {
  const errors = error instanceof DeskError ? error.errors : [];
  const options = {
    key,
    again: () => void start(),
    renew: () => void deleteClientKey().then(start),
  };
  if (errorOf(errors, 'CLIENT_KEY_NOT_MAPPED') !== null) {
    const refusal = await confirmOwnKey(key);
    return refusal === null ? mappingPanel(options) : endedPanel(options, refusal);
  }
  const ended = errorOf(errors, 'KEY_REVOKED') ?? errorOf(errors, 'NOT_FOUND');
  if (ended === null) throw error;
  return endedPanel(options, ended.message);
}

async function showBoard(ask: Ask): Promise<void> {
  const { data } = await ask(BoardDocument, {});
  const integration = data?.integrations.edges[0]?.node;
  if (integration === undefined) {
    main.replaceChildren(element('p', {}, 'The tenant has no integration yet.'));
    return;
  }
  part('account').textContent = integration.name;
  const pane = element('section', { className: 'pane', 'aria-label': 'Ticket' });
  pane.append(element('p', { className: 'by' }, 'Choose a ticket to read its conversation.'));
  const table = createTicketTable({
    open(ticket) {
      const options = { ask, integrationId: integration.id, changed: table.update };
      showTicket(pane, ticket, options).catch((error: unknown) => {
        pane.replaceChildren(element('p', { className: 'notice', role: 'alert' }, String(error)));
      });
    },
    more(after) {
      ask(BoardDocument, { after }).then(({ data: next }) => {
        const page = next?.integrations.edges[0]?.node.tickets ?? null;
        if (page !== null) table.add(page);
      }, showProblem);
    },
  });
  if (integration.tickets !== null) table.add(integration.tickets);
  main.replaceChildren(table.root, pane);
}

async function start(): Promise<void> {
  main.replaceChildren(element('p', {}, 'Opening…'));
  try {
    const key = await openOwnKey();
    try {
      await showBoard(openDesk(key, showReceipt));
    } catch (error) {
      const panel = await panelFor(key, error);
      main.replaceChildren(panel);
      panel.querySelector('h2')?.focus();
    }
  } catch (error) {
    showProblem(error);
  }
}

await start();
