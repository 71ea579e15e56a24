/** When a route or a device changes under a call, audio follows at once, and goes by the kernel again later. */
import { spawnSync } from 'node:child_process';
import { kill } from 'node:process';
import { expect, test } from 'vitest';
import { KernelStage } from '../support/kernel-stage.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { CALLEE, isKernelMissing, RELAY } from '../support/media-namespaces.ts';
import { PATIENCE_MS, sleep } from '../support/wait-for.ts';

checkLeaksAfterEach();

const isMissing = isKernelMissing();
/** Far from what follows a change at once, and from the next look without it. */
const SOON_MS = 20_000;
/** Of the callee's router, on the device of our media and on another one. */
const ROUTER = '10.81.2.2';
const OTHER_ROUTER = '10.81.4.2';

function ip(stage: KernelStage, host: 'relay' | 'callee', words: string): void {
  const { stderr } = spawnSync('ip', ['-n', stage.hosts.name(host), ...words.split(' ')]);
  expect(String(stderr)).toBe('');
}

/** Waits until the callee hears audio, and says how long that took. */
async function audibleAfterMs(stage: KernelStage): Promise<number> {
  const beganMs = performance.now();
  await stage.report('callee');
  for (;;) {
    await sleep(200);
    const { heard } = await stage.report('callee');
    const passedMs = performance.now() - beganMs;
    if (heard.length > 3) return passedMs;
    if (passedMs > SOON_MS) throw new Error('no audio');
  }
}

/** The kernel sends to a router that is not there: audio is lost until another way is taken. */
function loseRouter(stage: KernelStage): void {
  const dead = 'lladdr 02:00:00:00:00:99 nud permanent';
  ip(stage, 'relay', `neigh replace ${ROUTER} ${dead} dev outside`);
}

/** Lets the callee's host take what comes by another device than its answers go by. */
function allowTwoWays(stage: KernelStage): void {
  const set = 'for each in all default; do echo 0 > /proc/sys/net/ipv4/conf/$each/rp_filter; done';
  spawnSync('ip', ['netns', 'exec', stage.hosts.name('callee'), 'sh', '-c', set]);
}

function pids(stage: KernelStage): number[] {
  const { stdout } = spawnSync('ip', ['netns', 'pids', stage.hosts.name('relay')]);
  return String(stdout).split('\n').filter(Boolean).map(Number);
}

/** Makes a device that no media address is on, and the way to the callee by it. */
function makeOtherWay(stage: KernelStage): void {
  const far = stage.hosts.name('callee');
  ip(stage, 'relay', `link add other type veth peer name other netns ${far}`);
  ip(stage, 'callee', `addr add ${OTHER_ROUTER}/24 dev other`);
  ip(stage, 'callee', 'link set other up');
  ip(stage, 'relay', 'addr add 10.81.4.1/24 dev other');
  ip(stage, 'relay', 'link set other up');
  ip(stage, 'relay', `route replace ${CALLEE}/32 via ${OTHER_ROUTER}`);
}

test.skipIf(isMissing)('another route to the peer is taken at once', async () => {
  const stage = closeAfterTest(new KernelStage('r'));
  allowTwoWays(stage);
  await stage.carry();
  loseRouter(stage);
  makeOtherWay(stage);
  expect(await audibleAfterMs(stage)).toBeLessThan(SOON_MS);
  await stage.carried(2);
  expect(await audibleAfterMs(stage)).toBeLessThan(SOON_MS);

  ip(stage, 'relay', 'link del other');
  makeOtherWay(stage);
  expect(await audibleAfterMs(stage)).toBeLessThan(SOON_MS);
  const { isUp, troubles } = await stage.view();
  expect({ isUp, troubles }).toEqual({ isUp: true, troubles: [] });
});

test.skipIf(isMissing)('a device that is made again is taken at once', async () => {
  const stage = closeAfterTest(new KernelStage('s'));
  await stage.carry();
  ip(stage, 'relay', 'link del outside');
  const far = stage.hosts.name('callee');
  ip(stage, 'relay', `link add outside type veth peer name wire netns ${far}`);
  ip(stage, 'callee', 'addr add 10.81.2.2/24 dev wire');
  ip(stage, 'relay', `addr add ${RELAY.callee}/24 dev outside`);
  ip(stage, 'callee', 'link set wire up');
  ip(stage, 'relay', 'link set outside up');
  ip(stage, 'relay', `route add ${CALLEE}/32 via ${ROUTER}`);
  expect(await audibleAfterMs(stage)).toBeLessThan(SOON_MS);
  await stage.carried(2);
  const { nftPid } = await stage.view();
  expect(stage.hosts.nft('list', 'ruleset')).toContain('devices = { inside, outside }');
  expect(nftPid).toBeDefined();
  expect(await audibleAfterMs(stage)).toBeLessThan(SOON_MS);
});

test.skipIf(isMissing)('whatever watches the network ends with a killed process', async () => {
  const stage = closeAfterTest(new KernelStage('t'));
  await stage.view();
  expect(pids(stage).length).toBeGreaterThan(3);
  kill(stage.relay.pid, 'SIGKILL');
  await expect.poll(() => pids(stage), { timeout: PATIENCE_MS }).toEqual([]);
});

test.skipIf(isMissing)(
  'IPsec policies are obeyed: media comes back until there are none',
  async () => {
    const stage = closeAfterTest(new KernelStage('x'));
    await stage.carry();
    const policy = `src 0.0.0.0/0 dst ${CALLEE}/32 proto udp dir out`;
    ip(stage, 'relay', `xfrm policy add ${policy} action block`);
    // Whoever makes policies makes routes: looked at from time to time as well.
    ip(stage, 'relay', 'rule add from 192.0.2.1 lookup main pref 30000');
    await stage.until('end of the kernel path', ({ isUp }) => !isUp);
    await stage.forget();
    await sleep(1000);
    expect((await stage.report('callee')).heard).toEqual([]);

    ip(stage, 'relay', `xfrm policy delete src 0.0.0.0/0 dst ${CALLEE}/32 proto udp dir out`);
    await stage.carried(2);
    const { troubles } = await stage.view();
    expect(troubles).toEqual([
      { type: 'down', flows: 2, reason: expect.stringContaining('IPsec policies') },
      { type: 'up' },
    ]);
  },
);
