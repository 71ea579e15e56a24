/** Nothing is forwarded for a call that has changed or ended, nor for a process that is dead or hangs. */
import { kill } from 'node:process';
import { expect, test } from 'vitest';
import { CALLER_SSRC, KernelStage, numberProblems } from '../support/kernel-stage.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { isKernelMissing } from '../support/media-namespaces.ts';
import type { HeardPacket } from '../support/rtp-host.ts';
import { PATIENCE_MS, sleep } from '../support/wait-for.ts';

checkLeaksAfterEach();

const isMissing = isKernelMissing();
/** A table that a process left which did not own it. */
const LEFT = 'tonebridge_0badcafe';

/** Looks at what the callee hears while the caller talks, 300 ms at a time, until it is as it should be; all of it. */
async function hears(
  stage: KernelStage,
  what: string,
  isSo: (packets: number) => boolean,
): Promise<HeardPacket[]> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  const all = [...(await stage.report('callee')).heard];
  await stage.report('caller');
  for (;;) {
    await sleep(300);
    const { sent } = await stage.report('caller');
    const { heard } = await stage.report('callee');
    all.push(...heard);
    if (sent > 5 && isSo(heard.length)) return all;
    if (performance.now() > deadlineMs) throw new Error(`no ${what}: ${heard.length} packets`);
  }
}

async function silent(stage: KernelStage): Promise<HeardPacket[]> {
  return await hears(stage, 'silence', (packets) => packets === 0);
}

async function audible(stage: KernelStage): Promise<void> {
  await hears(stage, 'audio', (packets) => packets > 5);
}

function elements(text: string): string[] {
  return text.match(/elements = .*/gu)?.filter((line) => !line.includes('expires')) ?? [];
}

test.skipIf(isMissing)('hold and close take the rules out first', async () => {
  const stage = closeAfterTest(new KernelStage('k'));
  await stage.carry();
  const { table } = await stage.view();
  await stage.update({ callee: { maySend: false } });
  await stage.until('end of the flow', ({ carried }) => carried <= 1);
  await silent(stage);
  await stage.update({});
  await stage.carried(2);
  await stage.relay.ask({ type: 'close' });
  expect(elements(stage.hosts.nft('list', 'table', 'netdev', table))).toEqual([]);
  await silent(stage);
});

test.skipIf(isMissing)(
  'a killed process leaves no rule, and a start clears what others left',
  async () => {
    const stage = closeAfterTest(
      new KernelStage('l', [], (hosts) => {
        hosts.nft(`add table netdev ${LEFT}`);
        hosts.nft(`add set netdev ${LEFT} alive { type inet_proto; flags timeout; }`);
      }),
    );
    await stage.carry();
    const { table } = await stage.view();
    expect(stage.hosts.nft('list', 'tables')).not.toContain(LEFT);
    expect(stage.hosts.nft('delete', 'table', 'netdev', table)).toContain('not permitted');
    await stage.relay.kill();
    await silent(stage);
    expect(stage.hosts.nft('list', 'tables')).not.toContain(table);
  },
);

test.skipIf(isMissing)('a process that hangs loses its lease', async () => {
  const stage = closeAfterTest(new KernelStage('m'));
  await stage.carry();
  kill(stage.relay.pid, 'SIGSTOP');
  try {
    const stoppedAtMs = Date.now();
    const heard = await silent(stage);
    expect(heard.filter(({ atMs }) => atMs > stoppedAtMs).length).toBeGreaterThan(5);
  } finally {
    kill(stage.relay.pid, 'SIGCONT');
  }
});

test.skipIf(isMissing)(
  'without nft, or another thread, audio goes on by the relay and then by the kernel',
  async () => {
    const stage = closeAfterTest(new KernelStage('n'));
    await stage.carry();
    const { nftPid } = await stage.view();
    if (nftPid === undefined) throw new Error('no nft');
    kill(nftPid, 'SIGKILL');
    await stage.until('trouble', ({ troubles }) => troubles[0]?.type === 'down');
    await stage.until('nft again', ({ isUp }) => isUp);
    const { heard } = await stage.report('callee');
    expect(numberProblems(heard, CALLER_SSRC)).toEqual([]);
    await stage.carried(2);
    await stage.carriedAgain(0, async () => {
      await stage.relay.ask({ type: 'crashThread' });
      await audible(stage);
    });
  },
);
