/** Where in a source file a problem lies. Lines and columns count from 1. */
export type SourcePlace = { file: string; line: number; column?: number; text?: string };

/** One of several mistakes in a file. */
export type Finding = { place?: SourcePlace; key?: string; what: string };

/**
 * An expected failure, said so that a reader can act: what happened, why, what still serves or was kept, what to do.
 * `code` never changes once published; problemCatalogue below lists them all.
 */
export type Problem = {
  code: ProblemCode;
  what: string;
  why?: string;
  safe?: string;
  next?: string;
  /** The container it happened in and its host, with their addresses. */
  where?: string;
  /** Lines of evidence: a log's last lines, a build step's output. */
  lines?: readonly string[];
  findings?: readonly Finding[];
};

/** Exit codes of the command line: 1 failed, 2 usage or configuration, 4 held by another, 70 our bug. */
export type ProblemExit = 1 | 2 | 4 | 70;

/** Every problem there is, with its exit code and the sentence of the reference page. */
export const problemCatalogue = {
  USAGE: { exit: 2, means: 'The command line has a word or option that is not understood.' },
  NOT_A_REPOSITORY: { exit: 2, means: 'The folder is not inside a git repository; releases are made from commits.' },
  UNCOMMITTED_CHANGES: { exit: 2, means: 'The working folder differs from the commit; only what is committed is deployed.' },
  UNKNOWN_COMMIT: { exit: 2, means: 'The named commit does not exist in this repository.' },
  UNKNOWN_RELEASE: { exit: 2, means: 'No image of the named release is on the engine.' },
  UNKNOWN_ENVIRONMENT: { exit: 2, means: 'The architecture declares no environment of that name.' },
  UNKNOWN_SUBJECT: { exit: 2, means: 'No container or app of that name belongs to the architecture.' },
  AGENT_UNFIT: { exit: 1, means: "An agent's image is not there, or names a user that it does not know." },
  UNKNOWN_PARAMETER: { exit: 2, means: 'The job has no parameter of that name.' },
  PARAMETER_INVALID: { exit: 2, means: "A job's parameter has a value that no environment variable can have." },
  NO_ARCHITECTURE: { exit: 2, means: 'The folder holds no architecture.ts in that commit.' },
  ARCHITECTURE_SYNTAX: { exit: 2, means: 'architecture.ts, or a file it imports, cannot be parsed.' },
  ARCHITECTURE_THREW: { exit: 2, means: 'architecture.ts threw, or used what evaluation does not offer (network, clock, environment).' },
  ARCHITECTURE_INVALID: { exit: 2, means: 'The architecture has values that are missing, of the wrong kind, or contradict each other.' },
  ARCHITECTURE_TYPES: { exit: 2, means: 'TypeScript found type errors in architecture.ts or a file it imports.' },
  FOLDER_NOT_EMPTY: { exit: 2, means: 'init does not write into a folder that already holds something.' },
  UNKNOWN_TEMPLATE: { exit: 2, means: 'There is no example of that name.' },
  LOCK_MISSING: { exit: 2, means: 'architecture.lock does not exist in the commit.' },
  LOCK_INVALID: { exit: 2, means: 'architecture.lock cannot be read.' },
  BASE_UNPINNED: { exit: 2, means: 'A Dockerfile names an external image that architecture.lock does not pin.' },
  BASE_CHANGED: { exit: 2, means: 'The image the engine has under a pinned name is not the pinned one, and the pinned one cannot be had.' },
  BASE_UNAVAILABLE: { exit: 1, means: 'An external image is neither on the engine nor to be had from a registry.' },
  REPOSITORY_UNPINNED: { exit: 2, means: 'A component comes from another repository that architecture.lock does not pin to a commit.' },
  REPOSITORY_UNAVAILABLE: {
    exit: 1,
    means: 'A repository could not be fetched: another one that components come from, or the one that pushes deliver.',
  },
  SECRET_MISSING: { exit: 2, means: 'The commit does not hold the value of a version of a secret that the architecture uses.' },
  SECRET_UNREADABLE: { exit: 1, means: 'A secret cannot be opened with the key that is here: it was encrypted for others.' },
  IDENTITY_MISSING: { exit: 1, means: 'There is no key here with which secrets are opened.' },
  IDENTITY_EXPOSED: { exit: 2, means: 'Others than its owner may read the file with the key to secrets; it is not used.' },
  CERTIFICATE_UNFIT: {
    exit: 2,
    means: "An app's certificate does not fit its key or the app's hosts, or has ended or is about to.",
  },
  RECIPIENTS_INVALID: { exit: 2, means: 'The file that says for whom secrets are encrypted names nobody, or what is no recipient.' },
  DOCKERFILE_MISSING: { exit: 2, means: "A component's folder, or the Dockerfile it names, is not in the commit." },
  BUILD_FAILED: { exit: 1, means: 'A step of a Dockerfile failed.' },
  TESTS_FAILED: { exit: 1, means: "A component's image was built, but its tests failed; it is not used." },
  PATH_INVALID: { exit: 2, means: 'The proxy itself refused a data path configuration.' },
  ENGINE_ABSENT: { exit: 1, means: 'No container engine answers.' },
  ENGINE_FORBIDDEN: { exit: 1, means: 'A container engine is there, but this user may not talk to it.' },
  ENGINE_REFUSED: { exit: 1, means: 'The engine refused or failed at something that was asked of it.' },
  NO_SPACE: { exit: 1, means: 'The engine has no space left.' },
  PORT_TAKEN: { exit: 1, means: 'A port the core publishes is already in use on the host.' },
  UPGRADE_FAILED: { exit: 1, means: "A store's upgrade step failed on a copy of its data; the data themselves are as they were." },
  UPGRADE_MISSING: {
    exit: 2,
    means: "A store's data have another format than the release wants, and it names no step that makes the one of the other.",
  },
  WRITES_LEFT: { exit: 2, means: 'Going to that release goes back to an older data generation, and leaves behind what was written since.' },
  ROLLOUT_UNHEALTHY: { exit: 1, means: 'An instance of the new release never became healthy; nothing was switched.' },
  STEP_FAILED: {
    exit: 1,
    means:
      "A service's step ended badly or took too long. One before the switch: nothing was switched. One after it: the release is live all the same.",
  },
  APPS_HELD_BACK: { exit: 1, means: 'Apps that are independent failed and stayed as they were; the rest of the release is live.' },
  ROLLOUT_FAILED: { exit: 1, means: 'The rollout could not be carried out; what was switched has been switched back.' },
  ROLLOUT_HELD: { exit: 4, means: 'Another rollout of the same architecture is running.' },
  RELEASE_DROPPED: { exit: 1, means: 'The release was held for a look, and somebody dropped it.' },
  NOTHING_HELD: { exit: 1, means: 'No release is held for a look.' },
  ALARM_FIRED: { exit: 1, means: 'An alarm fired while the release baked; what was before serves again.' },
  ROLLED_BACK: { exit: 1, means: 'The release was live and somebody asked for the one before, which serves again.' },
  REQUEST_REFUSED: { exit: 1, means: 'What was asked of the controller in charge cannot be done as things stand.' },
  RELEASE_QUARANTINED: {
    exit: 1,
    means: 'The release failed here before, or was rolled back; it is deployed again only when that is asked for.',
  },
  TWO_CONTROLLERS: { exit: 1, means: 'Controllers of two releases run, and the ledger that says which is in charge is lost.' },
  CONTROLLER_DIED: { exit: 1, means: 'The controller ended before it said how the rollout went.' },
  LEDGER_NEWER: { exit: 1, means: 'The ledger was written by a newer Changeless in a form this one must not touch.' },
  LEDGER_UNREADABLE: { exit: 1, means: 'The ledger cannot be opened, or is damaged.' },
  UNKNOWN_JOB: { exit: 2, means: 'The release that is live has no job of that name.' },
  UNKNOWN_RUN: { exit: 2, means: 'No run of that id, or no such step of it, is on record.' },
  STEP_IMAGE_MISSING: { exit: 1, means: "A step's image is not on the engine; whoever asks for a run makes it." },
  ARTIFACT_MISSING: { exit: 1, means: 'A step did not leave an artifact behind that it says it makes.' },
  STEP_LOST: { exit: 1, means: "A step's container is gone, and nobody knows how it ended; it is not run a second time." },
  JOB_FAILED: { exit: 1, means: 'A step of a run failed, took too long or was lost.' },
  JOB_SUPERSEDED: { exit: 1, means: 'The run was not begun: a newer one came before its turn.' },
  PUSH_NOT_TAKEN: { exit: 1, means: 'A pushed commit is not on the branch that is delivered, or there is nothing that could fetch it.' },
  JOB_CANCELLED: { exit: 1, means: 'Somebody asked for the end of the run.' },
  INBOX_UNWRITABLE: { exit: 1, means: 'The gateway cannot write to its inbox, so it answers webhooks with 503 and takes none.' },
  INBOX_UNREADABLE: { exit: 1, means: 'The controller cannot read what the gateway has written down; it tries again.' },
  NOT_RUNNING: { exit: 1, means: 'No release of the architecture runs on the engine.' },
  NOTHING_BEFORE: { exit: 1, means: 'There is no earlier release to go back to.' },
  INTERNAL: { exit: 70, means: 'A bug in Changeless.' },
} as const satisfies Record<string, { exit: ProblemExit; means: string }>;

export type ProblemCode = keyof typeof problemCatalogue;
