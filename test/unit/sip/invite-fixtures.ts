import { SipDialog, type AddDialog, type DialogHandler } from '../../../src/sip/dialog.ts';
import { OutgoingInvite } from '../../../src/sip/outgoing-invite.ts';
import { FakeSipConnection } from '../../support/fake-sip-connection.ts';

export const SILENT: DialogHandler = {
  onRequest: () => undefined,
  onAck: () => undefined,
  onEnd: () => undefined,
  onTrace: () => undefined,
};

/** The stack's table of dialogs. */
export function table(connection: FakeSipConnection): {
  dialogs: Set<SipDialog>;
  addDialog: AddDialog;
} {
  const dialogs = new Set<SipDialog>();
  const addDialog: AddDialog = (identity, handler, early) => {
    const dialog = new SipDialog(identity, connection, handler, (ended) => dialogs.delete(ended));
    if (early !== undefined) dialog.begin(early);
    dialogs.add(dialog);
    return dialog;
  };
  return { dialogs, addDialog };
}

/** An INVITE to `b@host`; `log` tells what the call hears of it. */
export function send(): {
  connection: FakeSipConnection;
  invite: OutgoingInvite;
  log: string[];
  dialogs: Set<SipDialog>;
} {
  const connection = new FakeSipConnection();
  const { dialogs, addDialog } = table(connection);
  const log: string[] = [];
  const invite = new OutgoingInvite(
    {
      onSent: (request) => log.push(`sent ${request.method}`),
      onProgress: (response) => log.push(`progress ${response.status}`),
      onAnswer: ({ dialog }) => log.push(`answer ${JSON.stringify(dialog.identity)}`),
      onFailure: (status, reason) => log.push(`failure ${status} ${reason}`),
    },
    SILENT,
    addDialog,
  );
  invite.send(connection, {
    method: 'INVITE',
    uri: 'sip:b@host',
    headers: { Contact: '<sip:a@sbc>' },
  });
  return { connection, invite, log, dialogs };
}
