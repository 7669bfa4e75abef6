import type { SealdeskError } from '../base/index.ts';
import type { Call, ConnectionPage, Services } from '../service/index.ts';
import { type Answer, retryAfterHeader } from './answer.ts';
import { pageAnswer } from './html-page.ts';

/**
 * `GET /oauth/zendesk/callback`: where Zendesk sends the browser of an admin who allowed or denied access. It has no
 * caller; the state in its query is what it is known by, and that is good once. Answers a page that says what is
 * connected, or what went wrong and how to mend it.
 */
export async function oauthCallbackRoute(
  services: Pick<Services, 'completeConnection'>,
  call: Call,
  query: string,
): Promise<Answer> {
  return connectionPage(await services.completeConnection(call, query));
}

/** The page of a failure that no connection stands for. */
export function callbackFailure(error: SealdeskError, requestId: string): Answer {
  const isGranted = error.details.mutation === 'APPLIED';
  const page = pageAnswer({
    status: error.status,
    title: isGranted ? 'Not finished yet' : 'Nothing was connected',
    paragraphs: [error.message, `Code: ${error.code}. Request: ${requestId}.`],
  });
  return { ...page, headers: { ...page.headers, ...retryAfterHeader(error) } };
}

function connectionPage(page: ConnectionPage): Answer {
  const { connection, integration, tenant, grantedScopes, returnTo, auditEventId } = page;
  const { failure, integrationId } = connection;
  const name = integration === null ? integrationId : `${integration.name} (${integrationId})`;
  const link = returnTo === null ? null : { href: returnTo, text: 'Go back' };
  // Who was sent here by somebody else learns into whose hands the account would come.
  const owner = `${tenant.name} (${tenant.id})`;
  const event = `Audit event: ${auditEventId}.`;
  if (failure === null) {
    return pageAnswer({
      status: 200,
      title: 'Connected',
      paragraphs: [
        `The integration ${name} of ${owner} is connected to the Zendesk account ${integration?.subdomain ?? ''}.`,
        `Whoever works with ${tenant.name} on this gateway can use that account now, as far as the integration allows. If you do not know them, revoke the access in the Admin Center of Zendesk, under OAuth clients.`,
        `Granted: ${grantedScopes.join(' ')}.`,
        ...replacedText(connection.replacedCredentialId),
        ...olderText(connection.leftAtZendeskUntil),
        event,
        'You can close this page.',
      ],
      link,
    });
  }
  const { code, message, remedy, missingScopes } = failure;
  return pageAnswer({
    status: 200,
    title: 'Not connected',
    paragraphs: [
      `The integration ${name} of ${owner} was not connected. A credential that it had before works on as it was.`,
      message,
      ...(missingScopes.length === 0 ? [] : [`Missing: ${missingScopes.join(' ')}.`]),
      remedy,
      ...leftText(connection.leftAtZendeskUntil),
      `Code: ${code}. ${event}`,
    ],
    link,
  });
}

function replacedText(replacedId: string | null): readonly string[] {
  if (replacedId === null) return [];
  return [
    `It no longer uses the credential ${replacedId}. Delete that with deleteCredential once nothing else needs it.`,
  ];
}

function olderText(until: Date | null): readonly string[] {
  if (until === null) return [];
  return [
    `The tokens that it had before could not be revoked at Zendesk; they end by ${until.toISOString()}. Revoke the older ones of the OAuth client in the Admin Center of Zendesk.`,
  ];
}

function leftText(until: Date | null): readonly string[] {
  if (until === null) return [];
  return [
    `Zendesk may have granted access that could not be taken back; it ends by ${until.toISOString()}. Revoke it in the Admin Center of Zendesk, at the OAuth client.`,
  ];
}
