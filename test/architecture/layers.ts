/**
 * What each folder of src/ may import besides itself and the foundation (the files directly in src/).
 * Data flows through the folders in one direction; a folder that is missing here may not be imported at all.
 */
export const allowedImports: Readonly<Record<string, readonly string[]>> = {
  architecture: [],
  release: ['architecture'],
  datapath: [],
  engine: ['datapath'],
  ledger: [],
  gateway: ['architecture', 'ledger'],
  certificates: [],
  build: ['architecture', 'release', 'datapath', 'engine', 'certificates'],
  secrets: ['architecture', 'release'],
  rollout: ['architecture', 'release', 'engine'],
  drift: ['release', 'engine', 'rollout'],
  jobs: ['architecture', 'release', 'engine', 'ledger', 'rollout'],
  alarms: ['datapath', 'engine', 'rollout'],
  notify: ['ledger'],
  forge: ['architecture', 'ledger', 'gateway', 'notify'],
  controller: [
    'architecture',
    'secrets',
    'jobs',
    'notify',
    'forge',
    'release',
    'engine',
    'rollout',
    'drift',
    'alarms',
    'ledger',
    'gateway',
  ],
  cli: [
    'architecture',
    'release',
    'datapath',
    'engine',
    'ledger',
    'build',
    'rollout',
    'drift',
    'alarms',
    'notify',
    'secrets',
    'certificates',
    'controller',
    'jobs',
    'gateway',
  ],
};

/** Folders inside another that only these may reach into: one vendor's names stay where they are. */
export const enclosed: Readonly<Record<string, readonly string[]>> = { 'engine/docker': ['cli', 'controller'] };
