/**
 * The page behind the link that callers of an integration get when it has to be connected again. It says the same
 * whatever is asked for, since anybody may ask: not even whether there is such an integration.
 */
import { type Answer, htmlAnswer } from './answer.ts';

export const RECONNECT_PATH = '/oauth/zendesk/reconnect/';

const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Connect Zendesk again - Sealdesk</title></head>
<body>
<h1>This integration has to be connected to Zendesk again</h1>
<p>Zendesk does not accept its credential any more. Until an ADMIN connects it again, nothing is sent to Zendesk.</p>
<p>If you are not an ADMIN of the integration, hand the address of this page to one. The id of the integration,
<code>int_…</code>, is the last part of the address.</p>
<h2>How an ADMIN connects it</h2>
<ol>
<li>At a command line: <code>sealdesk connect INTEGRATION</code>, with an API key of role ADMIN.</li>
<li>Or by the API: the mutation <code>connectZendesk</code> answers an address in Zendesk, where an admin of the
account consents.</li>
<li>Or with a credential of another kind: the mutation <code>rotateCredential</code>, or
<code>updateIntegration</code> with another <code>credentialId</code>.</li>
</ol>
<p>The integration keeps its id, its policy and its history. Its field <code>connection</code> in the graph says why
the connection was lost.</p>
</body>
</html>
`;

/** `GET /oauth/zendesk/reconnect/{integrationId}`. */
export function reconnectPage(): Answer {
  return htmlAnswer(PAGE);
}
