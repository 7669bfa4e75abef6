/** All Zendesk calls of one operation together; half of what the tenant's keys are sure to live. */
export const OPERATION_DEADLINE_MS = 30_000;
