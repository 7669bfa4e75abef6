/** The client libraries that teams use, each over a `fetch` of ours, and what a program reads of its results. */
import {
  ApolloClient,
  ApolloLink,
  CombinedGraphQLErrors,
  HttpLink,
  InMemoryCache,
} from '@apollo/client/core';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { Client, fetchExchange, type OperationResult } from '@urql/core';
import { print } from 'graphql';
import { ClientError, GraphQLClient } from 'graphql-request';
import { tap } from 'rxjs';

export type OperationKind = 'query' | 'mutation';

/** What the libraries' forms of an error have in common. */
export interface LibraryError {
  readonly message: string;
  readonly path?: readonly (string | number)[] | undefined;
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

/** What the library made of an answer, out of its own result and error objects. */
export interface LibraryResult<Result> {
  readonly data: Result | null | undefined;
  readonly errors: readonly LibraryError[];
  readonly extensions: unknown;
}

export interface Library {
  /** Rejects where there is no result: with the cause as the library hands it on. */
  ask<Result, Variables extends Record<string, unknown>>(
    kind: OperationKind,
    document: TypedDocumentNode<Result, Variables>,
    variables: Variables,
    signal?: AbortSignal,
  ): Promise<LibraryResult<Result>>;
}

type OpenLibrary = (url: string, fetch: typeof globalThis.fetch) => Library;

const openUrql: OpenLibrary = (url, fetch) => {
  const client = new Client({ url, fetch, exchanges: [fetchExchange], preferGetMethod: false });
  return {
    async ask<Result, Variables extends Record<string, unknown>>(
      kind: OperationKind,
      document: TypedDocumentNode<Result, Variables>,
      variables: Variables,
      signal?: AbortSignal,
    ) {
      const { promise, resolve, reject } = Promise.withResolvers<OperationResult<Result, Variables>>();
      const { unsubscribe } =
        kind === 'query'
          ? client.query(document, variables).subscribe(resolve)
          : client.mutation(document, variables).subscribe(resolve);
      // urql takes no signal: who is not subscribed any more has given up.
      signal?.addEventListener('abort', () => {
        unsubscribe();
        reject(signal.reason);
      });
      const { data, error, extensions } = await promise;
      if (error?.networkError !== undefined) throw error.networkError;
      return { data, errors: error?.graphQLErrors ?? [], extensions };
    },
  };
};

const openApollo: OpenLibrary = (url, fetch) => ({
  async ask(kind, document, variables, signal) {
    let extensions: unknown;
    // Apollo Client shows `extensions` of a success to its links only.
    const look = new ApolloLink((operation, forward) =>
      forward(operation).pipe(
        tap((result) => {
          extensions = result.extensions;
        }),
      ),
    );
    const client = new ApolloClient({
      link: ApolloLink.from([look, new HttpLink({ uri: url, fetch })]),
      cache: new InMemoryCache(),
    });
    const options = {
      variables,
      errorPolicy: 'all' as const,
      context: signal === undefined ? {} : { fetchOptions: { signal } },
    };
    const { data, error } =
      kind === 'query'
        ? await client.query({ query: document, ...options })
        : await client.mutate({ mutation: document, ...options });
    if (error !== undefined && !CombinedGraphQLErrors.is(error)) throw error;
    return { data, errors: error?.errors ?? [], extensions };
  },
});

const openGraphqlRequest: OpenLibrary = (url, fetch) => {
  const client = new GraphQLClient(url, { fetch });
  return {
    async ask<Result, Variables extends Record<string, unknown>>(
      _kind: OperationKind,
      document: TypedDocumentNode<Result, Variables>,
      variables: Variables,
      signal?: AbortSignal,
    ): Promise<LibraryResult<Result>> {
      try {
        const options = { query: print(document), variables, ...(signal === undefined ? {} : { signal }) };
        const { data, extensions } = await client.rawRequest<Result, Record<string, unknown>>(options);
        return { data, errors: [], extensions };
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        const { data, errors = [], extensions } = error.response;
        return { data: data as Result | null, errors, extensions };
      }
    },
  };
};

export const LIBRARIES: readonly (readonly [string, OpenLibrary])[] = [
  ['@urql/core', openUrql],
  ['@apollo/client', openApollo],
  ['graphql-request', openGraphqlRequest],
];
