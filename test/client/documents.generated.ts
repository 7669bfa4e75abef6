/* Printed by `npm run generate` from documents.graphql. */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';
/** A new ticket. null is as good as left out. */
export type CreateTicketInput = {
  /** The agent in charge. */
  readonly assigneeId?: string | number | null | undefined;
  /** Zendesk’s id of the brand. */
  readonly brandId?: string | number | null | undefined;
  /** The first comment, which becomes the ticket’s description. */
  readonly comment: NewCommentInput;
  /** Values of custom fields. */
  readonly customFields?: ReadonlyArray<CustomFieldInput> | null | undefined;
  /** Zendesk’s id of a custom status; sets the status too. */
  readonly customStatusId?: string | number | null | undefined;
  /** When it is due; for the type TASK. */
  readonly dueAt?: string | null | undefined;
  /** Your own reference, up to 255 characters. */
  readonly externalId?: string | null | undefined;
  /** Zendesk’s id of the group in charge. */
  readonly groupId?: string | number | null | undefined;
  /** Your own name for this creation, 1 to 128 visible ASCII characters: sent again within two hours it makes no second ticket. Without one, a call sent again, such as after a lost answer, may open a second ticket. */
  readonly idempotencyKey?: string | null | undefined;
  /** The integration in whose account it is opened. */
  readonly integrationId: string | number;
  /** The organization of the requester. */
  readonly organizationId?: string | number | null | undefined;
  /** How urgent it is. */
  readonly priority?: TicketPriority | null | undefined;
  /** The problem behind it; for the type INCIDENT. */
  readonly problemId?: string | number | null | undefined;
  /** The person who asks, by address; not together with `requesterId`. Where neither is given it is the credential’s own user, mostly an agent or a bot: name the customer. */
  readonly requester?: RequesterInput | null | undefined;
  /** The person who asks; the credential’s own user where neither is given. */
  readonly requesterId?: string | number | null | undefined;
  /** Where it stands. */
  readonly status?: TicketStatus | null | undefined;
  /** The subject line, up to 1 000 characters. */
  readonly subject?: string | null | undefined;
  /** Its tags, without spaces or commas. */
  readonly tags?: ReadonlyArray<string> | null | undefined;
  /** Zendesk’s id of the ticket form. */
  readonly ticketFormId?: string | number | null | undefined;
  /** What kind of request it is. */
  readonly type?: TicketType | null | undefined;
};

/** What became of the idempotency key of a creation. */
export type CreationIdempotency =
  /** A new ticket, under the key. */
  | 'CREATED'
  /** Zendesk did not confirm the key: an earlier try may have made a second ticket. */
  | 'NOT_APPLIED'
  /** No key was sent. */
  | 'NOT_REQUESTED'
  /** The ticket of an earlier call with the same key: no second one was made. */
  | 'REPLAYED';

/** A new value of one custom field. */
export type CustomFieldInput = {
  /** Zendesk’s id of the field. */
  readonly fieldId: string | number;
  /** Text, a number, true, false, or a list of texts, as the field’s kind has it; null empties it. */
  readonly value?: unknown;
};

/** A comment to be written: either `body` or `htmlBody`, and whether the requester sees it. */
export type NewCommentInput = {
  /** Who is shown as its author; the credential’s own user where left out. */
  readonly authorId?: string | number | null | undefined;
  /** The text, up to 65 535 bytes. */
  readonly body?: string | null | undefined;
  /** The text as HTML, up to 65 535 bytes. */
  readonly htmlBody?: string | null | undefined;
  /** true: the requester sees it and may get it by mail. false: an internal note. */
  readonly public: boolean;
  /** Tokens of files that were uploaded to Zendesk before. */
  readonly uploads?: ReadonlyArray<string> | null | undefined;
};

/** One operation to run on Zendesk. */
export type ProxyOutboundInput = {
  /** For create_ticket: the caller’s own name for this creation, so that it can be sent again. */
  readonly idempotencyKey?: string | null | undefined;
  /** The integration whose account it runs on. */
  readonly integrationId: string | number;
  /** One of docs/operations.md. */
  readonly operation: string;
  /** The fields of the operation, as docs/operations.md lists them. */
  readonly payload: Record<string, unknown>;
};

/** A person by name and address; Zendesk creates one whom it does not know. */
export type RequesterInput = {
  /** The address. */
  readonly email: string;
  /** The name; the address where left out. */
  readonly name?: string | null | undefined;
};

/** How urgent a ticket is. */
export type TicketPriority =
  /** Before others. */
  | 'HIGH'
  /** Can wait. */
  | 'LOW'
  /** In its turn. */
  | 'NORMAL'
  /** A value that Zendesk has added and this schema does not know. Only answered. */
  | 'OTHER'
  /** At once. */
  | 'URGENT';

/** Where a ticket stands. Of a ticket with a custom status it is that status’s category. */
export type TicketStatus =
  /** Final: a closed ticket cannot be changed any more. */
  | 'CLOSED'
  /** Deleted, and kept by Zendesk for 30 days. Only answered. */
  | 'DELETED'
  /** Waits for somebody outside; only in accounts that have switched it on. */
  | 'HOLD'
  /** Nobody has taken it up yet. */
  | 'NEW'
  /** An agent works on it. */
  | 'OPEN'
  /** A value that Zendesk has added and this schema does not know. Only answered. */
  | 'OTHER'
  /** Waits for the requester. */
  | 'PENDING'
  /** An agent has solved it; the requester may reopen it. */
  | 'SOLVED';

/** What kind of request a ticket is. */
export type TicketType =
  /** One case of a problem. */
  | 'INCIDENT'
  /** A value that Zendesk has added and this schema does not know. Only answered. */
  | 'OTHER'
  /** A cause that several incidents share. */
  | 'PROBLEM'
  /** A question. */
  | 'QUESTION'
  /** Something to be done, perhaps by a date. */
  | 'TASK';

/** What to change of a ticket; what is left out stays as it is. null clears a field where the field says so, and is refused elsewhere. */
export type UpdateTicketInput = {
  /** The agent in charge; null for nobody. */
  readonly assigneeId?: string | number | null | undefined;
  /** Zendesk’s id of the brand. */
  readonly brandId?: string | number | null | undefined;
  /** A comment to write with the change. */
  readonly comment?: NewCommentInput | null | undefined;
  /** Values of custom fields; those that are not named stay. */
  readonly customFields?: ReadonlyArray<CustomFieldInput> | null | undefined;
  /** Zendesk’s id of a custom status; sets the status too. */
  readonly customStatusId?: string | number | null | undefined;
  /** When a TASK is due; null clears it. */
  readonly dueAt?: string | null | undefined;
  /** The `updatedAt` that was last seen. If the ticket was changed since, nothing is changed and the answer is CONFLICT. Zendesk’s times are whole seconds, so that of two changes within one second the later one goes unnoticed. */
  readonly expectedUpdatedAt?: string | null | undefined;
  /** Your own reference, up to 255 characters; null clears it. */
  readonly externalId?: string | null | undefined;
  /** Zendesk’s id of the group in charge; null for none. */
  readonly groupId?: string | number | null | undefined;
  /** The organization; null for none. */
  readonly organizationId?: string | number | null | undefined;
  /** How urgent it is; null clears it. */
  readonly priority?: TicketPriority | null | undefined;
  /** The problem behind an INCIDENT; null for none. */
  readonly problemId?: string | number | null | undefined;
  /** Another requester. */
  readonly requesterId?: string | number | null | undefined;
  /** Where it stands; CLOSED is final. */
  readonly status?: TicketStatus | null | undefined;
  /** The subject line, up to 1 000 characters. */
  readonly subject?: string | null | undefined;
  /** The whole list of tags, in place of the present one. */
  readonly tags?: ReadonlyArray<string> | null | undefined;
  /** Zendesk’s id of the ticket form. */
  readonly ticketFormId?: string | number | null | undefined;
  /** The ticket’s global id. */
  readonly ticketId: string | number;
  /** What kind of request it is; null clears it. */
  readonly type?: TicketType | null | undefined;
};

export type TicketPageQueryVariables = Exact<{
  integrationId: string | number;
  first: number;
}>;


export type TicketPageQuery = { readonly integration: { readonly id: string, readonly tickets: { readonly nodes: ReadonlyArray<{ readonly id: string, readonly zendeskId: string, readonly subject: string | null, readonly status: TicketStatus | null, readonly requester: { readonly id: string, readonly name: string | null } | null, readonly submitter: { readonly id: string, readonly name: string | null } | null, readonly assignee: { readonly id: string, readonly name: string | null } | null, readonly organization: { readonly id: string, readonly name: string | null } | null }>, readonly pageInfo: { readonly hasNextPage: boolean, readonly endCursor: string | null } } | null } };

export type TicketAndPeopleQueryVariables = Exact<{
  integrationId: string | number;
  ticketId: string | number;
}>;


export type TicketAndPeopleQuery = { readonly integration: { readonly id: string, readonly ticket: { readonly id: string, readonly subject: string | null, readonly status: TicketStatus | null, readonly updatedAt: string | null } | null, readonly users: { readonly nodes: ReadonlyArray<{ readonly id: string, readonly name: string | null }> } | null } };

export type CreateTicketMutationVariables = Exact<{
  input: CreateTicketInput;
}>;


export type CreateTicketMutation = { readonly createTicket: { readonly idempotency: CreationIdempotency | null, readonly ticket: { readonly id: string, readonly subject: string | null, readonly status: TicketStatus | null, readonly updatedAt: string | null } } | null };

export type UpdateTicketMutationVariables = Exact<{
  input: UpdateTicketInput;
}>;


export type UpdateTicketMutation = { readonly updateTicket: { readonly ticket: { readonly id: string, readonly subject: string | null, readonly status: TicketStatus | null, readonly updatedAt: string | null } | null, readonly current: { readonly id: string, readonly subject: string | null, readonly status: TicketStatus | null, readonly updatedAt: string | null } | null } | null };

export type ProxyTicketMutationVariables = Exact<{
  input: ProxyOutboundInput;
}>;


export type ProxyTicketMutation = { readonly proxyOutbound: { readonly auditEventId: string, readonly envelope: object } | null };


export const TicketPageDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"TicketPage"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"integrationId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"integration"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"integrationId"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"tickets"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"zendeskId"}},{"kind":"Field","name":{"kind":"Name","value":"subject"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"requester"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"submitter"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"assignee"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"organization"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}}]}}]}}]}}]} as unknown as DocumentNode<TicketPageQuery, TicketPageQueryVariables>;
export const TicketAndPeopleDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"TicketAndPeople"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"integrationId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"ticketId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"integration"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"integrationId"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"ticket"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"ticketId"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"subject"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}}]}},{"kind":"Field","name":{"kind":"Name","value":"users"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"IntValue","value":"5"}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}}]}}]}}]} as unknown as DocumentNode<TicketAndPeopleQuery, TicketAndPeopleQueryVariables>;
export const CreateTicketDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"CreateTicket"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"CreateTicketInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"createTicket"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"idempotency"}},{"kind":"Field","name":{"kind":"Name","value":"ticket"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"subject"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}}]}}]}}]}}]} as unknown as DocumentNode<CreateTicketMutation, CreateTicketMutationVariables>;
export const UpdateTicketDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"UpdateTicket"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"UpdateTicketInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"updateTicket"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"ticket"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"subject"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}}]}},{"kind":"Field","name":{"kind":"Name","value":"current"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"subject"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}}]}}]}}]}}]} as unknown as DocumentNode<UpdateTicketMutation, UpdateTicketMutationVariables>;
export const ProxyTicketDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"ProxyTicket"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ProxyOutboundInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"proxyOutbound"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"auditEventId"}},{"kind":"Field","name":{"kind":"Name","value":"envelope"}}]}}]}}]} as unknown as DocumentNode<ProxyTicketMutation, ProxyTicketMutationVariables>;