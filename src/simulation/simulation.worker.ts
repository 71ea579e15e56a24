/** Entry of a simulation thread: jobs in, reports out, in virtual time. */
import { parentPort } from 'node:worker_threads';
import { answerJob, type SimulationJob } from './simulation-job.ts';
import { VirtualThread } from './virtual-thread.ts';

const port = parentPort;
if (port === null) throw new Error('simulation.worker.ts runs as a worker thread only');

const thread = VirtualThread.enter();
let last: Promise<void> = Promise.resolve();

/** One at a time: they share the clock. */
async function answerAfter(before: Promise<void>, job: SimulationJob): Promise<void> {
  await before;
  port?.postMessage(await answerJob(job, thread));
}

port.on('message', (job: SimulationJob) => {
  last = answerAfter(last, job);
});
