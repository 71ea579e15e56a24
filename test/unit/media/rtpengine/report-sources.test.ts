import { describe, expect, test } from 'vitest';
import { ReportSources } from '../../../../src/media/rtpengine/report-sources.ts';
import { waitFor } from '../../../support/wait-for.ts';

/** A name server, and where the control of the node is. */
class Names {
  addresses: readonly string[] = [];
  control: readonly string[] = [];
  asked = 0;
  nowMs = 0;

  sources(...hosts: readonly string[]): ReportSources {
    return new ReportSources({
      hosts,
      controlAddresses: () => this.control,
      nowMs: () => this.nowMs,
      resolve: () => {
        this.asked += 1;
        if (this.addresses.length === 0) return Promise.reject(new Error('no such name'));
        return Promise.resolve(this.addresses);
      },
    });
  }
}

describe('reports are taken', () => {
  test('from an address of the configuration and from no other, without a name server', () => {
    const names = new Names();
    const sources = names.sources('192.0.2.1', '2001:db8::1');
    expect(['192.0.2.1', '2001:db8::1', '192.0.2.2'].map((one) => sources.has(one))).toEqual([
      true,
      true,
      false,
    ]);
    expect(names.asked).toBe(0);
  });

  test('from every address of a name', async () => {
    const names = new Names();
    names.addresses = ['192.0.2.1', '2001:db8::1'];
    const sources = names.sources('engine.example');
    await waitFor('addresses', () => sources.has('2001:db8::1'));
    expect(sources.has('192.0.2.1')).toBe(true);
    expect(sources.has('192.0.2.2')).toBe(false);
  });

  test('from where the control has found the node, though the name server knew nothing then', async () => {
    const names = new Names();
    const sources = names.sources('engine.example');
    expect(sources.has('192.0.2.1')).toBe(false);
    names.control = ['192.0.2.1'];
    expect(sources.has('192.0.2.1')).toBe(true);
  });

  test('not from where the node was, once it has reported from elsewhere', async () => {
    const names = new Names();
    names.addresses = ['192.0.2.1'];
    const sources = names.sources('engine.example');
    await waitFor('address', () => sources.has('192.0.2.1'));
    names.addresses = ['192.0.2.2'];
    names.control = ['192.0.2.2'];
    names.nowMs = 2000;
    expect(sources.has('192.0.2.2')).toBe(true);
    await waitFor('move', () => !sources.has('192.0.2.1'));
  });

  test('while strangers do not make the name server be asked more than once in two seconds', async () => {
    const names = new Names();
    names.addresses = ['192.0.2.1'];
    const sources = names.sources('engine.example');
    await waitFor('address', () => sources.has('192.0.2.1'));
    for (names.nowMs = 0; names.nowMs < 1999; names.nowMs += 1) sources.has('192.0.2.9');
    expect(names.asked).toBe(1);
  });
});
