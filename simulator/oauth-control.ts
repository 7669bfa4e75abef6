/** The programmatic side of OAuth: consent without a browser, and a token endpoint that misbehaves on demand. */
import type { World } from './call.ts';
import { decideConsent } from './consent.ts';
import { Refusal, type Reply } from './reply.ts';
import type { ConsentOptions, OAuthControl } from './simulator.ts';

/** The account is looked up at every use, since a reset replaces it. */
export const createOAuthControl = (world: () => World): OAuthControl => ({
  get behaviour() {
    return world().grants.behaviour;
  },
  behave: (behaviour) => world().grants.behave(behaviour),
  consent: (authorizationUrl, options: ConsentOptions = {}) => {
    const form = new URL(authorizationUrl).searchParams;
    form.set('decision', options.decision ?? 'allow');
    if (options.email !== undefined) form.set('email', options.email);
    const reply = decide(world(), form);
    const { location } = reply.headers;
    if (location === undefined)
      throw new RangeError(`the consent page refuses the request (${reply.status})`);
    return location;
  },
});

const decide = (world: World, form: URLSearchParams): Reply => {
  try {
    return decideConsent(world, Buffer.from(form.toString()));
  } catch (error) {
    if (error instanceof Refusal) return error.reply;
    throw error;
  }
};
