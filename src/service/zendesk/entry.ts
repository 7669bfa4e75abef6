import type { GraphAccount, GraphSession, OperationName } from '../../proxy/index.ts';

/** Where a document enters a Zendesk account: on which integration, and all that it needs there. */
export interface GraphEntry {
  readonly session: GraphSession;
  readonly integrationId: string;
  /** Every operation that the field and what is selected below it need; one denied denies the field. */
  readonly operations: readonly OperationName[];
}

/** The account, for a caller who may do all of it; rejects before anything is fetched. */
export function openAccount({ session, integrationId, operations }: GraphEntry): Promise<GraphAccount> {
  return session.account(integrationId, operations);
}

/** What was read, and the account that leads on from it. */
export interface Found<View> {
  readonly account: GraphAccount;
  readonly view: View;
}

export function found<View>(account: GraphAccount, view: View | null): Found<View> | null {
  return view === null ? null : { account, view };
}
