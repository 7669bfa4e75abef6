/** Enums of the directory; what Zendesk may add to is answered as OTHER, as in zendesk/enums.ts. */
import { ANSWERED_ONLY, ROLE_TYPES } from '../src/service/index.ts';
import { builder } from './builder.ts';

export const DirectoryRoleType = builder.enumType('DirectoryRoleType', {
  description: 'What the role of somebody of the staff stands for.',
  values: {
    CUSTOM_AGENT: { description: 'An agent with a custom role.' },
    LIGHT_AGENT: { description: 'Sees tickets and comments on them privately; takes up no seat.' },
    CHAT_AGENT: { description: 'Answers chats only.' },
    CONTRIBUTOR: { description: 'Helps out in a limited way; takes up no seat.' },
    ADMIN: { description: 'Manages the account.' },
    BILLING_ADMIN: { description: 'Manages the account and what is paid for it.' },
    OTHER: {
      description: 'A value that Zendesk has added and this schema does not know. Only answered.',
      extensions: ANSWERED_ONLY,
    },
  },
});

export const DirectoryStatus = builder.enumType('DirectoryStatus', {
  description: 'Whether somebody may sign in.',
  values: {
    ACTIVE: { description: 'May sign in.' },
    SUSPENDED: { description: 'Is shut out; the role, and its seat, stay.' },
  },
});

export const TwoFactor = builder.enumType('TwoFactor', {
  description: 'Whether somebody signs in with two factors.',
  values: {
    ON: { description: 'With two.' },
    OFF: { description: 'With a password alone, as far as Zendesk knows.' },
    UNKNOWN: { description: 'Zendesk does not tell.' },
  },
});

export const AccessFinding = builder.enumType('AccessFinding', {
  description: 'What a review of access looks at first. All of it is about the staff.',
  values: {
    DORMANT: {
      description:
        'May sign in and has not for `dormantAfterDays`; or never, and is known for longer than that.',
    },
    NO_TWO_FACTOR: { description: 'Signs in with a password alone.' },
    TWO_FACTOR_UNKNOWN: { description: 'Zendesk does not tell whether with two factors.' },
    SUSPENDED_WITH_SEAT: { description: 'Is suspended and still takes up a paid seat.' },
    NO_GROUP: { description: 'Is in no group.' },
  },
});

/** By Zendesk's number for it. */
export function roleTypeOf(number: number | null) {
  return number === null ? null : (ROLE_TYPES[number] ?? 'OTHER');
}

export function twoFactorOf(isOn: boolean | null) {
  return isOn === null ? 'UNKNOWN' : isOn ? 'ON' : 'OFF';
}
