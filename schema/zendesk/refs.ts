/** The types that refer to each other in rings, made here and filled in files of their own. */
import { builder } from '../builder.ts';
import type { CommentObject, OrganizationObject, TicketObject, UserObject } from './objects.ts';

export const Ticket = builder.objectRef<TicketObject>('Ticket');
export const Comment = builder.objectRef<CommentObject>('Comment');
export const User = builder.objectRef<UserObject>('User');
export const Organization = builder.objectRef<OrganizationObject>('Organization');
