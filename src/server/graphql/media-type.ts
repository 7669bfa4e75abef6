import { accepts, SEALED_MEDIA_TYPE } from '../incoming.ts';

/** The media types of execution results: https://graphql.github.io/graphql-over-http/draft/#sec-Media-Types */
const GRAPHQL_RESPONSE = 'application/graphql-response+json';

/**
 * The type to answer in the clear: the results' own where the caller accepts it by name, or answers sealed
 * (whose failures before a recipient is known leave so), else plain JSON, also to those that accept
 * neither: a failure must reach them too.
 */
export function graphqlMediaType(headers: Headers): string {
  const accepted = (headers.get('accept') ?? '').split(',').map((type) => type.split(';')[0]?.trim());
  return accepted.includes(GRAPHQL_RESPONSE) || accepted.includes(SEALED_MEDIA_TYPE)
    ? GRAPHQL_RESPONSE
    : 'application/json';
}

/** The type of results one after the other: https://html.spec.whatwg.org/multipage/server-sent-events.html */
export const EVENT_STREAM = 'text/event-stream';

/** Whether the caller takes a stream of results. */
export function acceptsEventStream(headers: Headers): boolean {
  return accepts(headers, EVENT_STREAM);
}
