// What keeps the rules in the kernel: nf_tables, or iptables on hosts that have none.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import type { Connection } from '../netlink/connection.ts';
import { isKernelError } from '../netlink/netlink-error.ts';
import { commit } from '../netlink/nf-batch.ts';
import { findTable, removeTable } from '../netlink/nf-table.ts';
import { NETLINK_NETFILTER, openConnection } from '../netlink/socket.ts';
import type { BackendChoice, BackendName } from './configuration.ts';
import { nfTables } from './nftables.ts';
import type { AttachmentRecord, NetworkRecord, Records } from './records.ts';
import { layTable, TABLE } from './table.ts';

/** A port of the host that another attachment holds. */
export interface TakenPort {
	/** `8080/tcp`, or `192.0.2.1:8080/tcp` when it was asked for at that address. */
	readonly port: string;
	/** Undefined when no record is that of the holder. */
	readonly holder: AttachmentRecord | undefined;
}

/**
 * All of it is done under the lock of the records, except `hasNetwork` and `findTaken`. `records` gives those of all
 * networks and attachments; it reads as many files, so that it is called only where it cannot be avoided.
 */
export interface Backend {
	readonly name: BackendName;
	/**
	 * Whether the kernel has what a network shares. False also when somebody removed everything; that need not be found
	 * out when the network is not alone (`isAlone` false), since `attach`, which follows then, finds out by itself.
	 */
	hasNetwork(network: NetworkRecord, isAlone?: boolean): boolean;
	/** A port of the host that an attachment wants and another one holds. */
	findTaken(record: AttachmentRecord, records: () => Records): TakenPort | undefined;
	/** Adds what belongs to an attachment; all of it or nothing. */
	attach(record: AttachmentRecord, records: () => Records): void;
	/** Removes what belongs to an attachment, and nothing else; what is gone already is no error. */
	detach(record: AttachmentRecord, records: () => Records): void;
	/** Puts what the records say in the place of everything that is there, at once. */
	restore(records: Records): void;
	/** What the kernel lacks or has otherwise, in words; `network` and `record` as they should be. */
	differences(network: NetworkRecord, record: AttachmentRecord | undefined, records: () => Records): string[];
	/** The rules that do not change with containers, in short: other than before when somebody edited them. */
	fingerprint(): string;
	close(): void;
}

/** Lays out the table and forgets it again: whether the kernel can is known without anything having happened. */
const PROBE = { ...TABLE, name: `${TABLE.name}_probe` };

/**
 * The backend that is asked for; `auto` is nf_tables when the kernel can do all that is needed of it (Linux 5.6 and
 * later). Nothing waits past `deadline` (ms of performance.now()). Throws NetlinkError, or what {@link Backend} throws.
 */
async function openBackend(choice: BackendChoice, deadline: number): Promise<Backend> {
	if (choice === 'nftables') return nfTables(openConnection(NETLINK_NETFILTER, deadline));
	const found = choice === 'auto' ? findNfTables(deadline) : undefined;
	if (found !== undefined) return found;
	const { ipTables } = await import('./iptables.ts');
	return ipTables(deadline);
}

/** Undefined when the kernel has no nf_tables, or one that is too old. */
function findNfTables(deadline: number): Backend | undefined {
	let connection: Connection | undefined;
	try {
		connection = openConnection(NETLINK_NETFILTER, deadline);
		if (findTable(connection, TABLE) === undefined) commit(connection, [...layTable(PROBE), removeTable(PROBE)]);
		return nfTables(connection);
	} catch (error) {
		connection?.close();
		if (!isKernelError(error, 'EINVAL', 'EOPNOTSUPP', 'EPROTONOSUPPORT', 'ENOENT')) throw error;
		return undefined;
	}
}

/** Throws CniError 50 when the kernel cannot do what is asked for, or what {@link Backend} throws. */
export async function assertBackend(choice: BackendChoice, deadline: number): Promise<void> {
	await withBackend(choice === 'nftables' ? 'auto' : choice, deadline, ({ name }) => {
		if (choice === 'auto' || choice === name) return;
		throw new CniError(
			CniErrorCode.notAvailable,
			'asking the kernel for nf_tables: it has none, or is older than Linux 5.6; set natBackend to "iptables" or leave it out',
		);
	});
}

/**
 * Does some work with a backend, and closes it, unless the end of the process is to do that: to close its socket takes as
 * long as the kernel takes to free what was removed (nft_rcv_nl_event), some 10 ms, in which others can be waited for.
 */
export async function withBackend<T>(
	choice: BackendChoice,
	deadline: number,
	work: (backend: Backend) => T,
	{ staysOpen = false }: { readonly staysOpen?: boolean } = {},
): Promise<T> {
	const backend = await openBackend(choice, deadline);
	try {
		return work(backend);
	} finally {
		if (!staysOpen) backend.close();
	}
}
