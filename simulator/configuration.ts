/** Small unpaginated lists about the account itself. */
import {
  ACCOUNT_ID,
  AREA_FIELD_ID,
  DESCRIPTION_FIELD_ID,
  ORDER_FIELD_ID,
  REFUND_FIELD_ID,
} from './account.ts';
import type { Call } from './call.ts';
import { DATASET_EPOCH } from './dataset.ts';
import { isoTime } from './people-view.ts';
import { json, type Reply } from './reply.ts';

const FIELDS = [
  { id: DESCRIPTION_FIELD_ID - 1, type: 'subject', title: 'Subject' },
  { id: DESCRIPTION_FIELD_ID, type: 'description', title: 'Description' },
  { id: DESCRIPTION_FIELD_ID + 1, type: 'status', title: 'Status' },
  { id: DESCRIPTION_FIELD_ID + 2, type: 'priority', title: 'Priority' },
  { id: ORDER_FIELD_ID, type: 'text', title: 'Order number' },
  { id: AREA_FIELD_ID, type: 'tagger', title: 'Area' },
  { id: REFUND_FIELD_ID, type: 'decimal', title: 'Refund amount' },
] as const;

const areaOptions = ['hardware', 'app', 'cloud', 'shop'].map((value, index) => ({
  id: AREA_FIELD_ID + 100 + index,
  name: value.charAt(0).toUpperCase() + value.slice(1),
  raw_name: value,
  value,
  default: false,
}));

export const listTicketFields = (call: Call): Reply => {
  const createdAt = isoTime(DATASET_EPOCH - 900 * 86_400_000);
  const fields = FIELDS.map((field, position) => ({
    url: `${call.origin}/api/v2/ticket_fields/${field.id}.json`,
    ...field,
    raw_title: field.title,
    description: field.title,
    raw_description: field.title,
    position,
    active: true,
    required: field.type === 'description',
    collapsed_for_agents: false,
    regexp_for_validation: null,
    title_in_portal: field.title,
    visible_in_portal: true,
    editable_in_portal: true,
    required_in_portal: field.type === 'description',
    tag: null,
    created_at: createdAt,
    updated_at: createdAt,
    removable: field.id < DESCRIPTION_FIELD_ID - 1,
    agent_description: null,
    ...(field.type === 'tagger' ? { custom_field_options: areaOptions } : {}),
  }));
  return json(200, { ticket_fields: fields, count: fields.length, next_page: null, previous_page: null });
};

/** Who owns the account, as the admin's own pages ask; the published description has no such path. */
export const showAccount = (call: Call): Reply =>
  json(200, {
    account: {
      url: call.origin,
      name: 'Lumen & Oak',
      subdomain: 'lumenoak',
      time_zone: 'London',
      owner_id: call.world.ownerId,
      multiproduct: true,
    },
  });

export const showAccountSettings = (): Reply =>
  json(200, {
    settings: {
      branding: { header_color: '#1A1A1A' },
      active_features: { customer_satisfaction: true, on_hold_status: true, custom_statuses_enabled: true },
      tickets: { comments_public_by_default: true, collaboration: true, agent_ticket_deletion: true },
      localization: { locale_ids: [1] },
      statistics: { account_id: ACCOUNT_ID },
    },
  });
