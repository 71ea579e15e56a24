/** Plays scenarios in a thread of their own, which lives in virtual time. */
import { Worker } from 'node:worker_threads';
import type { JobAnswer, SimulationJob } from './simulation-job.ts';

/** The answers in the order of the jobs; rejects when the thread dies. */
export async function simulate(jobs: readonly SimulationJob[]): Promise<JobAnswer[]> {
  if (jobs.length === 0) return [];
  const worker = new Worker(new URL('./simulation.worker.ts', import.meta.url), {
    name: 'simulation',
  });
  try {
    return await answersOf(worker, jobs);
  } finally {
    await worker.terminate();
  }
}

function answersOf(worker: Worker, jobs: readonly SimulationJob[]): Promise<JobAnswer[]> {
  const answers: JobAnswer[] = [];
  return new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', () => reject(new Error('the simulation thread has ended')));
    worker.on('message', (answer: JobAnswer) => {
      answers.push(answer);
      if (answers.length === jobs.length) resolve(answers);
    });
    for (const job of jobs) worker.postMessage(job, []);
  });
}
