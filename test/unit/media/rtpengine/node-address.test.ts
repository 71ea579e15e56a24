import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { NodeAddress } from '../../../../src/media/rtpengine/node-address.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A name server that answers when told to. */
class Names {
  readonly asked: string[] = [];
  #pending = Promise.withResolvers<string>();

  readonly resolve = async (host: string): Promise<string> => {
    this.asked.push(host);
    return await this.#pending.promise;
  };

  answer(address: string): void {
    this.#pending.resolve(address);
    this.#pending = Promise.withResolvers<string>();
  }

  fail(): void {
    this.#pending.reject(new Error('ENOTFOUND'));
    this.#pending = Promise.withResolvers<string>();
  }
}

function named(): { names: Names; place: NodeAddress } {
  const names = new Names();
  const place = new NodeAddress({ host: 'engine', port: 2223, resolve: names.resolve });
  return { names, place };
}

test('an address needs no name server', async () => {
  const names = new Names();
  const place = new NodeAddress({ host: '192.0.2.1', port: 7, resolve: names.resolve });
  await place.refresh();
  expect(place.target).toEqual({ address: '192.0.2.1', port: 7 });
  expect(names.asked).toEqual([]);
});

test('a name follows what it stands for, and keeps that while nobody knows it', async () => {
  const { names, place } = named();
  expect(place.target).toBeUndefined();
  for (const address of ['192.0.2.1', '192.0.2.2']) {
    const refreshed = place.refresh();
    names.answer(address);
    await refreshed;
    expect(place.target).toEqual({ address, port: 2223 });
  }
  const refreshed = place.refresh();
  names.fail();
  await refreshed;
  expect(place.target?.address).toBe('192.0.2.2');
});

test('a silent name server is waited for a while, and not asked twice', async () => {
  const { names, place } = named();
  for (let time = 0; time < 3; time += 1) {
    const refreshed = place.refresh();
    await vi.advanceTimersByTimeAsync(1500);
    await refreshed;
  }
  expect(place.target).toBeUndefined();
  expect(names.asked).toEqual(['engine']);
  names.answer('192.0.2.3');
  await vi.advanceTimersByTimeAsync(0);
  expect(place.target?.address).toBe('192.0.2.3');
});
