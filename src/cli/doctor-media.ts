/** What media needs around the SBC: a way to move packets, and rtpengines that answer. */
import type { Config } from '../config/config.ts';
import { chooseIo, ioName } from '../media/io-choice.ts';
import type { DoctorCheck } from './doctor-checks.ts';
import type { Machine } from './doctor-machine.ts';

/** Which ways of moving packets work here; that `auto` has to do without one is no fault. */
export async function checkIo({ media, realms }: Config, machine: Machine): Promise<DoctorCheck> {
  const name = 'media io';
  const choice = await chooseIo(media.io, machine.io(realms));
  const inUse = ioName(choice);
  if (choice.shortfalls.length === 0) {
    return { name, verdict: 'ok', text: media.io === inUse ? inUse : `${media.io}: ${inUse}` };
  }
  const text = `${media.io}: ${inUse}; ${choice.shortfalls.join('; ')}`;
  if (media.io === 'auto') return { name, verdict: 'ok', text };
  return { name, verdict: 'warn', text, advice: 'docs/media.md says what each way needs' };
}

/** Whether each rtpengine answers now. */
export async function checkRtpengine({ media }: Config, machine: Machine): Promise<DoctorCheck> {
  const name = 'rtpengine';
  const problems = await Promise.all(
    media.rtpengine.map(async (node) => ({ node, problem: await machine.rtpengineProblem(node) })),
  );
  const silent = problems.filter(({ problem }) => problem !== undefined);
  if (silent.length === 0) return { name, verdict: 'ok', text: `${problems.length} answer` };
  const text = silent
    .map(({ node, problem }) => `${node.host}:${node.port} ${problem ?? ''}`)
    .join(', ');
  const advice = 'look at its service, at its --listen-ng and at the way there';
  return { name, verdict: silent.length < problems.length ? 'warn' : 'fail', text, advice };
}
