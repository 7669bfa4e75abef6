/** Fixed ids and names of the simulated account: the things every ticket points at but nobody edits here. */

export const ACCOUNT_ID = 12_514_403;
export const BRAND_ID = 6_130_907_240_001;
export const TICKET_FORM_ID = 6_130_907_250_001;
export const FIRST_GROUP_ID = 6_130_907_260_001;
export const FIRST_ORGANIZATION_ID = 6_130_907_500_001;
export const FIRST_USER_ID = 6_130_907_993_114;
/** The account's owner, a seeded admin who is none of the demo people. */
export const OWNER_ID = FIRST_USER_ID + 3 * 7;
export const FIRST_COMMENT_ID = 6_131_000_000_000;
/** Room for comment and audit ids of one ticket: 5,000 comments with two ids each. */
export const COMMENT_ID_STRIDE = 16_384;

export const ORDER_FIELD_ID = 6_130_907_270_001;
export const AREA_FIELD_ID = 6_130_907_270_002;
export const REFUND_FIELD_ID = 6_130_907_270_003;
export const CUSTOM_FIELD_IDS: readonly number[] = [ORDER_FIELD_ID, AREA_FIELD_ID, REFUND_FIELD_ID];
export const DESCRIPTION_FIELD_ID = 6_130_907_270_010;

/** Custom status ids by status category; one default status each. */
export const CUSTOM_STATUS_IDS = {
  new: 6_130_907_280_001,
  open: 6_130_907_280_002,
  pending: 6_130_907_280_003,
  hold: 6_130_907_280_004,
  solved: 6_130_907_280_005,
  closed: 6_130_907_280_005,
} as const;

/** The people that are always there, whatever the seed. */
export const ADMIN_EMAIL = 'admin@example.test';
export const AGENT_EMAIL = 'agent@example.test';
export const CUSTOMER_EMAIL = 'customer@example.test';
export const SUSPENDED_EMAIL = 'suspended@example.test';
/** An end user who is suspended: opening a ticket in their name is refused. */
export const BLOCKED_CUSTOMER_EMAIL = 'blocked@example.test';
