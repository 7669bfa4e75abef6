/** The operation of the catalogue that permits to follow changes, and without which a feed does not work. */
export const FEED_OPERATION = 'subscribe_tickets';
