/**
 * What stands behind the objects of the graph: a view of Zendesk's record with the account that leads
 * on from it, and, of people and organizations, as much as was asked for.
 */
import type {
  CommentView,
  Found,
  GraphAccount,
  OrganizationView,
  TicketView,
  UserView,
} from '../../src/service/index.ts';

export type TicketObject = Found<TicketView>;
export type CommentObject = Found<CommentView>;

/** A person as referred to, and in full where the document asks for more than name and photo. */
export interface UserObject {
  readonly account: GraphAccount;
  readonly id: number;
  readonly name: string | null;
  readonly photo: string | null;
  readonly full: UserView | null;
}

/** An organization as referred to, and in full where the document asks for more than its name. */
export interface OrganizationObject {
  readonly account: GraphAccount;
  readonly id: number;
  readonly name: string | null;
  readonly full: OrganizationView | null;
}

export function userObject({ account, view }: Found<UserView>): UserObject {
  return { account, id: view.id, name: view.name, photo: view.photo, full: view };
}

export function organizationObject({ account, view }: Found<OrganizationView>): OrganizationObject {
  return { account, id: view.id, name: view.name, full: view };
}

/** The whole record; asked for only by fields whose selection had it loaded. */
export function fullOf<View>({ full }: { readonly full: View | null }): View {
  if (full === null) throw new TypeError('"full" must have been loaded for a field that shows it');
  return full;
}
