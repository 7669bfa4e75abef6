/** What the page says of its key until answers can be sealed to it. */
import { isNonExtractable, type WelcomedClientKey } from '../../../src/client/index.ts';
import { element } from './element.ts';

export interface KeyPanelOptions {
  readonly key: WelcomedClientKey;
  /** Asks again whether the key is mapped. */
  again(): void;
  /** Forgets the key and makes another. */
  renew(): void;
}

/** The key waits for somebody who may map it. */
export function mappingPanel({ key, again }: KeyPanelOptions): HTMLElement {
  const demo = element('button', { type: 'button' }, 'Map it as the demo’s admin');
  const retry = element('button', { type: 'button' }, 'It is mapped: go on');
  const told = element('p', { className: 'notice', role: 'alert' });
  retry.addEventListener('click', again);
  demo.addEventListener('click', async () => {
    demo.disabled = true;
    const answer = await mapForDemo(key).catch(String);
    demo.disabled = false;
    if (answer === null) again();
    else told.textContent = answer;
  });
  return element(
    'section',
    { className: 'panel', 'aria-labelledby': 'waiting' },
    element('h2', { id: 'waiting', tabIndex: -1 }, 'This page’s key waits to be mapped'),
    element(
      'p',
      {},
      `The key was made in this browser and stays here${
        isNonExtractable(key) ? ': no script can read its private half' : ''
      }. The gateway knows its public half, and seals nothing to it before an admin has said whose it is.`,
    ),
    element(
      'dl',
      { className: 'facts' },
      element('div', {}, element('dt', {}, 'Key'), element('dd', {}, element('code', {}, key.keyId))),
      element(
        'div',
        {},
        element('dt', {}, 'Fingerprint'),
        element('dd', {}, element('code', { className: 'fingerprint' }, key.fingerprint)),
      ),
    ),
    element(
      'p',
      {},
      'Tell an admin both, by another way than this page. The admin compares the fingerprint with what the gateway shows and maps the key:',
    ),
    element(
      'pre',
      {},
      element(
        'code',
        {},
        `mutation { mapClientKey(keyId: "${key.keyId}") { clientKey { status fingerprint } } }`,
      ),
    ),
    element('div', { className: 'row' }, retry, demo),
    element(
      'p',
      { className: 'by' },
      'The second button is for the demo only: its server holds the demo’s admin key and compares the fingerprint for you.',
    ),
    told,
  );
}

/** The gateway does not take this key, and never will again. */
export function endedPanel({ renew }: KeyPanelOptions, message: string): HTMLElement {
  const button = element('button', { type: 'button' }, 'Make a new key');
  button.addEventListener('click', renew);
  return element(
    'section',
    { className: 'panel', 'aria-labelledby': 'ended' },
    element('h2', { id: 'ended', tabIndex: -1 }, 'The gateway does not take this page’s key'),
    element('p', {}, message),
    element(
      'p',
      {},
      'The key ended, or the gateway was set up anew. What was sealed to it can still be opened with it, so it is forgotten only when you say so.',
    ),
    button,
  );
}

/** `null` when it is done, else why not. */
async function mapForDemo({ keyId, fingerprint }: WelcomedClientKey): Promise<string | null> {
  const response = await fetch('/demo/map', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ keyId, fingerprint }),
  });
  return response.ok ? null : String((await response.json()).message);
}
