// A network namespace with a connection that changes its tables.
import type { ExecutionContext } from 'ava';
import { openNetworkNamespace } from '../../src/linux/network-namespace.ts';
import type { Connection } from '../../src/netlink/connection.ts';
import { NETLINK_NETFILTER, openConnection } from '../../src/netlink/socket.ts';
import { createNamespace } from '../helpers/namespace.ts';

export interface HostTables {
	readonly connection: Connection;
	/** Has the nft tool carry out a text. */
	nft(text: string): void;
	/** What the nft tool shows. */
	ruleset(): string;
}

/** Makes a namespace that goes when the test ends. */
export function hostTables(t: ExecutionContext): HostTables {
	const host = createNamespace(t, 'nat');
	const connection = openNetworkNamespace(host.path).run(() =>
		openConnection(NETLINK_NETFILTER, performance.now() + 60_000),
	);
	t.teardown(() => connection.close());
	return {
		connection,
		nft: (text) => void host.must(['/usr/sbin/nft', text]),
		ruleset: () => host.must(['/usr/sbin/nft', 'list', 'ruleset']),
	};
}
