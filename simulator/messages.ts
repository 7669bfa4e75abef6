/** Validation texts in the caller's language: Zendesk localizes descriptions, so clients must not read them. */

export const LANGUAGES = ['en', 'de', 'es'] as const;
export type Language = (typeof LANGUAGES)[number];

const TEXTS = {
  en: {
    record: 'Record validation errors',
    blank: (field: string) => `${field}: cannot be blank`,
    invalid: (field: string, value: string) => `${field}: ${value} is not valid`,
    tooShort: (field: string) => `${field}: is too short (minimum one character)`,
    duplicate: (field: string, value: string) => `${field}: ${value} is already being used by another user`,
    suspended: (name: string) => `Requester: ${name} is suspended.`,
    closed: () => 'Status: closed prevents ticket update',
    unknown: (field: string) => `${field}: does not exist`,
    tooMany: (field: string) => `${field}: too many`,
    seats: (seats: number) => `You have reached the maximum number of agents (${seats}) for your account`,
  },
  de: {
    record: 'Fehler bei der Datensatzprüfung',
    blank: (field: string) => `${field}: darf nicht leer sein`,
    invalid: (field: string, value: string) => `${field}: ${value} ist ungültig`,
    tooShort: (field: string) => `${field}: ist zu kurz (mindestens ein Zeichen)`,
    duplicate: (field: string, value: string) =>
      `${field}: ${value} wird bereits von einem anderen Benutzer verwendet`,
    suspended: (name: string) => `Anfragender: ${name} ist gesperrt.`,
    closed: () => 'Status: geschlossen verhindert die Aktualisierung des Tickets',
    unknown: (field: string) => `${field}: existiert nicht`,
    tooMany: (field: string) => `${field}: zu viele`,
    seats: (seats: number) => `Die Höchstzahl der Agenten (${seats}) für Ihr Konto ist erreicht`,
  },
  es: {
    record: 'Errores de validación del registro',
    blank: (field: string) => `${field}: no puede estar en blanco`,
    invalid: (field: string, value: string) => `${field}: ${value} no es válido`,
    tooShort: (field: string) => `${field}: es demasiado corto (mínimo un carácter)`,
    duplicate: (field: string, value: string) =>
      `${field}: ${value} ya está siendo utilizado por otro usuario`,
    suspended: (name: string) => `Solicitante: ${name} está suspendido.`,
    closed: () => 'Estado: cerrado impide actualizar el ticket',
    unknown: (field: string) => `${field}: no existe`,
    tooMany: (field: string) => `${field}: demasiados`,
    seats: (seats: number) => `Ha alcanzado el número máximo de agentes (${seats}) de su cuenta`,
  },
} as const;

export type Messages = (typeof TEXTS)[Language];

export const messagesIn = (language: Language): Messages => TEXTS[language];
