import { short } from '../../digest.ts';
import type { ChangelessEvent, UnitName } from '../../events.ts';
import { stepWords as keyWords } from '../../job-run.ts';
import { counted, duration } from './duration.ts';

/** One line about an event: a verb for the first column, and the rest. */
export type Words = { verb: string; rest: string; tone: 'good' | 'plain' | 'bad' };

export const unitWords = (unit: UnitName): string => (unit.kind === 'core' ? 'core' : `${unit.kind} ${unit.name}`);

/** `step`: with its service in front, as events name it. */
export function stepWords(app: string, step: string): string {
  const [service, name] = step.split('/');
  return `step ${name} of ${app}/${service}`;
}

/**
 * The sparse story of what happens: undefined for what is only worth a live view (steps, starts, waiting).
 * The end of a rollout is told by the command itself.
 */
export function wordsFor(event: ChangelessEvent): Words | undefined {
  return buildWords(event) ?? rolloutWords(event) ?? jobWords(event) ?? watchWords(event);
}

function buildWords(event: ChangelessEvent): Words | undefined {
  switch (event.type) {
    case 'evaluated':
      return event.cached ? undefined : plain('evaluated', `${commitWords(event.commit)} in ${duration(event.durationMs)}`);
    case 'base-resolved':
      return event.how === 'pulled' ? plain('pulled', event.base) : undefined;
    case 'component-build-started':
      return plain('building', event.component);
    case 'component-build-step':
      return event.state === 'failed' ? bad('failed', `${event.component}: ${event.step}`) : undefined;
    case 'component-built':
      return good('built', `${event.component} in ${duration(event.durationMs)}`);
    case 'component-tests-passed':
      return good('tested', `${event.component} (${event.tests}) in ${duration(event.durationMs)}`);
    case 'types-checked':
      return event.cached ? undefined : plain('types', `checked in ${duration(event.durationMs)}`);
    case 'release-built':
      return plain('release', `${short(event.release)} from ${commitWords(event.commit)}: ${event.built} built, ${event.reused} reused`);
    default:
      return undefined;
  }
}

function rolloutWords(event: ChangelessEvent): Words | undefined {
  switch (event.type) {
    case 'rollout-started':
      return plain('rollout', rolloutSentence(event));
    case 'unit-healthy':
      return good('healthy', `${unitWords(event.unit)} in ${duration(event.durationMs)}`);
    case 'step-ended':
      return event.exitCode === 0
        ? good('ran', `${stepWords(event.unit.name, event.step)} in ${duration(event.durationMs)}`)
        : bad('failed', `${stepWords(event.unit.name, event.step)}: exit code ${event.exitCode} after ${duration(event.durationMs)}`);
    case 'unit-switched':
      return good('switched', unitWords(event.unit));
    case 'store-tried':
      return good('tried', `${unitWords(event.unit)} on ${event.on === 'copy' ? 'a copy of its data' : 'its data'}`);
    case 'store-holding':
      return plain('holding', `new connections to ${unitWords(event.unit)}`);
    case 'store-swapped':
      return good('swapped', `${unitWords(event.unit)}; connections waited ${duration(event.gapMs)}`);
    case 'unit-held-back':
      return bad('held back', `${unitWords(event.unit)} stays as it was: ${event.problem.what}`);
    case 'release-live':
      return good('live', `${short(event.release)} after ${duration(event.durationMs)}`);
    case 'unit-retired':
      return event.cut
        ? bad('retired', `${unitWords(event.unit)}; cut at the drain limit: ${counted(event.cut, 'connection')}`)
        : plain('retired', `${unitWords(event.unit)}, generation ${short(event.generation)}`);
    case 'rollout-held':
      return plain('held', `${short(event.release)} is ready and waits for a look`);
    case 'bake-started':
      return plain('baking', `${event.units.map(unitWords).join(', ')} until ${event.until.slice(11, 19)} UTC; what was before stands by`);
    case 'going-back':
      return bad('going back', `from ${short(event.release)} to ${short(event.to)}: ${event.problem.what}`);
    case 'going-back-failed':
      return bad('stays', `${short(event.release)}: ${event.problem.what}`);
    case 'drain-waiting':
      return plain('draining', `${unitWords(event.unit)} is held by ${counted(event.connections, 'connection')}`);
    default:
      return undefined;
  }
}

function watchWords(event: ChangelessEvent): Words | undefined {
  switch (event.type) {
    case 'rollout-waiting':
      return plain('waiting', `release ${short(event.for)} is being rolled out; ${short(event.release)} comes next`);
    case 'controller-standing-by':
      return plain('waiting', `release ${short(event.for)} is in charge`);
    case 'alarm-fired':
      return bad('alarm', event.what);
    case 'alarm-cleared':
      return good('alarm', event.what);
    case 'releases-forgotten':
      return plain('forgot', `the images of ${counted(event.releases.length, 'release')} of long ago`);
    case 'notice-delayed':
      return bad('not told', `channel ${event.channel} yet: ${event.why}; it is tried again`);
    case 'notice-lost':
      return bad('not told', `channel ${event.channel}, ${counted(event.count, 'message')}: ${event.why}`);
    case 'forge-unreachable':
      return bad('no answer', `of ${event.forge}: ${event.why}; it is tried again`);
    case 'delivery-found':
      return plain('found', `a push to ${event.branch} (${short(event.after)}) whose webhook never came`);
    case 'instance-lost':
      return bad('lost', `${event.instance} of ${unitWords(event.unit)}: ${event.what}`);
    case 'instance-replaced':
      return good('replaced', `${event.instance} of ${unitWords(event.unit)} in ${duration(event.durationMs)}`);
    case 'service-scaled':
      return plain('scaling', `${event.unit.name}.${event.service} from ${event.from} to ${event.to}: ${scaledWhy[event.why]}`);
    case 'instance-left':
      return plain('left', `${event.instance} of ${unitWords(event.unit)}${event.cut ? `, ${counted(event.cut, 'request')} cut` : ''}`);
    case 'effect-failed':
      return bad('retrying', `${event.step}: ${event.problem.what}`);
    default:
      return undefined;
  }
}

function jobWords(event: ChangelessEvent): Words | undefined {
  switch (event.type) {
    case 'job-accepted':
      return plain('accepted', `run ${event.run} of job ${event.job} on ${commitWords(event.commit)}`);
    case 'job-started':
      return plain('started', `run ${event.run} of job ${event.job}`);
    case 'job-step-started':
      return plain('running', `step ${keyWords(event.step)} of ${event.run}`);
    case 'job-step-ended':
      return event.outcome === 'passed'
        ? good('passed', `step ${keyWords(event.step)} of ${event.run}${tookWords(event.durationMs)}`)
        : bad(event.outcome, `step ${keyWords(event.step)} of ${event.run}${event.problem?.why ? `: ${event.problem.why}` : ''}`);
    case 'job-ended':
      return event.outcome === 'passed'
        ? good('passed', `run ${event.run} of job ${event.job}${tookWords(event.durationMs)}`)
        : bad(event.outcome, `run ${event.run} of job ${event.job}${tookWords(event.durationMs)}`);
    default:
      return undefined;
  }
}

const tookWords = (durationMs: number | undefined): string => (durationMs === undefined ? '' : ` in ${duration(durationMs)}`);

function rolloutSentence(event: ChangelessEvent & { type: 'rollout-started' }): string {
  const replaced = event.replace.map(unitWords).join(', ') || 'nothing';
  const kept = event.keep.length === 0 ? '' : `; keeps ${event.keep.map(unitWords).join(', ')}`;
  return `${short(event.release)} replaces ${replaced}${kept}`;
}

/** A commit as people read it. */
export const commitWords = (commit: string): string => (commit === 'uncommitted' ? 'uncommitted files' : `commit ${commit.slice(0, 7)}`);

const scaledWhy = { asked: 'asked for', cpu: 'by what its instances use', requests: 'by what they have in flight' } as const;

const plain = (verb: string, rest: string): Words => ({ verb, rest, tone: 'plain' });
const good = (verb: string, rest: string): Words => ({ verb, rest, tone: 'good' });
const bad = (verb: string, rest: string): Words => ({ verb, rest, tone: 'bad' });
