// A kernel with nf_tables of a test's own.
import type { ExecutionContext } from 'ava';
import { openNetworkNamespace } from '../../src/linux/network-namespace.ts';
import type { Connection } from '../../src/netlink/connection.ts';
import { NETLINK_NETFILTER, openConnection } from '../../src/netlink/socket.ts';
import { createNamespace } from '../helpers/namespace.ts';

export interface Tables {
	readonly connection: Connection;
	/** Runs nft with these words; gives what it prints. */
	nft(...words: string[]): string;
}

/** Tables in a network namespace that goes when the test ends. */
export function createTables(t: ExecutionContext): Tables {
	const namespace = createNamespace(t, 'nf');
	const opened = openNetworkNamespace(namespace.path);
	const connection = opened.run(() => openConnection(NETLINK_NETFILTER, performance.now() + 60_000));
	t.teardown(() => {
		connection.close();
		opened.close();
	});
	return { connection, nft: (...words) => namespace.must(['nft', ...words]) };
}
