/** What an integration allows its plans. */
import type { ProvisioningSettingsView } from '../src/service/index.ts';
import { builder } from './builder.ts';
import { Integration } from './integration.ts';

const READ_COST = 100;

const ProvisioningSettings = builder.objectRef<ProvisioningSettingsView>('ProvisioningSettings').implement({
  description: 'What an integration allows its plans.',
  fields: (t) => ({
    integrationId: t.exposeID('integrationId', { description: 'The integration.' }),
    breakGlassUserIds: t.idList({
      description:
        'Zendesk’s own numbers of people who can be neither suspended nor given another role, by plans or otherwise through the gateway.',
      resolve: ({ breakGlassUserIds }) => breakGlassUserIds.map(String),
    }),
    maxChanges: t.exposeInt('maxChanges', {
      description: 'People whom a plan may change where it does not say how many; 50 unless set.',
    }),
  }),
});

builder.objectField(Integration, 'provisioningSettings', (t) =>
  t.field({
    type: ProvisioningSettings,
    nullable: true,
    complexity: READ_COST,
    description: 'What it allows its plans. For ADMIN.',
    resolve: ({ id }, _args, { call, services }) => services.getProvisioningSettings(call, id),
  }),
);

const ProvisioningSettingsInput = builder.inputType('ProvisioningSettingsInput', {
  description: 'What to set; what is left out stays.',
  fields: (t) => ({
    integrationId: t.id({ required: true, description: 'The integration.' }),
    breakGlassUserIds: t.idList({
      required: false,
      description:
        'The whole list of people who may not be locked out, at most 100, in place of the present one.',
    }),
    maxChanges: t.int({ required: false, description: 'From 1 to 1 000.' }),
  }),
});

builder.mutationFields((t) => ({
  setProvisioningSettings: t.field({
    type: ProvisioningSettings,
    nullable: true,
    description:
      'Sets who may not be locked out, and how many people a plan may change. Works from the next step of any plan on. For ADMIN.',
    args: { input: t.arg({ type: ProvisioningSettingsInput, required: true, description: 'What to set.' }) },
    resolve: (_root, { input }, { call, services }) => services.setProvisioningSettings(call, input),
  }),
}));
