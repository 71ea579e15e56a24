import { describe, expect, test } from 'vitest';
import type { SipConnection } from '../../../src/sip/sip-connection.ts';
import type { StackConnection } from '../../../src/sip/stack-connection.ts';
import { type Member, newMember, StackMembers } from '../../../src/sip/stack-members.ts';

function server(name: string, port = 9022): StackConnection {
  return { host: '127.0.0.1', port, secret: 's', interfaces: [{ name, hostports: [] }] };
}

/** A member whose connection stands until it is closed. */
function connected(name: string): Member {
  const member = newMember(server(name), 0);
  let isUp = true;
  const connection: SipConnection = {
    hostports: '',
    get isUp() {
      return isUp;
    },
    send: () => undefined,
    close: () => {
      isUp = false;
    },
  };
  member.connection = connection;
  return member;
}

describe('members of the stack', () => {
  test('one that is left out is retired: still found by its name, but no matter of readiness', () => {
    const members = new StackMembers(0);
    const [access, core] = [connected('access'), connected('core')];
    members.serve([access, core]);
    members.serve([core]);
    expect([access.state, core.state]).toEqual(['retired', 'serving']);
    expect(members.of('access')).toBe(access);
    access.connection.close();
    expect(members.isUp).toBe(true);
  });

  test('one that comes back serves again', () => {
    const members = new StackMembers(0);
    const access = connected('access');
    members.serve([access]);
    members.serve([]);
    expect(members.find(server('access'))).toBe(access);
    expect(members.find(server('access', 9023))).toBeUndefined();
    members.serve([access]);
    members.drop(access);
    expect(access.state).toBe('serving');
    expect(access.connection.isUp).toBe(true);
  });

  test('one that took the name of a retired one gets what is new', () => {
    const members = new StackMembers(0);
    const [before, after] = [connected('access'), connected('access')];
    members.serve([before]);
    members.serve([after]);
    expect(members.of('access')).toBe(after);
    expect(members.retiredNamed('access')).toBe(before);
    members.drop(before);
    expect(before.connection.isUp).toBe(false);
    expect(members.retiredNamed('access')).toBeUndefined();
  });

  test('behind one that is gone nothing leaves, and who tries is told so', async () => {
    const members = new StackMembers(0);
    const access = connected('access');
    members.serve([access]);
    members.serve([]);
    members.drop(access);
    const failed = new Promise((resolve) => {
      members
        .of('access')
        .connection.send(
          { method: 'OPTIONS', uri: 'sip:a@b' },
          { onFailed: resolve, onResponse: () => undefined },
        );
    });
    expect(await failed).toBe('connection-lost');
  });
});
