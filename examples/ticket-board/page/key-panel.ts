/** What the page says of its key until answers can be sealed to it. */
import { isNonExtractable, type WelcomedClientKey } from '../../../src/client/index.ts';
import { element } from './element.ts';
import { messageOf } from './words.ts';

export interface MappingPanelOptions {
  readonly key: WelcomedClientKey;
  /** Asks again whether the key is mapped, and shows what follows; `false` where it is not. */
  again(): Promise<boolean>;
}

/** The key waits for somebody who may map it. */
export function mappingPanel({ key, again }: MappingPanelOptions): HTMLElement {
  const demo = element('button', { type: 'button' }, 'Map it as the demo’s admin');
  const retry = element('button', { type: 'button' }, 'It is mapped: go on');
  const told = element('p', { className: 'notice', role: 'alert' });
  const goOn = async (mapped: Promise<string | null>): Promise<void> => {
    retry.disabled = demo.disabled = true;
    // Emptied first, so that the same words are announced again.
    told.replaceChildren();
    try {
      const refusal = await mapped;
      if (refusal !== null) told.textContent = refusal;
      else if (!(await again()))
        told.textContent = 'The key is not mapped yet. Ask the admin, then try again.';
    } catch (error) {
      told.textContent = messageOf(error);
    } finally {
      retry.disabled = demo.disabled = false;
    }
  };
  retry.addEventListener('click', () => void goOn(Promise.resolve(null)));
  demo.addEventListener('click', () => void goOn(mapForDemo(key)));
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
    told,
    element(
      'p',
      { className: 'by' },
      'The second button is for the demo only: its server holds the demo’s admin key and compares the fingerprint for you.',
    ),
  );
}

export interface EndedPanelOptions {
  /** Forgets the key and makes another. */
  renew(): void;
}

/** The gateway does not take this key, and never will again. */
export function endedPanel({ renew }: EndedPanelOptions, message: string): HTMLElement {
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
