/**
 * The conversations of the seeded data set: the support desk of an invented maker of smart lamps
 * ("Lumen & Oak") whose customers are shops, hotels and households. Invented texts, no real people.
 *
 * Slots: {product} {order} {city} {first} {agent} {number}.
 */

export interface Story {
  readonly subjects: readonly string[];
  readonly openings: readonly string[];
  readonly replies: readonly string[];
  readonly followups: readonly string[];
  readonly closings: readonly string[];
  readonly notes: readonly string[];
  readonly tags: readonly string[];
  readonly type: 'problem' | 'incident' | 'question' | 'task';
  /** Index into GROUP_NAMES. */
  readonly group: number;
  /** 0 = rarely urgent, 1 = often. */
  readonly heat: number;
}

export const GROUP_NAMES = ['Support', 'Billing', 'Logistics', 'Technical', 'Enterprise Care'] as const;

export const PRODUCTS = [
  'Oak Table Lamp',
  'Lumen Strip Pro',
  'Glow Bridge',
  'Halo Pendant',
  'Dusk Sensor',
  'Porch Light 2',
  'Scene Dial',
  'Lumen Cloud',
] as const;

export const CITIES = [
  'Leeds',
  'Utrecht',
  'Porto',
  'Graz',
  'Aarhus',
  'Lyon',
  'Turin',
  'Cork',
  'Ghent',
  'Malmö',
] as const;

export const STORIES: readonly Story[] = [
  {
    subjects: [
      'Order {order} has not arrived',
      'Where is my {product}?',
      'Parcel stuck in {city} since last week',
    ],
    openings: [
      'Hello,\n\nI ordered a {product} (order {order}) and the tracking page has said "in transit" for six days. It was due on Monday. Could you find out where the parcel is?\n\nThanks,\n{first}',
      'Hi team, tracking for {order} shows the depot in {city} and nothing after that. The delivery was promised for last Friday. Is it lost?\n\n{first}',
    ],
    replies: [
      'Hi {first},\n\nI am sorry for the wait. I opened an enquiry with the carrier; they answer within one working day and I will write again then.\n\n{agent}',
      'Hi {first}, the carrier found the parcel in {city}. It goes out for delivery tomorrow before noon.\n\n{agent}',
    ],
    followups: [
      'Nothing came today either. The tracking page is unchanged.',
      'Thank you for looking into it, I will be at home tomorrow.',
    ],
    closings: ['It arrived this morning, all fine. Thanks for your help!', 'Received, you can close this.'],
    notes: ['Carrier enquiry number {number}. If there is no answer by tomorrow, send a replacement.'],
    tags: ['delivery', 'carrier'],
    type: 'problem',
    group: 2,
    heat: 0.4,
  },
  {
    subjects: [
      'Refund for order {order}',
      'Still waiting for my refund',
      'Returned {product}, no money back',
    ],
    openings: [
      'I sent the {product} from order {order} back three weeks ago, the return was confirmed, but I have not seen a refund on my card. Please check.\n\nRegards, {first}',
      'Hello, could you tell me when the refund for {order} will be paid? Your mail said five working days and that was on the 2nd.',
    ],
    replies: [
      'Hi {first},\n\nthe return is booked in our warehouse. I asked Billing to release the refund today; banks take two to three days more.\n\n{agent}',
      'Hi {first}, the refund was released this afternoon with reference {number}.\n\n{agent}',
    ],
    followups: [
      'My bank says nothing is pending. Can you send me the reference?',
      'Understood, I will wait until Thursday.',
    ],
    closings: ['The refund is on my account now. Thank you.', 'Money received, thanks.'],
    notes: ['Return checked in at the warehouse, item as new. OK to refund in full.'],
    tags: ['refund', 'billing'],
    type: 'question',
    group: 1,
    heat: 0.3,
  },
  {
    subjects: [
      '{product} drops off the Wi-Fi',
      '{product} loses connection every night',
      'Bridge offline after the update',
    ],
    openings: [
      'Since the firmware update of Tuesday my {product} loses the connection every night at about two. I have to unplug it to get it back. Router and password are unchanged.\n\n{first}',
      'Hello support, our {product} goes offline several times a day. The app shows error {number}. We run twelve of them in the lobby and guests notice.',
    ],
    replies: [
      'Hi {first},\n\nthanks for the error number. Please hold the reset button for ten seconds and update to firmware 4.2.1; it fixes a fault in roaming between access points.\n\n{agent}',
      'Hi {first}, could you send us the log from Settings > About > Export? We would like to see what happens at two in the morning.\n\n{agent}',
    ],
    followups: [
      'I updated to 4.2.1 and it dropped off again last night.',
      'Log exported and sent through the app.',
    ],
    closings: [
      'Four nights without a drop. Looks fixed, thank you!',
      'All twelve are stable since the update.',
    ],
    notes: ['Same signature as the roaming fault in firmware 4.2.0. Linked to the problem ticket.'],
    tags: ['wifi', 'firmware', 'connectivity'],
    type: 'incident',
    group: 3,
    heat: 0.7,
  },
  {
    subjects: [
      'Cannot sign in to Lumen Cloud',
      'Password reset mail never arrives',
      'Locked out of our account',
    ],
    openings: [
      'I try to sign in to Lumen Cloud and get "account locked". The reset mail does not arrive, also not in the spam folder. We need access before the weekend.\n\n{first}',
      'Two of my colleagues cannot sign in since this morning. Single sign-on returns error {number}. Is something down?',
    ],
    replies: [
      'Hi {first},\n\nI unlocked the account and sent a new reset link. It is valid for one hour.\n\n{agent}',
      'Hi {first}, your sign-in certificate expired last night. Your administrator can upload the new one under Admin > Security.\n\n{agent}',
    ],
    followups: [
      'The link says it is expired although I clicked it at once.',
      'Our administrator is on it, one moment.',
    ],
    closings: ['We are in again. Thanks for the quick help.', 'Works now!'],
    notes: ['Identity checked by call-back to the number on file.'],
    tags: ['login', 'account', 'sso'],
    type: 'incident',
    group: 3,
    heat: 0.8,
  },
  {
    subjects: [
      'Invoice for order {order} shows the wrong address',
      'Need a VAT invoice for {order}',
      'Charged twice for Lumen Cloud',
    ],
    openings: [
      'Dear Sir or Madam, the invoice for {order} carries our old address in {city}. Our accountant needs it corrected before the end of the month.\n\nKind regards\n{first}',
      'Our card was charged twice for Lumen Cloud this month (reference {number}). Please reverse one of the payments.',
    ],
    replies: [
      'Dear {first},\n\nI corrected the address and attached the new invoice to your account under Billing > Documents.\n\n{agent}',
      'Dear {first}, the second charge was an authorisation only and has been released.\n\n{agent}',
    ],
    followups: ['The VAT number is still missing on the new invoice.', 'Our bank still shows both charges.'],
    closings: ['Perfect, our accountant is happy.', 'Resolved, thank you.'],
    notes: ['VAT number validated, customer record updated.'],
    tags: ['invoice', 'billing', 'vat'],
    type: 'question',
    group: 1,
    heat: 0.3,
  },
  {
    subjects: ['{product} arrived broken', 'Cracked glass on delivery, order {order}', 'Damaged {product}'],
    openings: [
      'The {product} from order {order} arrived today with a cracked shade. The box had a dent on one side. Photos are in the app. What do I do now?\n\n{first}',
      'Hello, we unpacked forty pieces of the {product} for our hotel in {city} and five of them are damaged. We open on the 1st and need replacements quickly.',
    ],
    replies: [
      'Hi {first},\n\nI am sorry. A replacement leaves our warehouse today, and you need not send the broken one back.\n\n{agent}',
      'Hi {first}, five replacements go out by express today; the tracking number is {number}.\n\n{agent}',
    ],
    followups: [
      'Thank you. Can the driver take the broken ones along?',
      'The replacement has a scratch, too.',
    ],
    closings: ['The new one is flawless. Great service.', 'All five arrived in good order.'],
    notes: ['Third report of damaged shades from this batch. Told packaging.'],
    tags: ['damaged', 'replacement', 'delivery'],
    type: 'problem',
    group: 2,
    heat: 0.5,
  },
  {
    subjects: [
      'Quote for 200 pieces of {product}',
      'Volume discount for {product}',
      'Offer for our new office in {city}',
    ],
    openings: [
      'Good morning, we are fitting out an office in {city} and need about 200 pieces of the {product}. Could you send an offer including installation?\n\nBest, {first}',
      'Hello, do you offer a discount on the {product} above fifty pieces? We would order every quarter.',
    ],
    replies: [
      'Good morning {first},\n\nthank you for asking. I prepared offer {number} with 18 % off the list price; installation is quoted by our partner in {city}.\n\n{agent}',
      'Hi {first}, above fifty pieces we give 12 %, above two hundred 18 %.\n\n{agent}',
    ],
    followups: [
      'Could the payment term be 30 days?',
      'We compare it with another offer and come back next week.',
    ],
    closings: [
      'We accept the offer, the order follows today.',
      'We went with another supplier this time, thank you.',
    ],
    notes: ['Key account, margin approved up to 20 %.'],
    tags: ['sales', 'quote'],
    type: 'task',
    group: 4,
    heat: 0.2,
  },
  {
    subjects: [
      'How do I pair the {product} with the Scene Dial?',
      'Question about schedules in the app',
      'Dimming the {product}',
    ],
    openings: [
      'Hi, I cannot find out how to pair my {product} with the Scene Dial. The manual says to press both buttons, but the light only blinks twice.\n\n{first}',
      'Is there a way to set different schedules for weekdays and weekends in the app? I only see one list.',
    ],
    replies: [
      'Hi {first},\n\nhold the dial within half a metre of the lamp and keep both buttons pressed until the light turns blue, about six seconds.\n\n{agent}',
      'Hi {first}, tap the calendar icon at the top right of the schedule; weekdays and weekends can be set there.\n\n{agent}',
    ],
    followups: [
      'It turns blue for a second and goes back to white.',
      'Found it, but the change is not saved.',
    ],
    closings: ['That did it, thank you!', 'Works, lovely lamp by the way.'],
    notes: ['Add to the help centre: pairing distance.'],
    tags: ['howto', 'pairing', 'app'],
    type: 'question',
    group: 0,
    heat: 0.1,
  },
  {
    subjects: [
      'App crashes when opening scenes',
      'Android app closes at start',
      'Crash on the schedule page',
    ],
    openings: [
      'Since version 7.3 the app crashes as soon as I open Scenes. Phone: a two-year-old Android, latest patches. Reinstalling did not help.\n\n{first}',
      'The app on my tablet closes right after the start screen. Crash report {number} was sent. Everything worked before the update.',
    ],
    replies: [
      'Hi {first},\n\nthank you for the report. Version 7.3.2 with the fix is being rolled out; please update in the store and tell us whether it helps.\n\n{agent}',
      'Hi {first}, we could reproduce it with more than twenty scenes. Until the fix is out, please archive unused scenes on the web.\n\n{agent}',
    ],
    followups: ['Updated to 7.3.2, still crashing.', 'Archiving worked as a stopgap.'],
    closings: ['7.3.3 fixed it. Thanks to the developers!', 'No crash since yesterday.'],
    notes: ['Crash group {number} in the tracker, owner is the mobile team.'],
    tags: ['app', 'crash', 'mobile'],
    type: 'incident',
    group: 3,
    heat: 0.6,
  },
  {
    subjects: ['Cancel my Lumen Cloud subscription', 'Downgrade our plan', 'Please stop the renewal'],
    openings: [
      'Please cancel my Lumen Cloud subscription at the end of this term and confirm in writing.\n\n{first}',
      'We would like to move from the Business plan to the Home plan from next month. Do we lose our scenes?',
    ],
    replies: [
      'Hi {first},\n\nyour subscription ends with the current term; you will not be charged again. May I ask what we could do better?\n\n{agent}',
      'Hi {first}, the scenes are kept, only shared access for colleagues ends.\n\n{agent}',
    ],
    followups: ['We have moved to a smaller office, that is all.', 'I still got a reminder to pay today.'],
    closings: ['Confirmed, thank you.', 'All good, thanks.'],
    notes: ['Offered two free months, declined.'],
    tags: ['subscription', 'cancellation', 'churn_risk'],
    type: 'task',
    group: 1,
    heat: 0.25,
  },
  {
    subjects: [
      'API returns 500 on scene update',
      'Webhook deliveries delayed',
      'Rate limit on the device API',
    ],
    openings: [
      'Our building control calls your device API. Since 06:00 UTC every second call to update a scene answers 500 with request id {number}. This blocks our operations in {city}.\n\n{first}',
      'Webhooks reach us up to forty minutes late since yesterday. Is there an incident? The status page is green.',
    ],
    replies: [
      'Hi {first},\n\nwe see it too: one node was out of step with the others. It is out of rotation now; please tell us whether errors continue.\n\n{agent}',
      'Hi {first}, the delivery queue has been drained. A report follows tomorrow.\n\n{agent}',
    ],
    followups: [
      'Error rate is down to 2 % but not zero.',
      'Please send the report to our operations list as well.',
    ],
    closings: ['No more errors since noon. Thank you.', 'Deliveries are on time again.'],
    notes: ['Engineering paged, incident {number}.'],
    tags: ['api', 'outage', 'enterprise'],
    type: 'incident',
    group: 4,
    heat: 0.95,
  },
  {
    subjects: [
      'Warranty for my {product}',
      '{product} flickers after two years',
      'Is this covered by the warranty?',
    ],
    openings: [
      'My {product}, bought in {city} 22 months ago, started to flicker. Is that covered by the warranty? I still have the receipt.\n\n{first}',
      'Hello, the {product} in our shop hums loudly when dimmed. Order number {order}. Can we exchange it?',
    ],
    replies: [
      'Hi {first},\n\nyes, the warranty runs for 36 months. Here is your return number: {number}. We repair or replace it within ten days.\n\n{agent}',
      'Hi {first}, humming usually comes from an old wall dimmer. Could you try it on a socket without one?\n\n{agent}',
    ],
    followups: ['It hums on another socket as well.', 'Sent off today.'],
    closings: ['The repaired lamp came back, no flicker. Thanks.', 'You were right, it was the wall dimmer.'],
    notes: ['Batch of 2024 with the weak capacitor. Replace without inspection.'],
    tags: ['warranty', 'return'],
    type: 'question',
    group: 0,
    heat: 0.2,
  },
];
