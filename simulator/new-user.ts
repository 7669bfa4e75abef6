/** The row of a user nothing is known of but name and address. */
import type { UserRow } from './records.ts';

/** A user as created through the API with nothing but name and address. */
export const newEndUser = (name: string, email: string | null, now: number): Omit<UserRow, 'id'> => {
  const second = Math.floor(now / 1000);
  return {
    name,
    email,
    role: 'end-user',
    organizationId: null,
    defaultGroupId: null,
    phone: null,
    externalId: null,
    notes: null,
    details: null,
    tags: [],
    suspended: false,
    active: true,
    verified: false,
    locale: 'en-US',
    alias: '',
    customRoleId: null,
    twoFactor: false,
    scrubbed: false,
    createdAt: second * 1000,
    updatedAt: second * 1000,
    generatedAt: second,
    lastLoginAt: null,
  };
};
