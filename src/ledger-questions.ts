/** What the program in a release image tells out of the ledger, by the first word it is given. */
export const ledgerQuestions = ['log', 'events', 'deliveries', 'runs', 'kept', 'tokens'] as const;

export type LedgerQuestionName = (typeof ledgerQuestions)[number];

/** Those of release images from before they said which. Given another word, their program starts a controller. */
const always: readonly string[] = ['log', 'events'];

/** Whether an image answers a question, as its label says; undefined where it has none. */
export const isAnswered = (question: LedgerQuestionName, label: string | undefined): boolean =>
  (label?.split(' ') ?? always).includes(question);
