// Transactions of nf_tables: all of several changes, or none. include/uapi/linux/netfilter/nfnetlink.h

import type { Connection } from './connection.ts';
import type { Request } from './message.ts';
import { NFNL_SUBSYS_NFTABLES } from './nf-message.ts';

const NFNL_MSG_BATCH_BEGIN = 0x10;
const NFNL_MSG_BATCH_END = 0x11;

function batchMessage(type: number): Request {
	const fixed = Buffer.of(0, 0, 0, NFNL_SUBSYS_NFTABLES);
	return { operation: 'changing nf_tables', type, flags: 0, fixed, attributes: [], unacknowledged: true };
}

/** Carries out all requests, or none. Throws the NetlinkError of the first that failed, or of the transaction as a whole. */
export function commit(connection: Connection, requests: readonly Request[]): void {
	const last = requests.at(-1);
	if (last === undefined) return;
	const transaction = [batchMessage(NFNL_MSG_BATCH_BEGIN)];
	// One acknowledgement says that all is done; kernels before 6.10 give none for the end of a transaction.
	for (const request of requests) transaction.push(request === last ? request : { ...request, unacknowledged: true });
	connection.execute(...transaction, batchMessage(NFNL_MSG_BATCH_END));
}
